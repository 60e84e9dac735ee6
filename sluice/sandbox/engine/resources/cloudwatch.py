"""CloudWatch: alarms, dashboards, log groups."""

from __future__ import annotations

from typing import Any

from sluice.sandbox.engine.kinds import Aws, Call, Change, Gone, Kind, Naming, Part, Step, Tagging
from sluice.sandbox.engine.translate import Rules
from sluice.sandbox.engine.wire import Properties

_ARN = {"ResourceARN": "arn"}
_TAGS = Tagging(Call("TagResource", keys=_ARN), Call("UntagResource", keys=_ARN))
_ACTIONS = ("alarmActions", "okActions", "insufficientDataActions")


def _metric_stats(properties: Properties) -> Properties:
    """Terraform's flat `metric` block is AWS's MetricStat{Metric, Period, Stat, Unit}."""
    queries = properties.get("metricQueries")
    if not isinstance(queries, list):
        return properties
    return {**properties, "metricQueries": [_metric_stat(query) for query in queries]}


def _metric_stat(query: Properties) -> Properties:
    metric = query.get("metric")
    if not isinstance(metric, dict):
        return query
    outside = {name: metric[name] for name in ("period", "stat", "unit") if name in metric}
    inside = {name: value for name, value in metric.items() if name not in outside}
    rest = {name: value for name, value in query.items() if name != "metric"}
    return {**rest, "metricStat": {"metric": inside, **outside}}


def _described(alarm_type: str) -> Step:
    """DescribeAlarms, cut down to the one alarm asked for."""

    def read(aws: Aws, change: Change) -> dict[str, Any]:
        name = change.facts["id"]
        found = aws.call("cloudwatch", "DescribeAlarms", AlarmNames=[name], AlarmTypes=[alarm_type])[f"{alarm_type}s"]
        if not found:
            raise Gone(f"there is no alarm '{name}'")
        return dict(found[0])

    return read


def _delete_alarm(aws: Aws, change: Change) -> dict[str, Any]:
    return aws.call("cloudwatch", "DeleteAlarms", AlarmNames=[change.facts["id"]])


METRIC_ALARM = Kind(
    type="aws:cloudwatch/metricAlarm:MetricAlarm",
    service="cloudwatch",
    create=Call("PutMetricAlarm"),
    read=_described("MetricAlarm"),
    update=Call("PutMetricAlarm"),
    delete=_delete_alarm,
    computed={"arn": "AlarmArn"},
    naming=Naming(longest=255, prefix=""),
    tagging=_TAGS,
    rules=Rules(
        renames={
            "name": "AlarmName",
            "metricQueries": "Metrics",
            "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
        }
    ),
    force_new=("name",),
    defaults={"actionsEnabled": True, "treatMissingData": "missing"},
    unordered=_ACTIONS,
    reshape=_metric_stats,
)


def _suppressor(properties: Properties) -> Properties:
    """Terraform's `actionsSuppressor` block is three parameters."""
    block = properties.get("actionsSuppressor")
    if not isinstance(block, dict):
        return properties
    spelled = {"alarm": "actionsSuppressor"}
    spelled |= {name: f"actionsSuppressor{name[0].upper()}{name[1:]}" for name in block if name != "alarm"}
    rest = {name: value for name, value in properties.items() if name != "actionsSuppressor"}
    return {**rest, **{spelled[name]: value for name, value in block.items()}}


COMPOSITE_ALARM = Kind(
    type="aws:cloudwatch/compositeAlarm:CompositeAlarm",
    service="cloudwatch",
    create=Call("PutCompositeAlarm"),
    read=_described("CompositeAlarm"),
    update=Call("PutCompositeAlarm"),
    delete=_delete_alarm,
    id="{alarmName}",
    computed={"arn": "AlarmArn"},
    tagging=_TAGS,
    force_new=("alarmName", "actionsEnabled"),
    required=("alarmName", "alarmRule"),
    defaults={"actionsEnabled": True},
    unordered=_ACTIONS,
    reshape=_suppressor,
)


def _delete_dashboard(aws: Aws, change: Change) -> dict[str, Any]:
    return aws.call("cloudwatch", "DeleteDashboards", DashboardNames=[change.facts["id"]])


DASHBOARD = Kind(
    type="aws:cloudwatch/dashboard:Dashboard",
    service="cloudwatch",
    create=Call("PutDashboard"),
    read=Call("GetDashboard", keys={"DashboardName": "id"}),
    update=Call("PutDashboard"),
    delete=_delete_dashboard,
    id="{dashboardName}",
    computed={"dashboardArn": "DashboardArn"},
    force_new=("dashboardName",),
    required=("dashboardName", "dashboardBody"),
    documents=("dashboardBody",),
)


def _retain_for(aws: Aws, change: Change) -> dict[str, Any]:
    """0 is Terraform's word for ever."""
    name, days = change.facts["name"], int(change.new.get("retentionInDays", 0))
    if days:
        return aws.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=days)
    return aws.call("logs", "DeleteRetentionPolicy", logGroupName=name) if change.old else {}


def _delete_group(aws: Aws, change: Change) -> dict[str, Any]:
    return (
        {} if change.facts.get("skipDestroy") else aws.call("logs", "DeleteLogGroup", logGroupName=change.facts["id"])
    )


def _describe_group(aws: Aws, change: Change) -> dict[str, Any]:
    name = change.facts["id"]
    groups = aws.call("logs", "DescribeLogGroups", logGroupNamePrefix=name)["logGroups"]
    found = next((group for group in groups if group["logGroupName"] == name), None)
    if found is None:
        raise Gone(f"there is no log group '{name}'")
    return {**found, "arn": found["arn"].removesuffix(":*")}


_LOG_TAGS = {"resourceArn": "arn"}

LOG_GROUP = Kind(
    type="aws:cloudwatch/logGroup:LogGroup",
    service="logs",
    create=Call("CreateLogGroup"),
    read=_describe_group,
    delete=_delete_group,
    parts=(
        Part(("retentionInDays",), put=_retain_for),
        Part(
            ("kmsKeyId",),
            put=Call("AssociateKmsKey", keys={"logGroupName": "name"}),
            clear=Call("DisassociateKmsKey", keys={"logGroupName": "name"}),
            on_create=False,
        ),
        Part(
            ("deletionProtectionEnabled",),
            put=Call("PutLogGroupDeletionProtection", keys={"logGroupIdentifier": "name"}),
            on_create=False,
        ),
    ),
    computed={"arn": "arn"},
    naming=Naming(longest=512),
    tagging=Tagging(Call("TagResource", keys=_LOG_TAGS), Call("UntagResource", keys=_LOG_TAGS)),
    rules=Rules(renames={"name": "logGroupName"}, accepted={"skipDestroy": "tells only the delete what to do"}),
    force_new=("name", "namePrefix", "logGroupClass"),
    defaults={"retentionInDays": 0},
)

KINDS = (METRIC_ALARM, COMPOSITE_ALARM, DASHBOARD, LOG_GROUP)
