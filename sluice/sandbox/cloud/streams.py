"""DynamoDB streams: records that a mapping's filter lets through invoke its function, in order, as Lambda's pollers do.

Decides when a stream is looked at, what is retried and what is given up; `sources` does the same for queues.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sluice.sandbox.cloud import backends, dynamodb_hooks, lambda_hooks
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.cloud.clock import Clock, Entry
from sluice.sandbox.cloud.functions import Outcome, Runtime
from sluice.sandbox.cloud.gate import Gate, Principal
from sluice.sandbox.patches import Undo

POLL = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=1)
POLLER_ACTIONS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")


@dataclass(slots=True)
class _Reading:
    """How far a mapping has read: the last record done with, and how often the next one has failed."""

    after: str | None = None
    failures: int = 0


@dataclass
class Streams:
    """Polls a stream only after something was written that its mapping wants: an idle table costs nothing."""

    clock: Clock
    gate: Gate
    runtime: Runtime
    place: Place = field(default_factory=Place)
    _readings: dict[str, _Reading] = field(default_factory=dict)
    _planned: dict[str, Entry] = field(default_factory=dict)
    _undos: list[Undo] = field(default_factory=list)

    def install(self) -> None:
        self._undos = [
            dynamodb_hooks.install_stream_watch(self._written),
            lambda_hooks.install_mapping_check(self._check),
        ]

    def uninstall(self) -> None:
        while self._undos:
            self._undos.pop()()
        for planned in self._planned.values():
            planned.cancel()
        self._planned.clear()
        self._readings.clear()

    def _check(self, spec: Mapping[str, Any]) -> None:
        """What Lambda checks before it makes a mapping."""
        arn = str(spec["EventSourceArn"])
        if ":dynamodb:" not in arn:
            return
        role = self.runtime.function(spec["FunctionName"]).role
        for action in POLLER_ACTIONS:
            if not self.runtime.authorizer.decide(role, f"dynamodb:{action}", arn).allowed:
                raise lambda_hooks.lambda_error(
                    "InvalidParameterValueException",
                    f"Cannot access stream {arn}. Please ensure the role can perform the {action} action on the stream.",
                )

    def _written(self, table: Any, record: Mapping[str, Any]) -> None:
        for mapping in self._mappings(table.table_arn):
            if wants(mapping, record):
                self._plan(mapping.uuid, self.clock.now() + POLL)

    def _mappings(self, table_arn: str) -> list[Any]:
        return [m for m in backends.mappings(self.place) if m.event_source_arn.startswith(f"{table_arn}/stream/")]

    def _plan(self, uuid: str, when: datetime) -> None:
        if uuid not in self._planned:
            self._planned[uuid] = self.clock.spawn(when, lambda: self._poll(uuid), f"stream mapping {uuid}")

    def _poll(self, uuid: str) -> None:
        self._planned.pop(uuid, None)
        mapping = next((m for m in backends.mappings(self.place) if m.uuid == uuid), None)
        function = self.runtime.find(mapping.function_arn) if mapping and mapping.enabled else None
        if mapping is None or function is None:
            return
        reading = self._readings.setdefault(uuid, _Reading())
        try:
            with self.gate.acting_as(Principal(function.role, f"mapping:{function.function_name}")):
                records = self._records(mapping.event_source_arn, reading)
        except (ClientError, BotoCoreError):
            self._plan(uuid, self.clock.now() + LONGEST_PAUSE)
            return
        wanted = [record for record in records if wants(mapping, record)]
        batch, rest = wanted[: mapping.batch_size], wanted[mapping.batch_size :]
        if not batch:
            self._advance(reading, records)
            return
        outcome = self.runtime.run(function, json.dumps({"Records": batch}).encode(), mapping.function_arn)
        self._settle(mapping, function, reading, batch, outcome)
        if rest or reading.failures:
            pause = min(POLL * 2 ** min(reading.failures, 6), LONGEST_PAUSE)
            self._plan(uuid, self.clock.now() + pause)

    def _records(self, arn: str, reading: _Reading) -> list[dict[str, Any]]:
        """What came after the last record done with."""
        streams = self._client
        if reading.after is None:
            streams.list_streams(TableName=arn.split("/")[1])  # how the poller finds the stream's place at first
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        where: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if reading.after is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": reading.after}
        iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], **where)["ShardIterator"]
        found = streams.get_records(ShardIterator=iterator)["Records"]
        return [_as_handed_over(record, arn, self.place) for record in found]

    def _settle(
        self, mapping: Any, function: Any, reading: _Reading, batch: list[dict[str, Any]], outcome: Outcome
    ) -> None:
        """Go on after what was handled; a record that has failed too often or is too old goes to the dead-letter queue."""
        failed = _first_failed(mapping, batch, outcome)
        self._advance(reading, batch[:failed])
        reading.failures = 0 if failed == len(batch) else 1 if failed else reading.failures + 1
        if failed < len(batch) and self._is_over(mapping, reading, batch[failed]):
            with self.gate.acting_as(Principal(function.role, function.function_name)):
                self._give_up(mapping, function, batch[failed])
            self._advance(reading, batch[failed : failed + 1])
            reading.failures = 1 if failed + 1 < len(batch) else 0

    def _is_over(self, mapping: Any, reading: _Reading, record: Mapping[str, Any]) -> bool:
        attempts, age = mapping.max_retry_attempts, mapping.max_record_age
        old = self.clock.now().timestamp() - record["dynamodb"]["ApproximateCreationDateTime"]
        return (attempts is not None and 0 <= attempts < reading.failures) or (age is not None and 0 < age < old)

    def _give_up(self, mapping: Any, function: Any, record: Mapping[str, Any]) -> None:
        """What Lambda sends is where the record stood, not the record."""
        target = ((mapping.destination_config or {}).get("OnFailure") or {}).get("Destination")
        if not target:
            return
        number = record["dynamodb"]["SequenceNumber"]
        body = {
            "requestContext": {"functionArn": function.function_arn, "condition": "RetryAttemptsExhausted"},
            "DDBStreamBatchInfo": {
                "streamArn": mapping.event_source_arn,
                "startSequenceNumber": number,
                "batchSize": 1,
            },
        }
        url = f"https://sqs.{self.place.region}.amazonaws.com/{self.place.account}/{target.rpartition(':')[2]}"
        boto3.client("sqs", region_name=self.place.region).send_message(QueueUrl=url, MessageBody=json.dumps(body))

    def _advance(self, reading: _Reading, done: list[dict[str, Any]]) -> None:
        if done:
            reading.after = done[-1]["dynamodb"]["SequenceNumber"]

    @cached_property
    def _client(self) -> Any:
        # botocore would put the account into the host's name, where moto does not look for it.
        plain = Config(account_id_endpoint_mode="disabled")
        return boto3.client("dynamodbstreams", region_name=self.place.region, config=plain)


def wants(mapping: Any, record: Mapping[str, Any]) -> bool:
    """Whether a mapping's filter lets a record through; any of its patterns will do."""
    filters = (mapping.filter_criteria or {}).get("Filters")
    return not filters or any(_matches(json.loads(f["Pattern"]), record) for f in filters)


def _matches(pattern: Any, found: Any) -> bool:
    """Lambda's filter rules, as far as they are used here: nested keys, exact values and prefixes; anything else is an error."""
    if isinstance(pattern, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and _matches(p, found[key]) for key, p in pattern.items()
        )
    return any(_is(rule, found) for rule in pattern)


def _is(rule: Any, found: Any) -> bool:
    if not isinstance(rule, Mapping):
        return bool(rule == found)
    if set(rule) != {"prefix"}:
        raise NotImplementedError(f"filter rule {rule!r}: the sandbox knows exact values and `prefix`")
    return isinstance(found, str) and found.startswith(rule["prefix"])


def _first_failed(mapping: Any, batch: list[dict[str, Any]], outcome: Outcome) -> int:
    """The index of the first record to hand over again; the length of the batch for none."""
    if outcome.error:
        return 0
    answer = json.loads(outcome.payload)
    if "ReportBatchItemFailures" not in (mapping.function_response_types or []) or not answer:
        return len(batch)
    named = {item.get("itemIdentifier") for item in answer.get("batchItemFailures") or []}
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    if not named <= set(numbers):
        return 0
    return min((i for i, number in enumerate(numbers) if number in named), default=len(batch))


def _as_handed_over(record: Mapping[str, Any], arn: str, place: Place) -> dict[str, Any]:
    told = dict(record["dynamodb"])
    told["ApproximateCreationDateTime"] = told["ApproximateCreationDateTime"].timestamp()
    return {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record["eventVersion"],
        "eventSource": "aws:dynamodb",
        "awsRegion": place.region,
        "dynamodb": told,
        "eventSourceARN": arn,
    }
