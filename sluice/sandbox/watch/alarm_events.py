"""The shape of CloudWatch's "CloudWatch Alarm State Change" event and of the reasons in it.

Source: CloudWatch user guide, "Alarm events and EventBridge", sample events.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from moto.cloudwatch.models import Alarm

from sluice.sandbox.watch.alarm_settings import period_of, queries_of
from sluice.sandbox.watch.assessment import Assessment
from sluice.sandbox.watch.queries import Query

Event = dict[str, Any]


def change_event(alarm: Alarm, before: Event, now: datetime, account: str, region: str) -> Event:
    """The event of a change, `before` being the state it left (from `state_of`, taken before the change)."""
    return {
        "version": "0",
        "id": str(uuid5(NAMESPACE_URL, f"{alarm.alarm_arn}@{now.isoformat()}/{before['value']}>{alarm.state_value}")),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": account,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [alarm.alarm_arn],
        "detail": {
            "alarmName": alarm.name,
            "state": state_of(alarm),
            "previousState": before,
            "configuration": _configuration(alarm),
        },
    }


def state_of(alarm: Alarm) -> Event:
    state = {
        "value": alarm.state_value,
        "reason": alarm.state_reason,
        "timestamp": stamp(alarm.state_updated_timestamp),
    }
    return {**state, "reasonData": alarm.state_reason_data} if alarm.state_reason_data else state


def stamp(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.strftime("%Y-%m-%dT%H:%M:%S.") + f"{aware.microsecond // 1000:03d}+0000"


def clock_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%d/%m/%y %H:%M:%S")


def reason_data(alarm: Alarm, assessment: Assessment, now: datetime) -> dict[str, Any]:
    data: dict[str, Any] = {"version": "1.0", "queryDate": stamp(now)}
    if assessment.points:
        data["startDate"] = stamp(datetime.fromtimestamp(assessment.points[0].second, UTC))
    if not alarm.metric_data_queries:
        data["statistic"] = alarm.extended_statistic or alarm.statistic
    data["period"] = period_of(alarm)
    data["recentDatapoints"] = [point.value for point in assessment.points]
    data["threshold"] = float(alarm.threshold)
    data["evaluatedDatapoints"] = [
        {"timestamp": stamp(datetime.fromtimestamp(point.second, UTC)), "value": point.value}
        for point in reversed(assessment.points)
    ]
    return data


def _configuration(alarm: Alarm) -> dict[str, Any]:
    description = {"description": alarm.description} if alarm.description else {}
    if alarm.rule is not None:
        return {**description, "alarmRule": alarm.rule, "actionsEnabled": alarm.actions_enabled}
    queries = queries_of(alarm)
    if not alarm.metric_data_queries:
        identity = str(uuid5(NAMESPACE_URL, alarm.alarm_arn))  # CloudWatch makes one up too
        return {**description, "metrics": [{**_metric(queries[0]), "id": identity}]}
    return {**description, "metrics": [_metric(query) for query in queries]}


def _metric(query: Query) -> dict[str, Any]:
    labelled = {"label": query.label} if query.label else {}
    if query.key is None:
        return {"id": query.id, "expression": query.expression, **labelled, "returnData": query.returned}
    metric = {
        "namespace": query.key.namespace,
        "name": query.key.name,
        "dimensions": dict(sorted(query.key.dimensions)),
    }
    unit = {"unit": query.unit} if query.unit else {}
    return {
        "id": query.id,
        "metricStat": {"metric": metric, "period": query.period, "stat": query.statistic, **unit},
        **labelled,
        "returnData": query.returned,
    }
