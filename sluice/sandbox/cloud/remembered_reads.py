"""Reads of DynamoDB that are asked again, with no call in between that may have changed their answer, get the same one.

Decides what a write leaves as it is; pinned to moto 5.2.5 like `hooks`. A table changes by its calls alone.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from sluice.sandbox.cloud import backends
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.patches import Undo, replaced

Params = Mapping[str, Any]
_READS = ("GetItem", "Query")
_EQUAL = re.compile(r"\s*(#?\w+)\s*=\s*(:\w+)(?:\s+AND\s.*)?", re.DOTALL)
"""The beginning of a key condition: an attribute that every item of the answer has with this value."""


def install_remembered_reads(wrote: Callable[[], None]) -> Undo:
    """wrote() after every call that may have changed a table.

    Gates installed after this one see every call, also those answered from memory.
    """
    from botocore.client import BaseClient

    original = BaseClient._make_api_call  # type: ignore[attr-defined]
    known: dict[tuple[str, str, str], bytes] = {}
    asked: dict[tuple[str, str, str], Params] = {}

    def remembering(client: Any, operation: str, params: Params) -> Any:
        if client.meta.service_model.service_name != "dynamodb":
            return original(client, operation, params)
        region: str = client.meta.region_name
        if operation not in _READS:
            written = _Put(params, region) if operation == "PutItem" else None
            for read in [each for each in known if written is None or not written.spares(each[0], asked[each])]:
                del known[read], asked[read]
            try:
                return original(client, operation, params)
            finally:
                wrote()
        read = (operation, region, repr(params))
        if read not in known:
            known[read], asked[read] = pickle.dumps(original(client, operation, params)), deepcopy(params)
        return pickle.loads(known[read])  # noqa: S301  our own bytes

    return replaced(BaseClient, "_make_api_call", remembering)


class _Put:
    """A PutItem that is about to be made: one item comes in the place of another, or of none."""

    def __init__(self, params: Params, region: str) -> None:
        self._table: str = params.get("TableName", "")
        self._item: Mapping[str, Any] = params.get("Item", {})
        self._place = Place(region=region)

    def spares(self, operation: str, read: Params) -> bool:
        """Whether the answer to a read stays as it is."""
        if read.get("TableName") != self._table:
            return False  # one may be a name and the other an ARN
        spared: Callable[[Params], bool] = self._spares_item if operation == "GetItem" else self._spares_query
        return spared(read)

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
