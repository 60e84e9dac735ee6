"""Queues between the parts: what cannot be handled comes again after a pause, and goes to the dead-letter queue in the end."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, slots=True)
class Retries:
    """`pause_seconds` lie between two deliveries (SQS's visibility timeout), of which there are `most`; kept for `retention_seconds`."""

    pause_seconds: int
    most: int
    retention_seconds: int


def retried_queue(
    word: str, name: str, retries: Retries, dead: aws.sqs.Queue, opts: pulumi.ResourceOptions
) -> aws.sqs.Queue:
    """An encrypted queue whose messages end in `dead` when they were delivered in vain too often."""
    return aws.sqs.Queue(
        word,
        name=name,
        message_retention_seconds=retries.retention_seconds,
        visibility_timeout_seconds=retries.pause_seconds,
        redrive_policy=dead.arn.apply(
            lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": retries.most})
        ),
        sqs_managed_sse_enabled=True,
        opts=opts,
    )
