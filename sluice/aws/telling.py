"""The ways out on AWS: the queue of letters, the topic, the event bus, and marks of what was sent. What is sent: `core.messages`."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from sluice.aws.clients import client
from sluice.core.messages import DETAIL_TYPES, MARKS, SOURCE, Letter, Message, Notice, letter_text
from sluice.core.record import encode

_SUBJECT_CHARACTERS = 100
"""SNS refuses longer subjects, and any that are not ASCII."""


@dataclass(frozen=True, slots=True)
class SqsOutbox:
    """`sluice.notify.Outbox` on one queue."""

    url: str

    def put(self, text: str) -> None:
        client("sqs").send_message(QueueUrl=self.url, MessageBody=text)


@dataclass(frozen=True, slots=True)
class TopicAndBus:
    """`sluice.notify.Channels`: one SNS topic, one EventBridge bus."""

    topic_arn: str
    bus: str

    def publish(self, letter: Letter, message: Message) -> None:
        entry = {
            "EventBusName": self.bus,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPES[type(message)],
            "Detail": json.dumps(encode(message), sort_keys=True),
            "Resources": [self._endpoint_arn(letter.endpoint)],
            "Time": letter.event.at,
        }
        answer = client("events").put_events(Entries=[entry])
        refused = [found for found in answer["Entries"] if found.get("ErrorCode")]
        if refused:  # PutEvents answers 200 all the same
            raise RuntimeError(f"bus {self.bus}: {refused[0]['ErrorCode']}: {refused[0].get('ErrorMessage')}")

    def notify(self, letter: Letter, notice: Notice) -> None:
        """Attributes are for filter policies: a pager subscribes to `severity: page` alone."""
        said = {"severity": notice.severity.value, "endpoint": notice.endpoint, "kind": notice.event.kind}
        if letter.rollout is not None:
            said["rollout"] = letter.rollout.id
        client("sns").publish(
            TopicArn=self.topic_arn,
            Subject=notice.subject.encode("ascii", "replace").decode()[:_SUBJECT_CHARACTERS],
            Message=letter_text(letter, notice),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in {**said, "dedup": notice.dedup}.items()
            },
        )

    def _endpoint_arn(self, endpoint: str) -> str:
        """In the topic's partition, region and account, which are the control plane's."""
        _, partition, _, region, account, _ = self.topic_arn.split(":")
        return f"arn:{partition}:sagemaker:{region}:{account}:endpoint/{endpoint.lower()}"


@dataclass(frozen=True, slots=True)
class Marks:
    """`sluice.notify.Memory`: an item for everything that was sent, beside the records, under keys of its own."""

    table: str

    def has(self, endpoint: str, key: str) -> bool:
        found = client("dynamodb").get_item(TableName=self.table, Key=_key(endpoint, key), ConsistentRead=True)
        return "Item" in found

    def keep(self, endpoint: str, key: str) -> None:
        item = {**_key(endpoint, key), "at": {"N": str(int(time.time()))}}
        client("dynamodb").put_item(TableName=self.table, Item=item)


def _key(endpoint: str, key: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"{MARKS}{endpoint}"}, "sk": {"S": key}}
