"""Cases of the tables in `resources.cloudwatch`."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import Case
from tests.sandbox.stacks import client

QUIET = {"comparison_operator": "GreaterThanThreshold", "evaluation_periods": 2, "threshold": 1.5}
PLAIN = {**QUIET, "metric_name": "Errors", "namespace": "N", "period": 60, "statistic": "Sum"}
WIDGET = {"type": "text", "x": 0, "y": 0, "width": 1, "height": 1, "properties": {"markdown": "a"}}


def math_alarm() -> aws.cloudwatch.MetricAlarm:
    metric = {"metric_name": "Invocations", "namespace": "AWS/SageMaker", "period": 60, "stat": "Sum"}
    dimensions = {"VariantName": "green", "EndpointName": "shop"}
    queries = [
        {"id": "n", "metric": {**metric, "dimensions": dimensions}},
        {"id": "e", "expression": "IF(n > 1, 1, 0)", "return_data": True, "label": "harm"},
    ]
    return aws.cloudwatch.MetricAlarm("x", **QUIET, treat_missing_data="notBreaching", metric_queries=queries)


def seen_alarm(name: str) -> Any:
    (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return [query["Id"] for query in alarm.get("Metrics", [])] or alarm["MetricName"]


def body(widgets: list[Any]) -> str:
    return json.dumps({"widgets": widgets})


CASES = (
    Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        math_alarm,
        seen_alarm,
        (["n", "e"], "Errors"),
        lambda: aws.cloudwatch.MetricAlarm("x", **PLAIN, dimensions={"a": "b"}, tags={"a": "1"}),
        lambda: aws.cloudwatch.MetricAlarm("x", name="other", **PLAIN),
    ),
    Case(
        "aws:cloudwatch/logGroup:LogGroup",
        lambda: aws.cloudwatch.LogGroup("x", retention_in_days=7),
        lambda name: client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"][0].get("retentionInDays"),
        (7, None),
        lambda: aws.cloudwatch.LogGroup("x", tags={"a": "1"}),
        lambda: aws.cloudwatch.LogGroup("x", name="/other"),
    ),
    Case(
        "aws:cloudwatch/dashboard:Dashboard",
        lambda: aws.cloudwatch.Dashboard("x", dashboard_name="d", dashboard_body=body([])),
        lambda name: client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"],
        (body([]), body([WIDGET])),
        lambda: aws.cloudwatch.Dashboard("x", dashboard_name="d", dashboard_body=body([WIDGET])),
        lambda: aws.cloudwatch.Dashboard("x", dashboard_name="other", dashboard_body=body([])),
    ),
)
