"""What a probe takes and costs, before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sluice.cost.prices import PRICES
from sluice.probe.table import Question

_METRICS, _ALARMS = 6, 2
_CREATE_MINUTES, _CLEAN_MINUTES = 5.0, 2.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """`dollars` is None where the instance's price is not known here."""

    minutes: float
    instance_hours: float
    instances: int
    dollars: float | None


def estimate(questions: Sequence[Question], instance_type: str, hourly_price: float | None = None) -> Estimate:
    """From the questions' usual minutes; the endpoint is made even where its making is not asked about."""
    need = [question for question in questions if question.instances]
    unasked = _CREATE_MINUTES if need and all(question.key != "create_endpoint" for question in need) else 0.0
    most = max((question.instances for question in need), default=0)
    minutes = sum(question.minutes for question in questions) + unasked + _CLEAN_MINUTES
    busy = sum(question.minutes * question.instances for question in need) + (unasked + _CLEAN_MINUTES) * most
    hourly = PRICES.instance_hour.get(instance_type) if hourly_price is None else hourly_price
    hours = busy / 60
    # Metrics and alarms are billed by the hour in which they exist.
    small = (_METRICS * PRICES.custom_metric_month + _ALARMS * PRICES.alarm_metric_month) / 730
    return Estimate(minutes, hours, most, None if need and hourly is None else hours * (hourly or 0.0) + small)
