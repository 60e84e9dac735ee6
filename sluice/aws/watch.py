"""CloudWatch: alarm states, and metrics as rows of complete minutes. Missing stays missing; what is not a number is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sluice.aws.clients import client
from sluice.core.actions import SetAlarm
from sluice.core.observation import AlarmFacts, Counts, Row, SlotMinute
from sluice.core.policy import LatencyMetric, Metric, RateMetric

REHEARSAL_KEY = "sluiceRehearsal"
_NAMES_A_CALL = 100
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class CloudWatchAlarms:
    """`sluice.ports.Alarms` on boto3."""

    def states(self, names: Iterable[str]) -> Mapping[str, AlarmFacts]:
        wanted = list(names)
        facts = {name: AlarmFacts(name, None, 0) for name in wanted}
        for batch in _batches(wanted, _NAMES_A_CALL):
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
    """`sluice.ports.Metrics` on boto3: one paged GetMetricData."""

    def rows(
        self, endpoint: str, canary: str, stable: str, metrics: Mapping[str, Metric], since: int, until: int
    ) -> tuple[Row, ...]:
        series = _read(list(_queries(endpoint, (canary, stable), metrics)), since, until)
        minutes = range(since, until, _MINUTE)
        return tuple(
            Row(at, _minute(series, canary, metrics, at), _minute(series, stable, metrics, at)) for at in minutes
        )


@dataclass(frozen=True, slots=True)
class _Query:
    """One series to read, and what it is."""

    slot: str
    metric: str
    part: str
    namespace: str
    name: str
    stat: str
    endpoint: str


def _queries(endpoint: str, slots: tuple[str, ...], metrics: Mapping[str, Metric]) -> Iterator[_Query]:
    for slot in slots:
        for name, metric in sorted(metrics.items()):
            if isinstance(metric, RateMetric):
                yield _Query(slot, name, "trials", metric.namespace, metric.trials, "Sum", endpoint)
                yield _Query(slot, name, "events", metric.namespace, metric.events, "Sum", endpoint)
            elif isinstance(metric, LatencyMetric):
                yield _Query(slot, name, "p90", metric.namespace, metric.metric, "p90", endpoint)


def _read(queries: list[_Query], since: int, until: int) -> dict[tuple[str, str, str], dict[int, float]]:
    request = {
        "MetricDataQueries": [_request(i, query) for i, query in enumerate(queries)],
        "StartTime": datetime.fromtimestamp(since, UTC),
        "EndTime": datetime.fromtimestamp(until, UTC),
        "ScanBy": "TimestampAscending",
    }
    series: dict[tuple[str, str, str], dict[int, float]] = {(q.slot, q.metric, q.part): {} for q in queries}
    for page in client("cloudwatch").get_paginator("get_metric_data").paginate(**request):
        for result in page["MetricDataResults"]:
            query = queries[int(result["Id"][1:])]
            values = series[query.slot, query.metric, query.part]
            for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                if (
                    math.isfinite(value) and value >= 0
                ):  # a NaN or a negative count says nothing: the minute stays missing
                    values[int(at.timestamp())] = value
    return series


def _request(i: int, query: _Query) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": query.endpoint}, {"Name": "VariantName", "Value": query.slot}]
    metric = {"Namespace": query.namespace, "MetricName": query.name, "Dimensions": dimensions}
    return {"Id": f"q{i}", "MetricStat": {"Metric": metric, "Period": _MINUTE, "Stat": query.stat}, "ReturnData": True}


def _minute(
    series: Mapping[tuple[str, str, str], Mapping[int, float]], slot: str, metrics: Mapping[str, Metric], at: int
) -> SlotMinute:
    rates, p90s = {}, {}
    for name, metric in metrics.items():
        if isinstance(metric, RateMetric):
            trials, events = series[slot, name, "trials"].get(at), series[slot, name, "events"].get(at)
            if trials is not None and events is not None and events <= trials:
                rates[name] = Counts(trials, events)
        elif isinstance(metric, LatencyMetric) and (p90 := series[slot, name, "p90"].get(at)) is not None:
            p90s[name] = p90
    return SlotMinute(rates, p90s)


def _alarm(found: Mapping[str, Any]) -> AlarmFacts:
    since = found.get("StateTransitionedTimestamp") or found["StateUpdatedTimestamp"]
    return AlarmFacts(found["AlarmName"], found["StateValue"], int(since.timestamp()), found.get("EvaluationState"))


def _batches(items: list[str], size: int) -> Iterator[list[str]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
