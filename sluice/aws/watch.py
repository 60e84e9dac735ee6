"""CloudWatch: alarm states, and metrics as rows of complete minutes. Missing stays missing; what is not a number is refused."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sluice.aws.clients import client
from sluice.aws.minutes import Made
from sluice.aws.series import Key, Query, batches, queries, read
from sluice.aws.settled import SettledRows
from sluice.core.actions import SetAlarm
from sluice.core.histogram import RECORDED, Histogram, quantiles
from sluice.core.observation import AlarmFacts, Row
from sluice.core.policy import LatencyMetric
from sluice.core.rows import Reading

REHEARSAL_KEY = "sluiceRehearsal"
_NAMES_A_CALL = 100
_QUANTILES = ("p50", "p90", "p99")
_QUANTILE_PERIOD = 300


@dataclass(frozen=True, slots=True)
class CloudWatchAlarms:
    """`sluice.ports.Alarms` on boto3."""

    def states(self, names: Iterable[str]) -> Mapping[str, AlarmFacts]:
        wanted = list(names)
        facts = {name: AlarmFacts(name, None, 0) for name in wanted}
        for batch in batches(wanted, _NAMES_A_CALL):
            found = client("cloudwatch").describe_alarms(
                AlarmNames=batch, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=_NAMES_A_CALL
            )
            for alarm in (*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])):
                facts[alarm["AlarmName"]] = _alarm(alarm)
        return facts

    def force(self, action: SetAlarm) -> None:
        client("cloudwatch").set_alarm_state(
            AlarmName=action.name,
            StateValue=action.state,
            StateReason=action.reason,
            StateReasonData=json.dumps({REHEARSAL_KEY: action.rehearsal_of}),
        )


@dataclass(frozen=True, slots=True)
class CloudWatchMetrics:
    """`sluice.ports.Metrics` on boto3."""

    settled: SettledRows = field(default_factory=SettledRows)

    def rows(self, reading: Reading) -> tuple[Row, ...]:
        return self.settled.rows(reading, _fetched)

    def quantiles(
        self, endpoint: str, slot: str, metrics: Mapping[str, LatencyMetric], since: int, until: int
    ) -> Mapping[str, Mapping[str, float]]:
        """The median of the time's five-minute percentiles: any threshold is valid, this one resists a burst.

        And, under their own names, the edges of the applications' histograms that so much of the whole time lay within.
        """
        wanted = [
            Query(Key(slot, name, part), endpoint, metric.namespace, metric.metric, part)
            for name, metric in sorted(metrics.items())
            for part in _QUANTILES
        ]
        found: dict[str, dict[str, float]] = {}
        for key, values in read(wanted, since, until, _QUANTILE_PERIOD).items():
            usable = [value for value in values.values() if math.isfinite(value) and value > 0]
            if usable:
                found.setdefault(key.metric, {})[key.part] = statistics.median(usable)
        found = {name: parts for name, parts in found.items() if len(parts) == len(_QUANTILES)}
        for name, metric in metrics.items():
            if metric.histogram is not None:
                recorded = _recorded(endpoint, slot, metric.histogram, since, until)
                if recorded:
                    found[name] = {**found.get(name, {}), **recorded}
        return found


def _recorded(endpoint: str, slot: str, histogram: Histogram, since: int, until: int) -> dict[str, float]:
    """Quantiles of what the application recorded over that time, on its edges."""
    sources = {"total": histogram.total_name, **{str(edge): histogram.within_name(edge) for edge in histogram.edges}}
    wanted = [
        Query(Key(slot, "", part), endpoint, histogram.namespace, source, "Sum") for part, source in sources.items()
    ]
    series = read(wanted, since, until, _QUANTILE_PERIOD)
    sums = {key.part: sum(value for value in series[key].values() if math.isfinite(value)) for key in series}
    parts = {q: int(q.removeprefix("p")) / 100 for q in _QUANTILES}
    found = quantiles(sums.pop("total"), {int(edge): count for edge, count in sums.items()}, parts)
    return {f"{RECORDED}{q}": edge for q, edge in found.items()}


def _fetched(reading: Reading, made: Made) -> tuple[Row, ...]:
    return made.of(reading, read(list(queries(reading)), reading.since, reading.until))


def _alarm(found: Mapping[str, Any]) -> AlarmFacts:
    since = found.get("StateTransitionedTimestamp") or found["StateUpdatedTimestamp"]
    return AlarmFacts(found["AlarmName"], found["StateValue"], int(since.timestamp()), found.get("EvaluationState"))
