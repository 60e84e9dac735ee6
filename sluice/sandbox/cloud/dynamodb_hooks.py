"""Patches of moto's DynamoDB, pinned to 5.2.5: what a stream hands over, and transactions with a memory and without a copy of the table.

What becomes of a stream's records is decided by `streams`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from types import SimpleNamespace
from typing import Any

from sluice.sandbox.patches import Undo, all_of, replaced

TRANSACTION_MEMORY = timedelta(minutes=10)  # how long DynamoDB remembers a ClientRequestToken


def install_stream_watch(written: Callable[[Any, Mapping[str, Any]], None]) -> Undo:
    """written(table, record) after a change went into a table's stream; moto's own nested invocation does not happen."""
    from moto.dynamodb.models.table import StreamShard

    original = StreamShard.add

    @wraps(original)
    def added(shard: Any, old: Any, new: Any) -> None:
        mappings, shard.table.lambda_event_source_mappings = shard.table.lambda_event_source_mappings, {}
        try:
            original(shard, old, new)
        finally:
            shard.table.lambda_event_source_mappings = mappings
        written(shard.table, shard.items[-1].record)

    return replaced(StreamShard, "add", added)


def install_transaction_memory(now: Callable[[], datetime]) -> Undo:
    """TransactWriteItems becomes idempotent by ClientRequestToken for ten minutes, as it is on AWS; moto ignores it."""
    from moto.core.responses import EmptyResult
    from moto.dynamodb.exceptions import DynamodbException
    from moto.dynamodb.responses import DynamoHandler

    original = DynamoHandler.transact_write_items
    done: dict[str, tuple[datetime, str]] = {}

    @wraps(original)
    def once(handler: Any) -> Any:
        token = handler.body.get("ClientRequestToken")
        items = json.dumps(handler.body["TransactItems"], sort_keys=True)
        when, before = done.get(token, (None, None))
        if when is not None and now() - when < TRANSACTION_MEMORY:
            if before != items:
                raise DynamodbException(
                    "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
                    "Request parameters do not match those of the earlier request with this client token.",
                )
            return EmptyResult()
        answer = original(handler)
        if token:
            done[token] = (now(), items)
        return answer

    return replaced(DynamoHandler, "transact_write_items", once)


def install_light_transactions() -> Undo:
    """A transaction keeps what it may have to restore; moto copies the whole table and never frees the copy."""
    from moto.dynamodb import models
    from moto.dynamodb.models.table import Table

    backend = models.DynamoDBBackend
    original = backend.transact_write_items
    under_way: list[Mapping[str, Any]] = []

    def snapshot(value: Any) -> Any:
        if not isinstance(value, Table):
            return copy.deepcopy(value)
        kept: Any = object.__new__(type(value))
        kept.__dict__.update(value.__dict__)
        kept.items = value.items.copy()
        for hash_key, items in value.items.items():
            if isinstance(items, dict):
                kept.items[hash_key] = items.copy()
        for update in under_way:
            _keep_item(models, kept, update)
        if value.stream_shard is not None:
            kept.stream_shard = copy.copy(value.stream_shard)
            kept.stream_shard.items, kept.stream_shard.table = value.stream_shard.items.copy(), kept
        return kept

    @wraps(original)
    def light(store: Any, transact_items: list[dict[str, Any]]) -> Any:
        # Only an Update changes an item in place; what Put and Delete replace stays whole in the snapshot.
        under_way[:] = [item["Update"] for item in transact_items if "Update" in item]
        try:
            return original(store, transact_items)
        finally:
            under_way.clear()

    return all_of(
        replaced(models, "copy", SimpleNamespace(deepcopy=snapshot)),
        replaced(backend, "transact_write_items", light),
    )


def _keep_item(models: Any, table: Any, update: Mapping[str, Any]) -> None:
    """Put a copy of the item an update will change into a table's snapshot."""
    if update["TableName"] not in (table.name, table.table_arn):
        return
    hash_key = models.DynamoType(update["Key"][table.hash_key_attr])
    range_attribute = update["Key"].get(table.range_key_attr) if table.range_key_attr else None
    held = table.items.get(hash_key)
    if range_attribute is not None and held:
        range_key = models.DynamoType(range_attribute)
        if range_key in held:
            held[range_key] = copy.deepcopy(held[range_key])
    elif held is not None and not isinstance(held, dict):
        table.items[hash_key] = copy.deepcopy(held)
