"""GetMetricData: which series a reading needs, and their values by minute. One paged call; missing stays missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from sluice.aws.clients import client
from sluice.core.errors import SluiceError
from sluice.core.policy import LatencyMetric, LevelMetric, MeanMetric, Metric, RateMetric
from sluice.core.rows import Limits, Reading

_QUERIES_A_CALL = 500
_MINUTE = 60
OVER = "over "
WITHIN = "within "
"""Parts of a latency: how many requests were above a limit, and at most at it."""
RECORDED_TOTAL, RECORDED_WITHIN = "recorded", "recorded within "
"""The same of the application's histogram: all it counted, and those at most at an edge."""
INVOKED = {"invoked": "Invocations", "failed 4xx": "Invocation4XXErrors", "failed 5xx": "Invocation5XXErrors"}
"""What the histogram's total is checked against: the requests of SageMaker's own counting, less those that failed."""
_SAGEMAKER = "AWS/SageMaker"
_P = TypeVar("_P")


@dataclass(frozen=True, slots=True)
class Key:
    """What a series means: which slot and metric, which part of it; `segment` where the metric is split by a dimension."""

    slot: str
    metric: str
    part: str
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """One series to read. `search` finds one for each value of a dimension."""

    key: Key
    endpoint: str
    namespace: str
    name: str
    stat: str
    search: str | None = None


Series = dict[Key, dict[int, float]]


def queries(reading: Reading) -> Iterator[Query]:
    """Every series of both slots."""
    for slot, is_canary in ((reading.canary, True), (reading.stable, False)):
        for name, metric in sorted(reading.metrics.items()):
            limits = reading.limits.get(name)
            for part, source, stat in _parts(metric, limits, is_canary=is_canary):
                yield Query(Key(slot, name, part), reading.endpoint, metric.namespace, source, stat)
            if isinstance(metric, LatencyMetric):
                for part, namespace, source in _recorded(metric, limits, is_canary=is_canary):
                    yield Query(Key(slot, name, part), reading.endpoint, namespace, source, "Sum")
            if isinstance(metric, RateMetric) and metric.terms.segment is not None:
                for part, source in (("trials", metric.trials), ("events", metric.events)):
                    yield Query(
                        Key(slot, name, part), reading.endpoint, metric.namespace, source, "Sum", metric.terms.segment
                    )


def _parts(metric: Metric, limits: Limits | None, *, is_canary: bool) -> Iterator[tuple[str, str, str]]:
    """(part, CloudWatch metric, statistic) of each series of a metric."""
    match metric:
        case RateMetric():
            yield from (("trials", metric.trials, "Sum"), ("events", metric.events, "Sum"))
        case MeanMetric():
            yield from (("count", metric.count, "Sum"), ("sum", metric.sum, "Sum"), ("sumsq", metric.sumsq, "Sum"))
        case LevelMetric():
            yield "level", metric.metric, "Average"
        case LatencyMetric():
            yield from (("trials", metric.metric, "SampleCount"), ("p90", metric.metric, "p90"))
            if metric.histogram is not None and metric.histogram.use == "always":
                return
            for name, limit in _of_slot(limits, is_canary=is_canary).items():
                yield f"{OVER}{name}", metric.metric, f"TC({limit:.0f}:)"
                yield f"{WITHIN}{name}", metric.metric, f"TC(:{limit:.0f})"


def _recorded(metric: LatencyMetric, limits: Limits | None, *, is_canary: bool) -> Iterator[tuple[str, str, str]]:
    """(part, namespace, CloudWatch metric) of each series of the application's histogram that is needed, all of them sums."""
    histogram = metric.histogram
    if histogram is None or limits is None:
        return
    yield RECORDED_TOTAL, histogram.namespace, histogram.total_name
    for name, edge in (limits.canary_edges if is_canary else limits.stable_edges).items():
        yield f"{RECORDED_WITHIN}{name}", histogram.namespace, histogram.within_name(edge)
    for part, source in INVOKED.items():
        yield part, _SAGEMAKER, source


def _of_slot(limits: Limits | None, *, is_canary: bool) -> Mapping[str, float]:
    if limits is None:
        return {}
    return limits.canary if is_canary else limits.stable


def read(wanted: list[Query], since: int, until: int, period: int = _MINUTE) -> Series:
    """Values by the start of their period. More than 500 series take more than one call.

    Raises SluiceError for an answer that CloudWatch did not complete: what is missing in it is not silence.
    """
    series: Series = {query.key: {} for query in wanted if query.search is None}
    for batch in batches(wanted, _QUERIES_A_CALL):
        request = {
            "MetricDataQueries": [_request(i, query, period) for i, query in enumerate(batch)],
            "StartTime": datetime.fromtimestamp(since, UTC),
            "EndTime": datetime.fromtimestamp(until, UTC),
            "ScanBy": "TimestampAscending",
        }
        ended: dict[tuple[str, str], str] = {}
        times, minutes = list[datetime](), list[int]()
        for result in _results(request):
            query = batch[int(result["Id"][1:])]
            ended[f"{query.name} of {query.key.slot}", str(result.get("Label"))] = result.get("StatusCode", "Complete")
            if result["Timestamps"] != times:  # most series have a value in every minute
                times = result["Timestamps"]
                minutes = [int(at.timestamp()) for at in times]
            series.setdefault(_key(query, result), {}).update(zip(minutes, result["Values"], strict=True))
        _need_all(ended)
    return series


def _results(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Of all pages. A loop of its own: boto3 makes a new class for each paginator that it is asked for."""
    page = client("cloudwatch").get_metric_data(**request)
    yield from page["MetricDataResults"]
    while token := page.get("NextToken"):
        page = client("cloudwatch").get_metric_data(**request, NextToken=token)
        yield from page["MetricDataResults"]


def _need_all(ended: Mapping[tuple[str, str], str]) -> None:
    """`ended` is how CloudWatch's last page ended each series: a page before the last one says `PartialData` and means it well."""
    partial = [f"{what}: {status}" for (what, _), status in ended.items() if status != "Complete"]
    if partial:
        raise SluiceError(f"CloudWatch did not answer completely, so nothing can be judged now: {'; '.join(partial)}")


def _key(query: Query, result: Mapping[str, Any]) -> Key:
    """A search answers once for each value of its dimension, and says which in the label."""
    if query.search is None:
        return query.key
    return Key(query.key.slot, query.key.metric, query.key.part, str(result["Label"]))


def _request(i: int, query: Query, period: int) -> dict[str, Any]:
    if query.search is not None:
        return {"Id": f"q{i}", "Expression": _search(query, period), "Label": f"${{PROP('Dim.{query.search}')}}"}
    dimensions = [{"Name": "EndpointName", "Value": query.endpoint}, {"Name": "VariantName", "Value": query.key.slot}]
    metric = {"Namespace": query.namespace, "MetricName": query.name, "Dimensions": dimensions}
    return {"Id": f"q{i}", "MetricStat": {"Metric": metric, "Period": period, "Stat": query.stat}, "ReturnData": True}


def _search(query: Query, period: int) -> str:
    """The metric under every value of one more dimension."""
    schema = f'{{"{query.namespace}",EndpointName,VariantName,"{query.search}"}}'
    where = f'MetricName="{query.name}" EndpointName="{query.endpoint}" VariantName="{query.key.slot}"'
    return f"SEARCH('{schema} {where}', '{query.stat}', {period})"


def batches(items: Iterable[_P], size: int) -> Iterator[list[_P]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
