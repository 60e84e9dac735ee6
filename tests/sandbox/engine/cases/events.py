"""Cases of the tables in `resources.events`."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import EVERY_MINUTE, Case, queue, rule
from tests.sandbox.stacks import client, function, role


def seen_target(identity: str) -> Any:
    (found,) = client("events").list_targets_by_rule(Rule=client("events").list_rules()["Rules"][0]["Name"])["Targets"]
    return found.get("RetryPolicy"), found.get("Input")


def target(**more: Any) -> aws.cloudwatch.EventTarget:
    return aws.cloudwatch.EventTarget("x", rule=rule().name, arn=queue().arn, **more)


def schedule(expression: str) -> aws.scheduler.Schedule:
    target = {"arn": function().arn, "role_arn": role().arn, "retry_policy": {"maximum_retry_attempts": 0}}
    return aws.scheduler.Schedule(
        "x", flexible_time_window={"mode": "OFF"}, schedule_expression=expression, target=target
    )


CASES = (
    Case(
        "aws:cloudwatch/eventBus:EventBus",
        lambda: aws.cloudwatch.EventBus("x"),
        lambda name: client("events").describe_event_bus(Name=name)["Arn"].partition("event-bus/")[2].partition("-")[0],
        ("x", "other"),
        None,
        lambda: aws.cloudwatch.EventBus("x", name="other"),
    ),
    Case(
        "aws:cloudwatch/eventRule:EventRule",
        lambda: aws.cloudwatch.EventRule("x", schedule_expression=EVERY_MINUTE),
        lambda name: client("events").describe_rule(Name=name)["State"],
        ("ENABLED", "DISABLED"),
        lambda: aws.cloudwatch.EventRule("x", schedule_expression=EVERY_MINUTE, state="DISABLED", tags={"a": "1"}),
        lambda: aws.cloudwatch.EventRule("x", name="other", event_pattern=json.dumps({"source": ["aws.cloudwatch"]})),
    ),
    Case(
        "aws:cloudwatch/eventTarget:EventTarget",
        lambda: target(
            retry_policy={"maximum_retry_attempts": 3, "maximum_event_age_in_seconds": 60},
            dead_letter_config={"arn": queue("dead").arn},
        ),
        seen_target,
        (({"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60}, None), (None, "{}")),
        lambda: target(input="{}"),
        lambda: target(target_id="other", input="{}"),
    ),
    Case(
        "aws:scheduler/schedule:Schedule",
        lambda: schedule(EVERY_MINUTE),
        lambda identity: client("scheduler").get_schedule(Name=identity.split("/")[1])["ScheduleExpression"],
        (EVERY_MINUTE, "rate(2 minutes)"),
        lambda: schedule("rate(2 minutes)"),
    ),
)
