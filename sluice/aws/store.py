"""The DynamoDB table: one transaction per change, fenced by the head's version. Leaves deciding what to write to the core.

Keys: pk `E#<endpoint>` with sk `HEAD` (the head record, live rollout inside), `TICK` (heartbeat), `R#<id>` (ended rollouts),
`V#<seq>` (audit events), `L#<digest>` (releases); pk `ENDPOINTS` lists the endpoints. `live` on a head item, present while
something is unfinished, feeds the sparse index of the same name.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from sluice.aws.clients import client
from sluice.core.audit import Change, Event, read_head
from sluice.core.errors import BadInput, StaleRecord, UnknownSchema
from sluice.core.head import Head
from sluice.core.record import Document, canonical, decode, encode
from sluice.core.rollout import Rollout
from sluice.ports import Heartbeat, StoreUnavailable

INDEX = "live"
_ENDPOINTS = "ENDPOINTS"
_LAST_EVENT = 999_999_999
"""The highest number that sorts as text: keys have nine digits."""
_CONFLICT_PAUSES = (0.1, 0.2, 0.4, 0.8, 0.0)
"""Seconds after each try; none after the last. Whoever must take traffic back has no time for more."""
_UNREADABLE = (
    "It was changed by hand or written by another version of Sluice: deploy that version, or restore the record "
    "from the table's point-in-time backup."
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DynamoStore:
    """`sluice.ports.Store` on one table."""

    table: str

    def head(self, endpoint: str) -> Head | None:
        item = self._get(endpoint, "HEAD")
        return self._read(item, endpoint, "HEAD", _head) if item else None

    def commit(self, change: Change) -> None:
        request = {"TransactItems": self._items(change), "ClientRequestToken": change.event.hash[:36]}
        for pause in _CONFLICT_PAUSES:
            try:
                client("dynamodb").transact_write_items(**request)
                return
            except ClientError as fault:
                reasons = {reason.get("Code") for reason in fault.response.get("CancellationReasons", [])}
                if "ConditionalCheckFailed" in reasons:
                    raise StaleRecord(
                        f"endpoint {change.head.endpoint!r}: version {change.expected} is not current any more"
                    ) from None
                if "TransactionConflict" not in reasons:
                    raise StoreUnavailable(f"table {self.table}: {fault}") from fault
                time.sleep(pause)
            except BotoCoreError as fault:
                raise StoreUnavailable(f"table {self.table}: {fault}") from fault
        raise StoreUnavailable(f"table {self.table}: transactions on {change.head.endpoint!r} keep conflicting")

    def heartbeat(self, endpoint: str) -> Heartbeat | None:
        item = self._get(endpoint, "TICK")
        return self._read(item, endpoint, "TICK", _heartbeat) if item else None

    def beat(self, endpoint: str, heartbeat: Heartbeat) -> None:
        item = {**_key(endpoint, "TICK"), "document": {"S": canonical(encode(heartbeat))}}
        _reached(self.table, lambda: client("dynamodb").put_item(TableName=self.table, Item=item))

    def unfinished(self) -> tuple[str, ...]:
        query = {
            "IndexName": INDEX,
            "KeyConditionExpression": "#live = :yes",
            "ExpressionAttributeNames": {"#live": INDEX},
            "ExpressionAttributeValues": {":yes": {"S": "yes"}},
        }
        return tuple(sorted(item["pk"]["S"].removeprefix("E#") for item in self._query(query)))

    def endpoints(self) -> tuple[str, ...]:
        query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": _ENDPOINTS}}}
        return tuple(item["sk"]["S"] for item in self._query(query))

    def events(self, endpoint: str, first: int = 1, last: int | None = None) -> Iterable[Event]:
        query = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": f"E#{endpoint}"},
                ":first": {"S": _event_key(first)},
                ":last": {"S": _event_key(_LAST_EVENT if last is None else last)},
            },
            "ConsistentRead": True,
        }
        for item in self._query(query):
            yield self._read(item, endpoint, item["sk"]["S"], partial(_decoded, Event))

    def ended(self, endpoint: str, rollout_id: str) -> Rollout | None:
        key = f"R#{rollout_id}"
        item = self._get(endpoint, key)
        return self._read(item, endpoint, key, partial(_decoded, Rollout)) if item else None

    def _read(self, item: dict[str, Any], endpoint: str, sort_key: str, reader: Callable[[str], T]) -> T:
        """What is in a record; raises UnknownSchema or BadInput with a sentence that names it."""
        where = f"endpoint {endpoint!r}: record {sort_key} of table {self.table}"
        try:
            return reader(_text(item))
        except UnknownSchema as fault:
            raise UnknownSchema(f"{where}: {fault}") from None
        except BadInput as fault:
            raise BadInput(tuple(f"{where}: {line}. {_UNREADABLE}" for line in fault.faults)) from None

    def _get(self, endpoint: str, sort_key: str) -> dict[str, Any] | None:
        request = {"TableName": self.table, "Key": _key(endpoint, sort_key), "ConsistentRead": True}
        item: dict[str, Any] | None = _reached(self.table, lambda: client("dynamodb").get_item(**request)).get("Item")
        return item

    def _query(self, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            request = {"TableName": self.table, **query, **start}
            page = _reached(self.table, lambda request=request: client("dynamodb").query(**request))  # type: ignore[misc]
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _items(self, change: Change) -> list[dict[str, Any]]:
        endpoint, event = change.head.endpoint, change.event
        items = [self._put_head(change), self._put(endpoint, _event_key(event.seq), event, fresh=True)]
        if change.ended is not None:
            items.append(self._put(endpoint, f"R#{change.ended.id}", change.ended))
        if change.release is not None:
            items.append(self._put(endpoint, f"L#{change.release.digest}", change.release))
        if change.expected == 0:
            registered = {"pk": {"S": _ENDPOINTS}, "sk": {"S": endpoint}}
            items.append({"Put": {"TableName": self.table, "Item": registered}})
        return items

    def _put_head(self, change: Change) -> dict[str, Any]:
        head = change.head
        item = {
            **_key(head.endpoint, "HEAD"),
            "document": {"S": canonical(encode(head))},
            "version": {"N": str(head.version)},
        }
        if head.is_unfinished:
            item[INDEX] = {"S": "yes"}
        put: dict[str, Any] = {"TableName": self.table, "Item": item}
        if change.expected == 0:
            return {"Put": {**put, "ConditionExpression": "attribute_not_exists(pk)"}}
        condition = {
            "ConditionExpression": "#version = :expected",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":expected": {"N": str(change.expected)}},
        }
        return {"Put": {**put, **condition}}

    def _put(self, endpoint: str, sort_key: str, value: object, *, fresh: bool = False) -> dict[str, Any]:
        item = {**_key(endpoint, sort_key), "document": {"S": canonical(encode(value))}}
        put: dict[str, Any] = {"TableName": self.table, "Item": item}
        return {"Put": {**put, "ConditionExpression": "attribute_not_exists(pk)"} if fresh else put}


def _event_key(seq: int) -> str:
    return f"V#{seq:09d}"


def _key(endpoint: str, sort_key: str) -> dict[str, Any]:
    return {"pk": {"S": f"E#{endpoint}"}, "sk": {"S": sort_key}}


@lru_cache(maxsize=8)
def _head(text: str) -> Head:
    """A head is read by every tick and every sweep, and mostly is what it was: equal texts are one (frozen) record."""
    return read_head(_document(text))


@lru_cache(maxsize=8)
def _heartbeat(text: str) -> Heartbeat:
    """Read by every sweep, of which there are several to a tick in a soak."""
    return _decoded(Heartbeat, text)


def _decoded(kind: type[T], text: str) -> T:
    return decode(kind, _document(text))


def _text(item: dict[str, Any]) -> str:
    try:
        return str(item["document"]["S"])
    except (LookupError, TypeError) as fault:
        raise BadInput((f"document: is no JSON text ({type(fault).__name__}: {fault})",)) from None


def _document(text: str) -> Document:
    """The JSON in a text; raises BadInput for anything else, also for what JSON has no word for."""
    try:
        document = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as fault:
        raise BadInput((f"document: is no JSON text ({type(fault).__name__}: {fault})",)) from None
    if not isinstance(document, dict):
        raise BadInput((f"document: must be a mapping, got {type(document).__name__}",))
    return document


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _reached(table: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except (ClientError, BotoCoreError) as fault:
        raise StoreUnavailable(f"table {table}: {fault}") from fault
