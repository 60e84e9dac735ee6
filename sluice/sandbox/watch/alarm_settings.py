"""How a moto alarm's settings are read, which ones CloudWatch refuses, and the state an alarm begins with."""

from functools import lru_cache

from moto.cloudwatch.models import Alarm, MetricDataQuery

from sluice.sandbox.watch.assessment import INSUFFICIENT_DATA, MISSING_DATA, OPERATORS, Condition
from sluice.sandbox.watch.queries import Plan, Query, check
from sluice.sandbox.watch.series import MINUTE, check_period, metric_key

MAX_MATH_PARTS = 10
"""A math alarm takes at most this many metrics, and as many expressions."""

FIRST_STATE_REASON = "Unchecked: Initial alarm creation"


@lru_cache(maxsize=1024)
def condition_of(alarm: Alarm) -> Condition:
    points = alarm.datapoints_to_alarm or alarm.evaluation_periods
    return Condition(
        alarm.comparison_operator,
        float(alarm.threshold),
        int(alarm.evaluation_periods),
        int(points),
        alarm.treat_missing_data or "missing",
    )


@lru_cache(maxsize=1024)
def queries_of(alarm: Alarm) -> tuple[Query, ...]:
    """What an alarm watches, as the request it amounts to; the one returned query is the watched series.

    Kept per alarm: moto makes a new one of every PutMetricAlarm."""
    if alarm.metric_data_queries:
        return tuple(_query(member) for member in alarm.metric_data_queries)
    key = metric_key(alarm.namespace, alarm.metric_name, {str(d.name): str(d.value) for d in alarm.dimensions})
    statistic_name = alarm.extended_statistic or alarm.statistic or ""
    return (Query("m1", key, statistic_name, int(alarm.period or MINUTE), alarm.unit),)


@lru_cache(maxsize=1024)
def plan_of(alarm: Alarm) -> Plan:
    return Plan(queries_of(alarm))


@lru_cache(maxsize=1024)
def watched_id(alarm: Alarm) -> str:
    """The id of the watched series."""
    return next(query.id for query in queries_of(alarm) if query.returned)


def _query(member: MetricDataQuery) -> Query:
    returned = member.return_data not in (False, "false")
    if member.metric_stat is None:
        return Query(
            member.id,
            expression=member.expression or "",
            period=int(member.period or MINUTE),
            label=member.label or "",
            returned=returned,
        )
    stat = member.metric_stat
    dimensions = {str(d.name): str(d.value) for d in stat.metric.dimensions}
    key = metric_key(stat.metric.namespace, stat.metric.metric_name, dimensions)
    return Query(member.id, key, stat.stat, int(stat.period), stat.unit, label=member.label or "", returned=returned)


@lru_cache(maxsize=1024)
def period_of(alarm: Alarm) -> int:
    """The period of the watched series: all metrics of a math alarm share it."""
    return next((query.period for query in queries_of(alarm) if query.key is not None), MINUTE)


def check_alarm(alarm: Alarm) -> None:
    """Raise ValueError, with a sentence, for a metric alarm CloudWatch refuses."""
    if alarm.comparison_operator not in OPERATORS:
        raise ValueError(
            f"alarm {alarm.name!r}: comparison {alarm.comparison_operator!r} is not one of {', '.join(OPERATORS)}"
        )
    if (alarm.treat_missing_data or "missing") not in MISSING_DATA:
        raise ValueError(
            f"alarm {alarm.name!r}: TreatMissingData {alarm.treat_missing_data!r} is not one of "
            f"{', '.join(MISSING_DATA)}"
        )
    condition = condition_of(alarm)
    if not 1 <= condition.alarm_points <= condition.periods:
        raise ValueError(
            f"alarm {alarm.name!r}: DatapointsToAlarm ({condition.alarm_points}) must lie in "
            f"1..EvaluationPeriods ({condition.periods})"
        )
    queries = queries_of(alarm)
    check(queries)
    periods = sorted({query.period for query in queries if query.key is not None})
    if len(periods) != 1:
        raise ValueError(f"alarm {alarm.name!r}: all metrics of an alarm share one period, got {periods}")
    check_period(periods[0])
    if periods[0] < 10:
        raise ValueError(
            f"alarm {alarm.name!r}: an alarm's period is 10, 20, 30 or a multiple of 60 seconds, got {periods[0]}"
        )
    if condition.periods * periods[0] > 86_400:
        raise ValueError(f"alarm {alarm.name!r}: EvaluationPeriods times the period must not exceed one day")
    if sum(query.returned for query in queries) != 1:
        raise ValueError(f"alarm {alarm.name!r}: exactly one of its metrics must have ReturnData true")
    metrics = sum(query.key is not None for query in queries)
    if max(metrics, len(queries) - metrics) > MAX_MATH_PARTS:
        raise ValueError(
            f"alarm {alarm.name!r}: a math alarm takes at most {MAX_MATH_PARTS} metrics and as many expressions"
        )


def start_unchecked(alarm: Alarm) -> None:
    """A new alarm has not been looked at yet; moto says OK."""
    alarm.state_value = INSUFFICIENT_DATA
    alarm.state_reason = FIRST_STATE_REASON
    alarm.state_reason_data = ""
    alarm.state_transitioned_timestamp = alarm.state_updated_timestamp  # type: ignore[attr-defined]


def keep_state(alarm: Alarm, former: Alarm) -> None:
    """PutMetricAlarm on an existing alarm overwrites everything but its state."""
    alarm.state_value = former.state_value
    alarm.state_reason = former.state_reason
    alarm.state_reason_data = former.state_reason_data
    alarm.state_updated_timestamp = former.state_updated_timestamp
    alarm.state_transitioned_timestamp = getattr(former, "state_transitioned_timestamp", former.state_updated_timestamp)  # type: ignore[attr-defined]
    alarm.history = former.history
