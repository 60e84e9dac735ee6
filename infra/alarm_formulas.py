"""Which alarms guard a slot and what they compute, from the rollout policy. Pure; `slot_alarms` makes them, the submission names them.

Two kinds. A relative alarm blames its slot only when it is worse than the other slot now; a rail is an absolute limit that is obeyed
only where there is no other slot to compare with. A metric without a rail in the policy has no alarm: only the judge compares it.
Arithmetic: shared/judge.md, "The CloudWatch alarm beside it".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sluice.core.judge.rails import BREACHES, RAIL_SAMPLES_P90, RAIL_TRIALS, WINDOW_MINUTES
from sluice.core.names import AlarmName
from sluice.core.policy import LatencyMetric, LatencyRail, Policy, RateMetric, RateRail
from sluice.core.rollout import SlotAlarms

PERIOD_SECONDS = 60
"""SageMaker publishes by the minute."""
EVALUATION_PERIODS = WINDOW_MINUTES
DATAPOINTS_TO_ALARM = BREACHES

# Why no FILL. CloudWatch counts a missing side of a comparison as 0 and drops x/0, so a minute without errors, without requests
# or without the other slot already gives 0 or nothing, which `notBreaching` takes for health. FILL(x, 0) would make zeros of
# minutes whose data has not come yet (it comes about two minutes late): two of the three newest would always be zero, and the
# alarm could never see two bad ones. Left alone, CloudWatch looks further back for the newest minutes that have data.


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one slot, under the id the formula uses."""

    id: str
    slot: str
    namespace: str
    metric: str
    stat: str


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """One alarm: it is in ALARM when `formula` is above 0 in 2 of 3 minutes."""

    name: AlarmName
    relative: bool
    description: str
    formula: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Guarded:
    """Whose alarms are meant."""

    project: str
    stack: str
    endpoint: str
    slots: tuple[str, str]
    policy: Policy
    fallback: str | None = None


def alarm_settings(guarded: Guarded) -> tuple[AlarmSettings, ...]:
    """Every alarm of an endpoint, slot by slot, rates first: the first relative one is the one that rehearsals set off."""
    blue, green = guarded.slots
    return (*_slot(guarded, blue, green), *_slot(guarded, green, blue), *_fallback(guarded))


def slot_alarms(guarded: Guarded) -> Mapping[str, SlotAlarms]:
    """Alarm names by slot, as the submission hands them to the rollout."""
    settings = alarm_settings(guarded)
    return {
        slot: SlotAlarms(
            relative=tuple(str(s.name) for s in settings if s.name.slot == slot and s.relative),
            rails=tuple(str(s.name) for s in settings if s.name.slot == slot and not s.relative),
        )
        for slot in guarded.slots
    }


def _slot(guarded: Guarded, slot: str, other: str) -> Iterator[AlarmSettings]:
    metrics = guarded.policy.metrics
    for name, metric in metrics.items():
        if isinstance(metric, RateMetric) and metric.rail is not None:
            yield _rate(guarded, slot, other, name, metric, metric.rail)
            yield _rail(guarded, slot, name, metric, metric.rail)
    for name, metric in metrics.items():
        if isinstance(metric, LatencyMetric) and metric.rail is not None:
            yield _quantile(guarded, slot, other, name, metric, metric.rail)


def _fallback(guarded: Guarded) -> Iterator[AlarmSettings]:
    """The last resort has no slot to be compared with. Its rails take nothing back: no submission names them, so they are told."""
    if guarded.fallback is None:
        return
    for name, metric in guarded.policy.metrics.items():
        if isinstance(metric, RateMetric) and metric.rail is not None:
            yield _rail(guarded, guarded.fallback, name, metric, metric.rail)


def _rate(guarded: Guarded, slot: str, other: str, name: str, metric: RateMetric, rail: RateRail) -> AlarmSettings:
    """`ns >= N` keeps it relative: without it, it would turn absolute exactly when the other slot has no data."""
    limit, factor = _number(rail.rate), _number(rail.versus_stable)
    return AlarmSettings(
        _name(guarded, slot, name),
        relative=True,
        description=f"{metric.events} of {slot} above {limit} of {metric.trials} and above {factor} times {other}'s",
        formula=f"IF(nc >= {RAIL_TRIALS} AND ns >= {RAIL_TRIALS} AND ec/nc > {limit} AND ec/nc > {factor}*es/ns, 1, 0)",
        series=(
            Series("nc", slot, metric.namespace, metric.trials, "Sum"),
            Series("ec", slot, metric.namespace, metric.events, "Sum"),
            Series("ns", other, metric.namespace, metric.trials, "Sum"),
            Series("es", other, metric.namespace, metric.events, "Sum"),
        ),
    )


def _rail(guarded: Guarded, slot: str, name: str, metric: RateMetric, rail: RateRail) -> AlarmSettings:
    limit = _number(rail.rate)
    return AlarmSettings(
        _name(guarded, slot, f"{name}-rail"),
        relative=False,
        description=f"{metric.events} of {slot} above {limit} of {metric.trials}, whatever the other slot does",
        formula=f"IF(nc >= {RAIL_TRIALS} AND ec/nc > {limit}, 1, 0)",
        series=(
            Series("nc", slot, metric.namespace, metric.trials, "Sum"),
            Series("ec", slot, metric.namespace, metric.events, "Sum"),
        ),
    )


def _quantile(
    guarded: Guarded, slot: str, other: str, name: str, metric: LatencyMetric, rail: LatencyRail
) -> AlarmSettings:
    """The counts are the metric's own sample counts, so that a count of 100 means a p90 that exists."""
    factor = _number(rail.versus_stable)
    return AlarmSettings(
        _name(guarded, slot, name),
        relative=True,
        description=f"p90 of {metric.metric} of {slot} above {factor} times {other}'s",
        formula=f"IF(nc >= {RAIL_SAMPLES_P90} AND ns >= {RAIL_SAMPLES_P90} AND lc > {factor}*ls, 1, 0)",
        series=(
            Series("nc", slot, metric.namespace, metric.metric, "SampleCount"),
            Series("lc", slot, metric.namespace, metric.metric, "p90"),
            Series("ns", other, metric.namespace, metric.metric, "SampleCount"),
            Series("ls", other, metric.namespace, metric.metric, "p90"),
        ),
    )


def _name(guarded: Guarded, slot: str, metric: str) -> AlarmName:
    return AlarmName(guarded.project, guarded.stack, guarded.endpoint, slot, metric)


def _number(value: float) -> str:
    """Without an exponent, which metric math does not promise to read."""
    return format(Decimal(repr(value)).normalize(), "f")
