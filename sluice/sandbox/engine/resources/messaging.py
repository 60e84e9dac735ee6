"""SQS queues and SNS topics: things whose settings AWS takes as a map of attributes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sluice.sandbox.engine.kinds import Aws, Call, Change, Kind, Naming, Step, Tagging
from sluice.sandbox.engine.translate import Rules
from sluice.sandbox.engine.wire import Properties

_QUEUE = {
    "delaySeconds": "DelaySeconds",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "fifoQueue": "FifoQueue",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "policy": "Policy",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
}
_TOPIC = {
    "displayName": "DisplayName",
    "policy": "Policy",
    "deliveryPolicy": "DeliveryPolicy",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "fifoTopic": "FifoTopic",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
_SUBSCRIPTION = {
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "deliveryPolicy": "DeliveryPolicy",
}


def _gathered(spelled: Mapping[str, str]) -> Callable[[Properties], Properties]:
    """Settings into one `attributes` map, everything else as it is. False is left out on FIFO switches: AWS wants it so."""

    def reshape(properties: Properties) -> Properties:
        rest = {name: value for name, value in properties.items() if name not in spelled}
        given = {spelled[name]: value for name, value in properties.items() if name in spelled}
        attributes = {name: value for name, value in given.items() if not (name.startswith("Fifo") and value is False)}
        return {**rest, "attributes": attributes} if attributes else rest

    return reshape


def _each(operation: str, arn: str, spelled: Mapping[str, str]) -> Step:
    """SNS sets one attribute a call."""

    def update(aws: Aws, change: Change) -> dict[str, Any]:
        for name in sorted(change.changed & set(spelled)):
            value = change.new.get(name, "")
            text = str(value).lower() if isinstance(value, bool) else str(value)
            where = {arn: change.facts["id"]}
            aws.call("sns", operation, **where, AttributeName=spelled[name], AttributeValue=text)
        return {}

    return update


def _fifo(name: str) -> Callable[[Properties], str]:
    return lambda properties: ".fifo" if properties.get(name) is True else ""


_URL = {"QueueUrl": "id"}

QUEUE = Kind(
    type="aws:sqs/queue:Queue",
    service="sqs",
    create=Call("CreateQueue"),
    read=Call("GetQueueAttributes", keys=_URL, constants={"AttributeNames": ["QueueArn"]}),
    update=Call("SetQueueAttributes", keys=_URL, sends=tuple(_QUEUE)),
    delete=Call("DeleteQueue", keys=_URL),
    id="@QueueUrl",
    computed={"arn": "Attributes.QueueArn"},
    formats={"url": "{id}"},
    naming=Naming(longest=80, suffix=_fifo("fifoQueue")),
    tagging=Tagging(Call("TagQueue", keys=_URL), Call("UntagQueue", keys=_URL)),
    rules=Rules(renames={"name": "QueueName"}),
    force_new=("name", "namePrefix", "fifoQueue"),
    defaults={
        "delaySeconds": 0,
        "maxMessageSize": 262144,
        "messageRetentionSeconds": 345600,
        "receiveWaitTimeSeconds": 0,
        "visibilityTimeoutSeconds": 30,
    },
    cleared={"policy": "", "redrivePolicy": "", "redriveAllowPolicy": "", "kmsMasterKeyId": ""},
    documents=("policy", "redrivePolicy", "redriveAllowPolicy"),
    reshape=_gathered(_QUEUE),
)


def _queue_policy(text: str) -> Step:
    def put(aws: Aws, change: Change) -> dict[str, Any]:
        policy = change.new["policy"] if text else ""
        return aws.call("sqs", "SetQueueAttributes", QueueUrl=change.facts["queueUrl"], Attributes={"Policy": policy})

    return put


QUEUE_POLICY = Kind(
    type="aws:sqs/queuePolicy:QueuePolicy",
    service="sqs",
    create=_queue_policy("given"),
    update=_queue_policy("given"),
    delete=_queue_policy(""),
    id="{queueUrl}",
    force_new=("queueUrl",),
    required=("policy", "queueUrl"),
    documents=("policy",),
    known=("policy", "queueUrl"),
)

_TAGGED = {"ResourceArn": "id"}

TOPIC = Kind(
    type="aws:sns/topic:Topic",
    service="sns",
    create=Call("CreateTopic"),
    read=Call("GetTopicAttributes", keys={"TopicArn": "id"}),
    update=_each("SetTopicAttributes", "TopicArn", _TOPIC),
    delete=Call("DeleteTopic", keys={"TopicArn": "id"}),
    id="@TopicArn",
    computed={"arn": "Attributes.TopicArn", "owner": "Attributes.Owner"},
    naming=Naming(longest=256, suffix=_fifo("fifoTopic")),
    tagging=Tagging(Call("TagResource", keys=_TAGGED), Call("UntagResource", keys=_TAGGED)),
    force_new=("name", "namePrefix", "fifoTopic"),
    documents=("policy", "deliveryPolicy"),
    reshape=_gathered(_TOPIC),
)


def _topic_policy(aws: Aws, change: Change) -> dict[str, Any]:
    arn, policy = change.new["arn"], change.new["policy"]
    return aws.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


def _default_policy(aws: Aws, change: Change) -> dict[str, Any]:
    """A topic has a policy always; taking ours away means AWS's default: the owner alone."""
    arn = change.facts["arn"]
    owner = arn.split(":")[4]
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes"],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    }
    policy = json.dumps({"Version": "2008-10-17", "Statement": [statement]})
    return aws.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


TOPIC_POLICY = Kind(
    type="aws:sns/topicPolicy:TopicPolicy",
    service="sns",
    create=_topic_policy,
    update=_topic_policy,
    delete=_default_policy,
    id="{arn}",
    force_new=("arn",),
    required=("arn", "policy"),
    documents=("policy",),
    known=("arn", "policy"),
)

_SUBSCRIBED = {"SubscriptionArn": "id"}

TOPIC_SUBSCRIPTION = Kind(
    type="aws:sns/topicSubscription:TopicSubscription",
    service="sns",
    create=Call("Subscribe", constants={"ReturnSubscriptionArn": True}),
    read=Call("GetSubscriptionAttributes", keys=_SUBSCRIBED),
    update=_each("SetSubscriptionAttributes", "SubscriptionArn", _SUBSCRIPTION),
    delete=Call("Unsubscribe", keys=_SUBSCRIBED),
    id="@SubscriptionArn",
    computed={"arn": "Attributes.SubscriptionArn", "ownerId": "Attributes.Owner"},
    rules=Rules(
        renames={"topic": "TopicArn"},
        accepted={
            "endpointAutoConfirms": "nobody confirms here",
            "confirmationTimeoutInMinutes": "nobody confirms here",
        },
    ),
    force_new=("topic", "protocol", "endpoint"),
    required=("topic", "protocol", "endpoint"),
    documents=("filterPolicy", "redrivePolicy", "deliveryPolicy"),
    reshape=_gathered(_SUBSCRIPTION),
)

KINDS = (QUEUE, QUEUE_POLICY, TOPIC, TOPIC_POLICY, TOPIC_SUBSCRIPTION)
