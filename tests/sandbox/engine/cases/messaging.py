"""Cases of the tables in `resources.messaging`."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import PUBLIC, Case, queue
from tests.sandbox.stacks import client, policy


def queue_setting(name: str, attribute: str) -> Any:
    return client("sqs").get_queue_attributes(QueueUrl=name, AttributeNames=["All"])["Attributes"].get(attribute)


def subscription(queue_name: str, **more: Any) -> aws.sns.TopicSubscription:
    topic = aws.sns.Topic("topic")
    return aws.sns.TopicSubscription("x", topic=topic.arn, protocol="sqs", endpoint=queue(queue_name).arn, **more)


CASES = (
    Case(
        "aws:sqs/queue:Queue",
        lambda: aws.sqs.Queue("x"),
        lambda url: queue_setting(url, "VisibilityTimeout"),
        ("30", "99"),
        lambda: aws.sqs.Queue(
            "x",
            visibility_timeout_seconds=99,
            tags={"a": "1"},
            redrive_policy=queue("dead").arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
            ),
        ),
        lambda: aws.sqs.Queue("x", fifo_queue=True),
    ),
    Case(
        "aws:sqs/queuePolicy:QueuePolicy",
        lambda: aws.sqs.QueuePolicy("x", queue_url=queue().url, policy=policy("a", **PUBLIC)),
        lambda url: queue_setting(url, "Policy"),
        (policy("a", **PUBLIC), policy("b", **PUBLIC)),
        lambda: aws.sqs.QueuePolicy("x", queue_url=queue().url, policy=policy("b", **PUBLIC)),
        lambda: aws.sqs.QueuePolicy("x", queue_url=queue("other").url, policy=policy("b", **PUBLIC)),
    ),
    Case(
        "aws:sns/topic:Topic",
        lambda: aws.sns.Topic("x"),
        lambda arn: client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"],
        ("", "d"),
        lambda: aws.sns.Topic("x", display_name="d", tags={"a": "1"}),
        lambda: aws.sns.Topic("x", name="other"),
    ),
    Case(
        "aws:sns/topicPolicy:TopicPolicy",
        lambda: aws.sns.TopicPolicy("x", arn=aws.sns.Topic("topic").arn, policy=policy("a", **PUBLIC)),
        lambda arn: json.loads(client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]),
        (json.loads(policy("a", **PUBLIC)), json.loads(policy("b", **PUBLIC))),
        lambda: aws.sns.TopicPolicy("x", arn=aws.sns.Topic("topic").arn, policy=policy("b", **PUBLIC)),
    ),
    Case(
        "aws:sns/topicSubscription:TopicSubscription",
        lambda: subscription("queue"),
        lambda arn: client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["RawMessageDelivery"],
        ("false", "true"),
        lambda: subscription("queue", raw_message_delivery=True),
        lambda: subscription("other"),
    ),
)
