"""What a GetMetricData request, or an alarm, asks of the store, and the series that answer it.

Decides the order of evaluation, period alignment and which requests are refused. Storage is left to `series`,
arithmetic to `arithmetic`, the wire format to `metric_wire`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sluice.sandbox.watch.arithmetic import Grid, Reading, Scope
from sluice.sandbox.watch.formula import MathFault, names
from sluice.sandbox.watch.moments import series_of
from sluice.sandbox.watch.series import MetricKey, MetricStore, Points, aligned, check_period, metric_key
from sluice.sandbox.watch.statistic import statistic

MAX_QUERIES = 500
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Query:
    """One metric or one expression of a request; exactly one of `key` and `expression` is set."""

    id: str
    key: MetricKey | None = None
    statistic: str = ""
    period: int = 60
    unit: str | None = None
    expression: str = ""
    label: str = ""
    returned: bool = True


def query_of(member: Mapping[str, Any]) -> Query:
    """A MetricDataQuery as boto3 sends it. ValueError where it says neither or both of metric and expression."""
    stat, expression = member.get("MetricStat"), member.get("Expression")
    if bool(stat) == bool(expression):
        raise ValueError(f"query {member.get('Id')!r} must have either MetricStat or Expression, and not both")
    plain = Query(str(member["Id"]), label=member.get("Label") or "", returned=member.get("ReturnData") is not False)
    if stat is None:
        return replace(plain, expression=str(expression), period=int(member.get("Period") or 60))
    metric = stat["Metric"]
    dimensions = {pair["Name"]: pair["Value"] for pair in metric.get("Dimensions") or ()}
    key = metric_key(metric["Namespace"], metric["MetricName"], dimensions)
    return replace(plain, key=key, statistic=stat["Stat"], period=int(stat["Period"]), unit=stat.get("Unit"))


def check(queries: Sequence[Query]) -> None:
    """Raise ValueError, with a sentence, for a request CloudWatch refuses whatever the data are."""
    if len(queries) > MAX_QUERIES:
        raise ValueError(f"a request takes at most {MAX_QUERIES} queries, got {len(queries)}")
    seen: set[str] = set()
    for query in queries:
        if not _ID.fullmatch(query.id):
            raise ValueError(
                f"the id {query.id!r} must start with a lower-case letter and hold only letters, digits and underscores"
            )
        if query.id in seen:
            raise ValueError(f"the id {query.id!r} is used twice in one request")
        seen.add(query.id)
        check_period(query.period)
        if query.key is not None:
            statistic(query.statistic)
    by_id = {query.id: query for query in queries}
    for query in queries:
        _check_references(query, by_id, ())


def _check_references(query: Query, by_id: Mapping[str, Query], path: tuple[str, ...]) -> None:
    if query.id in path:
        raise MathFault(f"the expressions {' -> '.join([*path, query.id])} refer to each other in a circle")
    if not query.expression:
        return
    for name in sorted(names(query.expression)):
        if name not in by_id:
            raise MathFault(
                f"metric math {query.expression!r} refers to {name!r}, which is no id of this request "
                f"({', '.join(by_id)})"
            )
        _check_references(by_id[name], by_id, (*path, query.id))


class Plan:
    """A request that was checked, in the order in which it is answered: worked out once, for the same ones are asked every minute."""

    def __init__(self, queries: Sequence[Query]) -> None:
        self.queries = tuple(queries)
        self.metrics = [(query.key, query) for query in queries if query.key is not None]
        self.metric_ids = [query.id for _, query in self.metrics]
        self.coarsest = max((query.period for _, query in self.metrics), default=None)
        self.expressions = _inputs_first([query for query in queries if query.key is None])

    def answer(
        self, store: MetricStore, start_for: Callable[[int], int], end: int, reading: Reading = Reading.AS_ZERO
    ) -> dict[str, Points]:
        """The series of every query, by period with data points from `start_for(period)` (inclusive) to `end` (exclusive)."""
        found: dict[str, Points] = {}
        for key, query in self.metrics:
            start = start_for(query.period)
            found[query.id] = store.points(key, query.statistic, query.period, start, end, query.unit)
        for query in self.expressions:
            period = self.coarsest or query.period
            scope = Scope(found, Grid(start_for(period), end, period), self.metric_ids, reading)
            found[query.id] = series_of(query.expression, scope, found)
        return {query.id: found[query.id] for query in self.queries}


def _inputs_first(expressions: Sequence[Query]) -> list[Query]:
    """Expressions in an order in which each stands after those it refers to."""
    by_id = {query.id: query for query in expressions}
    ordered: dict[str, Query] = {}

    def place(query: Query) -> None:
        if query.id in ordered:
            return
        for name in sorted(names(query.expression) & by_id.keys()):
            place(by_id[name])
        ordered[query.id] = query

    for query in expressions:
        place(query)
    return list(ordered.values())


def answer_between(
    store: MetricStore, plan: Plan, start: datetime, end: datetime, reading: Reading = Reading.AS_ZERO
) -> dict[str, Points]:
    """The series of a GetMetricData request: each query's start is rounded down to its own period.

    ValueError where the times are not in order."""
    if start >= end:
        raise ValueError(f"StartTime ({start.isoformat()}) must be before EndTime ({end.isoformat()})")
    last = int(end.timestamp()) + (1 if end.microsecond else 0)
    return plan.answer(store, lambda period: aligned(start, period), last, reading)
