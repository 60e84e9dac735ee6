"""The way of an audit event to people and programs: archive function -> outbox -> notify function -> topic and event bus."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.queues import Retries, retried_queue
from infra.resource_names import Names

RETENTION_SECONDS = 4 * 24 * 3600
VISIBILITY_SECONDS = 60
"""The pause between two tries. Lambda refuses less than the function's timeout (30 s)."""
MAX_RECEIVES = 20
"""What could not be sent for 20 minutes goes to the dead-letter queue, whose alarm pages without any of this."""
BATCH = 1
"""A page must not wait for a slow collector or topic that another letter of its batch met."""


@dataclass(frozen=True, slots=True)
class NotificationPath:
    """What others need of the path."""

    topic: aws.sns.Topic
    bus: aws.cloudwatch.EventBus
    outbox: aws.sqs.Queue


def notification_path(names: Names, dead: aws.sqs.Queue, parent: pulumi.Resource) -> NotificationPath:
    """A bus of its own: rules of others on it cannot take our alarms for theirs, and its events need no filter on the stack."""
    opts = pulumi.ResourceOptions(parent=parent)
    topic = aws.sns.Topic("pages", name=names.topic, opts=opts)
    bus = aws.cloudwatch.EventBus("events", name=names.bus, opts=opts)
    retries = Retries(VISIBILITY_SECONDS, MAX_RECEIVES, RETENTION_SECONDS)
    outbox = retried_queue("outbox", names.outbox, retries, dead, opts)
    return NotificationPath(topic, bus, outbox)


def read_outbox(path: NotificationPath, function: aws.lambda_.Function, parent: pulumi.Resource) -> None:
    """Letters are independent: what cannot be sent comes again by itself."""
    aws.lambda_.EventSourceMapping(
        "notify",
        event_source_arn=path.outbox.arn,
        function_name=function.name,
        batch_size=BATCH,
        function_response_types=["ReportBatchItemFailures"],
        opts=pulumi.ResourceOptions(parent=parent),
    )
