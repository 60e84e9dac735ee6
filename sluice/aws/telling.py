"""The ways out on AWS: the queue of letters, the topic, the event bus, and marks of what was sent. What is sent: `core.messages`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sluice.aws.clients import client
from sluice.core.actions import Asks
from sluice.core.messages import (
    DETAIL_TYPES,
    MARK_EXPIRES,
    MARK_SECONDS,
    MARKS,
    SOURCE,
    Letter,
    Message,
    Notice,
    letter_text,
)
from sluice.core.record import encode
from sluice.link import Signer, links_of, made

_SUBJECT_CHARACTERS = 100
"""SNS refuses longer subjects, and any that are not ASCII."""


@dataclass(frozen=True, slots=True)
class SqsOutbox:
    """`sluice.notify.Outbox` on one queue."""

    url: str

    def put(self, text: str) -> None:
        client("sqs").send_message(QueueUrl=self.url, MessageBody=text)


@dataclass(frozen=True, slots=True)
class LinkPost:
    """Signed links over a topic of their own, to the address that takes them."""

    topic_arn: str
    url: str
    seconds: int
    signer: Signer

    def send(self, letter: Letter, asks: Asks, notice: Notice) -> None:
        """Sent again they are the same links: their time runs from the event, not from the sending."""
        client("sns").publish(
            TopicArn=self.topic_arn,
            Subject=_subject(notice),
            Message="\n".join(self._lines(letter, asks, notice)),
            MessageAttributes=_attributes(letter, notice),
        )

    def _lines(self, letter: Letter, asks: Asks, notice: Notice) -> Iterator[str]:
        until = letter.event.at + self.seconds
        yield notice.text
        for link in links_of(letter, asks, until):
            yield f"\n{link.action}: {self.url}?token={made(self.signer, link)}"
        yield f"\nGood until {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC, once. Opening a link changes nothing:"
        yield "the page says what would be done and asks for a reason. Whoever holds a link may use it: do not pass it on."


@dataclass(frozen=True, slots=True)
class TopicAndBus:
    """`sluice.notify.Channels`: one SNS topic, one EventBridge bus."""

    topic_arn: str
    bus: str
    links: LinkPost | None = None

    @property
    def sends_links(self) -> bool:
        return self.links is not None

    def offer(self, letter: Letter, asks: Asks, notice: Notice) -> None:
        if self.links is not None:
            self.links.send(letter, asks, notice)

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
        client("sns").publish(
            TopicArn=self.topic_arn,
            Subject=_subject(notice),
            Message=letter_text(letter, notice),
            MessageAttributes=_attributes(letter, notice),
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
        now = int(time.time())
        item = {**_key(endpoint, key), "at": {"N": str(now)}, MARK_EXPIRES: {"N": str(now + MARK_SECONDS)}}
        client("dynamodb").put_item(TableName=self.table, Item=item)


def _subject(notice: Notice) -> str:
    return notice.subject.encode("ascii", "replace").decode()[:_SUBJECT_CHARACTERS]


def _attributes(letter: Letter, notice: Notice) -> dict[str, Any]:
    """For filter policies: a pager subscribes to `severity: page` alone."""
    said = {"severity": notice.severity.value, "endpoint": notice.endpoint, "kind": notice.event.kind}
    if letter.rollout is not None:
        said["rollout"] = letter.rollout.id
    said["dedup"] = notice.dedup
    return {name: {"DataType": "String", "StringValue": value} for name, value in said.items()}


def _key(endpoint: str, key: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"{MARKS}{endpoint}"}, "sk": {"S": key}}
