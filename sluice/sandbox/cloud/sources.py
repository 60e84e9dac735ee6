"""SQS event source mappings: messages that become visible invoke their function, as Lambda's pollers do.

Decides when a queue is looked at, and what is deleted afterwards. Redrive to a dead-letter queue is moto's, at receive.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from sluice.sandbox.cloud import backends, event_hooks, lambda_hooks
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.cloud.clock import Clock, Entry
from sluice.sandbox.cloud.functions import Outcome, Runtime
from sluice.sandbox.cloud.gate import Gate, Principal
from sluice.sandbox.patches import Undo

POLL = timedelta(seconds=1)
BACKOFF = timedelta(minutes=1)  # after a poll that was refused
_RECEIVE_LIMIT = 10  # messages a ReceiveMessage call returns at most
_POLLER_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A poll the function's role was not allowed to make."""

    at: datetime
    function: str
    error: str


class Sources:
    """Polls a queue only while it holds messages: an empty queue costs nothing, however long the run."""

    def __init__(self, clock: Clock, gate: Gate, runtime: Runtime, place: Place | None = None) -> None:
        self._clock = clock
        self._gate = gate
        self._runtime = runtime
        self._place = place or Place()
        self._planned: dict[str, Entry] = {}
        self._undos: list[Undo] = []
        self._heartbeat: Entry | None = None
        self.refusals: list[Refusal] = []

    def install(self) -> None:
        self._undos = [
            event_hooks.install_queue_watch(lambda queue: self._plan(queue.queue_arn, self._clock.now() + POLL)),
            event_hooks.install_long_polling(self._clock.sleep),
            lambda_hooks.install_mapping_check(self._check),
        ]
        # Mappings enabled, or permissions given, while messages wait are noticed here.
        self._heartbeat = self._clock.every(60, self._look_around, "event source mappings")

    def uninstall(self) -> None:
        while self._undos:
            self._undos.pop()()
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._planned.clear()

    def _check(self, spec: Mapping[str, Any]) -> None:
        """What Lambda checks before it makes a mapping."""
        function = self._runtime.function(spec["FunctionName"])
        queue = backends.queue(self._place, spec["EventSourceArn"])
        if queue is None:
            return
        for action in _POLLER_ACTIONS:
            if not self._runtime.authorizer.decide(function.role, f"sqs:{action}", queue.queue_arn).allowed:
                raise lambda_hooks.lambda_error(
                    "InvalidParameterValueException",
                    f"The provided execution role does not have permissions to call {action} on SQS",
                )
        if queue.visibility_timeout < function.timeout:
            raise lambda_hooks.lambda_error(
                "InvalidParameterValueException",
                f"Queue visibility timeout: {queue.visibility_timeout} seconds is less than "
                f"Function timeout: {function.timeout} seconds",
            )

    def _look_around(self) -> None:
        for mapping in backends.mappings(self._place):
            queue = backends.queue(self._place, mapping.event_source_arn)
            if queue is not None and mapping.enabled and queue._messages and queue.queue_arn not in self._planned:
                self._plan_next(queue)

    def _plan(self, queue_arn: str, when: datetime) -> None:
        planned = self._planned.get(queue_arn)
        if planned is not None:
            if planned.when <= when:
                return
            planned.cancel()
        if any(m.event_source_arn == queue_arn for m in backends.mappings(self._place)):
            self._planned[queue_arn] = self._clock.spawn(when, lambda: self._poll(queue_arn), f"poll of {queue_arn}")

    def _plan_next(self, queue: Any) -> None:
        """Look again when the next message becomes visible, a second from now at the earliest."""
        soonest = self._clock.now() + POLL
        visible = [_visible_from(message) for message in queue._messages]
        if visible:
            self._plan(queue.queue_arn, max(soonest, min(visible)))

    def _poll(self, queue_arn: str) -> None:
        self._planned.pop(queue_arn, None)
        queue = backends.queue(self._place, queue_arn)
        if queue is None:
            return
        for mapping in backends.mappings(self._place):
            if mapping.event_source_arn == queue_arn and mapping.enabled:
                self._poll_for(mapping, queue)

    def _poll_for(self, mapping: Any, queue: Any) -> None:
        if mapping.filter_criteria:
            raise NotImplementedError(f"mapping {mapping.uuid}: FilterCriteria are not evaluated in the sandbox")
        function = self._runtime.find(mapping.function_arn)
        if function is None:
            return
        poller = Principal(function.role, f"mapping:{function.function_name}")
        try:
            with self._gate.acting_as(poller):
                messages = self._receive(queue, mapping.batch_size)
        except (ClientError, BotoCoreError) as error:
            self.refusals.append(Refusal(self._clock.now(), function.function_name, str(error)))
            self._plan(queue.queue_arn, self._clock.now() + BACKOFF)
            return
        self._plan_next(queue)
        if messages:
            body = json.dumps({"Records": [_record(m, queue.queue_arn, self._place) for m in messages]})
            outcome = self._runtime.run(function, body.encode(), mapping.function_arn)
            with self._gate.acting_as(poller):
                self._settle(mapping, queue, messages, outcome)

    def _receive(self, queue: Any, batch_size: int) -> list[dict[str, Any]]:
        url = self._url(queue)
        self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        messages: list[dict[str, Any]] = []
        while len(messages) < batch_size:
            answer = self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(_RECEIVE_LIMIT, batch_size - len(messages)),
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            messages += answer.get("Messages", [])
            if len(answer.get("Messages", [])) < _RECEIVE_LIMIT:
                break
        return messages

    def _settle(self, mapping: Any, queue: Any, messages: list[dict[str, Any]], outcome: Outcome) -> None:
        """Delete what was handled; the rest becomes visible again after the queue's visibility timeout."""
        failed = {m["MessageId"] for m in messages} if outcome.error else _failed(mapping, messages, outcome)
        try:
            for message in messages:
                if message["MessageId"] not in failed:
                    self._sqs.delete_message(QueueUrl=self._url(queue), ReceiptHandle=message["ReceiptHandle"])
        except (ClientError, BotoCoreError) as error:
            self.refusals.append(Refusal(self._clock.now(), mapping.function_arn, str(error)))
        self._plan_next(queue)

    def _url(self, queue: Any) -> str:
        return f"https://sqs.{self._place.region}.amazonaws.com/{self._place.account}/{queue.name}"

    @cached_property
    def _sqs(self) -> Any:
        return boto3.client("sqs", region_name=self._place.region)


def _visible_from(message: Any) -> datetime:
    # moto counts milliseconds, and a message is visible strictly after the instant it names.
    millis = max(message.visible_at, message.delayed_until) + 1
    return datetime.fromtimestamp(millis / 1000, UTC)


def _failed(mapping: Any, messages: list[dict[str, Any]], outcome: Outcome) -> set[str]:
    """The message ids a function reported as failed; a report that names no message of the batch fails all of it."""
    if "ReportBatchItemFailures" not in (mapping.function_response_types or []):
        return set()
    answer = json.loads(outcome.payload)
    ids = {m["MessageId"] for m in messages}
    if not answer:
        return set()
    reported = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    named = {item.get("itemIdentifier") for item in reported or []}
    return named if named <= ids else ids


def _record(message: Mapping[str, Any], queue_arn: str, place: Place) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {name: str(value) for name, value in message.get("Attributes", {}).items()},
        "messageAttributes": {name: _attribute(a) for name, a in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": place.region,
    }


def _attribute(attribute: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "stringValue": attribute.get("StringValue"),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": attribute["DataType"],
    }
