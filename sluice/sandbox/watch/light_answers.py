"""Light answers of CloudWatch to GetMetricData and DescribeAlarms.

A tick reads half an hour of thirty series: as JSON they cost ten times what working them out does. Decides only the form; what is in
them is `metric_wire`'s and moto's. A request that is not the usual one goes the long way, as does one that is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import Alarm

from sluice.sandbox.cloud.light_hooks import Light, Params, Remembered, attributes
from sluice.sandbox.watch.arithmetic import Reading
from sluice.sandbox.watch.metric_wire import metric_data_of, plan_in
from sluice.sandbox.watch.queries import Plan
from sluice.sandbox.watch.series import MetricStore

Alarms = Callable[[], Mapping[str, Alarm]]


def light_answers(store: MetricStore, reading: Reading, alarms: Alarms) -> dict[tuple[str, str], Light]:
    """By service and operation."""
    return {
        ("cloudwatch", "GetMetricData"): MetricData(store, reading),
        ("cloudwatch", "DescribeAlarms"): Remembered(lambda params: _alarms(alarms(), params)),
    }


@dataclass(frozen=True, slots=True)
class MetricData:
    """Questions of which botocore accepted all but the times before."""

    store: MetricStore
    reading: Reading
    accepted: dict[str, Plan] = field(default_factory=dict)

    def answer(self, params: Params) -> dict[str, Any] | None:
        times = {name: _second(params.get(name)) for name in ("StartTime", "EndTime")}
        plan = self.accepted.get(_but_times(params))
        if None in times.values() or plan is None:
            return None
        try:
            return metric_data_of(self.store, plan, {**params, **times}, self.reading)
        except ValidationError:
            return None

    def learn(self, params: Params, answer: Mapping[str, Any]) -> None:  # noqa: ARG002
        self.accepted[_but_times(params)] = plan_in(params)


def _second(moment: object) -> datetime | None:
    """A time as the JSON protocol carries it, in whole seconds; None for another way to say a time."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return None
    return moment.astimezone(UTC).replace(microsecond=0)


def _but_times(params: Params) -> str:
    return repr([(name, value) for name, value in params.items() if name not in ("StartTime", "EndTime")])


def _alarms(alarms: Mapping[str, Alarm], params: Params) -> tuple[Any, ...] | None:
    """How the alarms look that are asked for by name."""
    names = params.get("AlarmNames")
    return tuple(attributes(alarms[name]) for name in names if name in alarms) if names else None
