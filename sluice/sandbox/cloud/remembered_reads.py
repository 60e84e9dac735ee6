"""Reads of DynamoDB that are asked again, with no call in between that may have changed their answer, get the same one.

Decides what a write leaves as it is; pinned to moto 5.2.5. A table changes by its calls alone.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from sluice.sandbox.cloud import backends
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.patches import Undo, all_of, replaced, told_after

Params = Mapping[str, Any]
_READS = ("GetItem", "Query")
_WHOLE = {"TableName", "Key", "ConsistentRead"}
"""Parameters of a GetItem that gives the item as it is."""
_EQUAL = re.compile(r"\s*(#?\w+)\s*=\s*(:\w+)(?:\s+AND\s.*)?", re.DOTALL)
"""The beginning of a key condition: an attribute that every item of the answer has with this value."""


def install_remembered_reads(wrote: Callable[[], None]) -> Undo:
    """wrote() after every call that may have changed a table, also one that reaches moto by another way than boto3's: the server's.

    Gates installed after this one see every call, also those answered from memory.
    """
    from botocore.client import BaseClient
    from moto.dynamodb.responses import DynamoHandler

    original = BaseClient._make_api_call  # type: ignore[attr-defined]
    known: dict[Read, _Known] = {}

    def remembering(client: Any, operation: str, params: Params) -> Any:
        if client.meta.service_model.service_name != "dynamodb":
            return original(client, operation, params)
        region: str = client.meta.region_name
        if operation in _READS:
            read = (operation, region, repr(params))
            if read not in known:
                known[read] = _Known(deepcopy(params), pickle.dumps(original(client, operation, params)))
            return pickle.loads(known[read].answer)  # noqa: S301  our own bytes
        written = _Put(params, region) if operation == "PutItem" else None
        after = {read: now for read, was in known.items() if written and (now := written.leaves(read[0], was))}
        answer = original(client, operation, params)  # on its way there everything is forgotten
        known.update(after)
        return answer

    def forgetting(response: Any) -> None:
        if response._get_action() not in _READS:
            known.clear()
            wrote()

    return all_of(
        replaced(BaseClient, "_make_api_call", remembering), told_after(DynamoHandler, "call_action", forgetting)
    )


Read = tuple[str, str, str]
"""Operation, region, and the parameters as text."""


class _Known(NamedTuple):
    """What was asked, and the answer, pickled."""

    asked: Params
    answer: bytes


class _Put:
    """A PutItem that is about to be made: one item comes in the place of another, or of none."""

    def __init__(self, params: Params, region: str) -> None:
        self._table: str = params.get("TableName", "")
        self._item: Mapping[str, Any] = params.get("Item", {})
        self._place = Place(region=region)

    def leaves(self, operation: str, was: _Known) -> _Known | None:
        """What is known of a read once it is made; None where it has to be asked again."""
        return was if self._spares(operation, was.asked) else self._tells(operation, was)

    def _spares(self, operation: str, read: Params) -> bool:
        """Whether the answer to a read stays as it is."""
        if read.get("TableName") != self._table:
            return False  # one may be a name and the other an ARN
        spared: Callable[[Params], bool] = self._spares_item if operation == "GetItem" else self._spares_query
        return spared(read)

    def _tells(self, operation: str, was: _Known) -> _Known | None:
        """What a read of this very item comes to once it is there, if it is of texts alone, which come back as they went in."""
        if operation != "GetItem" or was.asked.get("TableName") != self._table or self._spares_item(was.asked):
            return None
        if not was.asked.keys() <= _WHOLE or not all(_is_text(value) for value in self._item.values()):
            return None
        answer = pickle.loads(was.answer)  # noqa: S301  our own bytes
        return _Known(was.asked, pickle.dumps({**answer, "Item": dict(self._item)}))

    def _spares_item(self, got: Params) -> bool:
        """An item of another key."""
        return any(self._item.get(name) != value for name, value in got.get("Key", {}).items())

    def _spares_query(self, query: Params) -> bool:
        """Neither what comes nor what goes has the value that is asked for: it is in another partition, or not in the index."""
        condition = _EQUAL.fullmatch(query.get("KeyConditionExpression", ""))
        if condition is None:
            return False
        name = query.get("ExpressionAttributeNames", {}).get(condition[1], condition[1])
        value = query.get("ExpressionAttributeValues", {}).get(condition[2])
        before = backends.item_like(self._place, self._table, self._item)
        return before is not None and value not in (self._item.get(name), before.get(name))


def _is_text(value: Any) -> bool:
    return isinstance(value, Mapping) and list(value) == ["S"]
