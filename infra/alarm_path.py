"""The way of an alarm to the function that takes traffic back: rule -> queue -> function, with a dead-letter queue that pages."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.control_functions import SIZINGS
from infra.iam_documents import text
from infra.queues import Retries, retried_queue
from infra.resource_names import Names
from infra.serving_permissions import queue_document
from sluice.schema import StackSpec

RETENTION_SECONDS = 14 * 24 * 3600
"""SQS's longest."""
VISIBILITY_SECONDS = 12
"""How long a failed delivery is invisible, so the pause until the next one. Lambda refuses less than the function's timeout (10 s)."""
MAX_RECEIVES = 1000
"""SQS's highest: 1000 deliveries 12 s apart are 200 minutes. An endpoint that is busy for an hour uses 300 of them."""


def alarm_pattern(prefixes: tuple[str, ...], watched: tuple[str, ...]) -> str:
    """Alarms of slots by prefix (it ends in `/`: `shop` does not match `shop-dev`), and alarms a policy lists, by exact name.

    Only ALARM: when an alarm goes back to OK nothing happens, a latch stays.
    """
    return json.dumps(
        {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {
                "alarmName": [*({"prefix": prefix} for prefix in prefixes), *watched],
                "state": {"value": ["ALARM"]},
            },
        }
    )


def dead_letter_queue(names: Names, parent: pulumi.Resource) -> aws.sqs.Queue:
    """For whatever could not be handed over: alarms, archived events, notices. Its alarm pages by itself."""
    return aws.sqs.Queue(
        "dead-letter",
        name=names.dead_letter_queue,
        message_retention_seconds=RETENTION_SECONDS,
        sqs_managed_sse_enabled=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def alarm_path(
    names: Names, spec: StackSpec, function: aws.lambda_.Function, dead: aws.sqs.Queue, parent: pulumi.Resource
) -> None:
    """Straight to Lambda a failed attempt would be tried twice more and then be lost; through SQS it comes again until it succeeds.

    Where other stacks' endpoints are served, rules of theirs may send too, by name: for alarms that only their policies list.
    """
    opts = pulumi.ResourceOptions(parent=parent)
    retries = Retries(VISIBILITY_SECONDS, MAX_RECEIVES, RETENTION_SECONDS)
    queue = retried_queue("alarm", names.alarm_queue, retries, dead, opts)
    _route(names, spec, queue, dead, parent)
    aws.lambda_.EventSourceMapping(
        "alarm",
        event_source_arn=queue.arn,
        function_name=function.name,
        batch_size=1,  # an alarm must not wait for, or fail with, another one
        function_response_types=["ReportBatchItemFailures"],
        # As many as are reserved: what Lambda would throttle still counts as a delivery.
        scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=SIZINGS["alarm"].reserved),
        opts=opts,
    )


def watched_alarms(spec: StackSpec) -> tuple[str, ...]:
    """Alarms that are not ours but that a policy listens to, by exact name."""
    return tuple(sorted({alarm for endpoint in spec.endpoints for alarm in endpoint.policy.alarms}))


def _route(names: Names, spec: StackSpec, queue: aws.sqs.Queue, dead: aws.sqs.Queue, parent: pulumi.Resource) -> None:
    """The rule and its target. Nothing is sent before both queues let the rule in."""
    opts = pulumi.ResourceOptions(parent=parent)
    rule = aws.cloudwatch.EventRule(
        "alarm",
        name=names.alarm_rule,
        event_pattern=alarm_pattern((names.alarm_prefix,), watched_alarms(spec)),
        state="ENABLED",
        opts=opts,
    )
    sources = [names.rule_arn(names.alarm_rule), *([names.rule_arn(names.listening_rules)] if spec.reach else [])]
    doors = [
        aws.sqs.QueuePolicy(
            "alarm",
            queue_url=queue.url,
            policy=text(queue_document("AlarmRule", names.alarm_queue_arn, sources)),
            opts=opts,
        ),
        aws.sqs.QueuePolicy(
            "dead-letter",
            queue_url=dead.url,
            policy=text(queue_document("UndeliveredAlarms", names.dead_letter_queue_arn, sources)),
            opts=opts,
        ),
    ]
    aws.cloudwatch.EventTarget(
        "alarm",
        rule=rule.name,
        arn=queue.arn,
        dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=dead.arn),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=doors),
    )
