"""CloudWatch's metric requests and answers as boto3 sends and reads them, to and from the store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import ValidationError

from sluice.sandbox.watch.arithmetic import Reading
from sluice.sandbox.watch.queries import Plan, Query, answer_between, check, query_of
from sluice.sandbox.watch.series import MetricStore, Points, StatisticSet, aligned, metric_key, moment_of

MAX_DATAPOINTS = 100_800
"""What GetMetricData returns at most in one page."""


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def put_datum(store: MetricStore, namespace: str, datum: Mapping[str, Any]) -> None:
    dimensions = {pair["Name"]: pair["Value"] for pair in datum.get("Dimensions") or ()}
    key = metric_key(namespace, datum["MetricName"], dimensions)
    at = _aware(datum.get("Timestamp") or datetime.now(UTC))
    samples: Sequence[tuple[float, float]] | StatisticSet
    if known := datum.get("StatisticValues"):
        numbers = [float(known[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum")]
        samples = StatisticSet(*numbers)
    elif values := datum.get("Values"):
        counts = datum.get("Counts") or [1.0] * len(values)
        samples = [(float(value), float(count)) for value, count in zip(values, counts, strict=True)]
    else:
        samples = [(float(datum.get("Value", 0.0)), 1.0)]
    high_resolution = int(datum.get("StorageResolution") or 60) == 1
    store.put(key, at, samples, unit=datum.get("Unit") or "None", high_resolution=high_resolution)


def metric_data(store: MetricStore, params: Mapping[str, Any], reading: Reading = Reading.AS_ZERO) -> dict[str, Any]:
    return metric_data_of(store, plan_in(params), params, reading)


def plan_in(params: Mapping[str, Any]) -> Plan:
    """What a GetMetricData request asks for. ValidationError where CloudWatch refuses that."""
    try:
        queries = [query_of(member) for member in params.get("MetricDataQueries") or ()]
        check(queries)
    except ValueError as fault:
        raise ValidationError(str(fault)) from fault
    return Plan(queries)


def metric_data_of(store: MetricStore, plan: Plan, params: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """The answer to a request whose queries are read already."""
    try:
        found = answer_between(store, plan, _aware(params["StartTime"]), _aware(params["EndTime"]), reading)
        skip = int(params.get("NextToken") or 0)
    except ValueError as fault:
        raise ValidationError(str(fault)) from fault
    limit = int(params.get("MaxDatapoints") or MAX_DATAPOINTS)
    newest_first = (params.get("ScanBy") or "TimestampDescending") == "TimestampDescending"
    returned = [query for query in plan.queries if query.returned]
    return _paged(returned, found, newest_first, skip, limit)


def _paged(
    queries: Sequence[Query], found: Mapping[str, Points], newest_first: bool, skip: int, limit: int
) -> dict[str, Any]:
    """Points `skip` to `skip + limit` of all results in order; a result that goes on is PartialData."""
    results, passed = [], 0
    for query in queries:
        points = sorted(found[query.id].items(), reverse=newest_first)
        page = points[max(skip - passed, 0) : max(skip + limit - passed, 0)]
        passed += len(points)
        results.append(
            {
                "Id": query.id,
                "Label": query.label or (query.key.name if query.key else query.id),
                "Timestamps": [moment_of(second) for second, _ in page],
                "Values": [value for _, value in page],
                "StatusCode": "PartialData" if passed > skip + limit else "Complete",
            }
        )
    more = {"NextToken": str(skip + limit)} if passed > skip + limit else {}
    return {"MetricDataResults": results, "Messages": [], **more}


def metric_statistics(store: MetricStore, params: Mapping[str, Any]) -> dict[str, Any]:
    dimensions = {pair["Name"]: pair["Value"] for pair in params.get("Dimensions") or ()}
    key = metric_key(params["Namespace"], params["MetricName"], dimensions)
    period, unit = int(params["Period"]), params.get("Unit")
    plain, extended = params.get("Statistics") or [], params.get("ExtendedStatistics") or []
    if bool(plain) == bool(extended):
        raise ValidationError("Must specify either Statistics or ExtendedStatistics, and not both")
    start, end = aligned(_aware(params["StartTime"]), period), int(_aware(params["EndTime"]).timestamp())
    try:
        columns = {name: store.points(key, name, period, start, end, unit) for name in (*plain, *extended)}
    except ValueError as fault:
        raise ValidationError(str(fault)) from fault
    shown_unit = unit or next(iter(store.units(key)), "None")
    points = []
    for second in sorted(set().union(*columns.values())):
        values = {name: column[second] for name, column in columns.items() if second in column}
        point: dict[str, Any] = {"Timestamp": moment_of(second), "Unit": shown_unit}
        points.append({**point, **({"ExtendedStatistics": values} if extended else values)})
    return {"Label": params["MetricName"], "Datapoints": points}
