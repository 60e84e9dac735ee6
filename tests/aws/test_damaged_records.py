"""Records that somebody changed, that were cut short, or that another version wrote: a sentence that names endpoint and record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from sluice.aws.store import DynamoStore
from sluice.core.audit import record
from sluice.core.begin import begin
from sluice.core.errors import BadInput, StaleRecord, UnknownSchema
from sluice.core.record import canonical, encode
from sluice.ports import Heartbeat
from tests.builders import NOW, head, submission

WHAT_TO_DO = (
    "It was changed by hand or written by another version of Sluice: deploy that version, or restore the record "
    "from the table's point-in-time backup."
)
Read = Callable[[DynamoStore], Any]


@pytest.fixture
def store() -> DynamoStore:
    """A table with one of each record: head, heartbeat, event, ended rollout."""
    key = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    boto3.client("dynamodb").create_table(
        TableName="sluice",
        KeySchema=key,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    store = DynamoStore("sluice")
    first = record(None, replace(head(), version=0), "adopted", "pulumi", "took over", NOW, {})
    store.commit(first)
    live = begin(first.head, submission(), NOW).next.live
    write(store, "R#shop-1", canonical(encode(live)))
    store.beat("shop", Heartbeat(NOW, NOW, "holding", {"blue": 10_000}, "InService"))
    return store


def write(store: DynamoStore, sort_key: str, text: str) -> None:
    key = {"pk": {"S": "E#shop"}, "sk": {"S": sort_key}}
    boto3.client("dynamodb").put_item(TableName=store.table, Item={**key, "document": {"S": text}})


def text_of(store: DynamoStore, sort_key: str) -> str:
    key = {"pk": {"S": "E#shop"}, "sk": {"S": sort_key}}
    item = boto3.client("dynamodb").get_item(TableName=store.table, Key=key)["Item"]
    return str(item["document"]["S"])


RECORDS = [
    pytest.param("HEAD", lambda store: store.head("shop"), id="head"),
    pytest.param("TICK", lambda store: store.heartbeat("shop"), id="heartbeat"),
    pytest.param("V#000000001", lambda store: list(store.events("shop")), id="event"),
    pytest.param("R#shop-1", lambda store: store.ended("shop", "shop-1"), id="ended-rollout"),
]


def faults(store: DynamoStore, read: Read) -> tuple[str, ...]:
    with pytest.raises(BadInput) as refused:
        read(store)
    return refused.value.faults


@pytest.mark.parametrize(("key", "read"), RECORDS)
def test_a_record_as_it_was_written_is_read(store: DynamoStore, key: str, read: Read) -> None:
    assert text_of(store, key)
    assert read(store)


@pytest.mark.parametrize(("key", "read"), RECORDS)
def test_a_record_that_was_cut_short_is_named(store: DynamoStore, key: str, read: Read) -> None:
    write(store, key, text_of(store, key)[:40])

    (sentence,) = faults(store, read)

    assert sentence.startswith(
        f"endpoint 'shop': record {key} of table sluice: document: is no JSON text (JSONDecodeError: "
    )
    assert sentence.endswith(WHAT_TO_DO)


@pytest.mark.parametrize(("key", "read"), RECORDS)
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "must be a mapping, got list"),
        ("null", "must be a mapping, got NoneType"),
        ('{"at": NaN}', "is no JSON text (ValueError: NaN is no JSON)"),
        ("", "is no JSON text (JSONDecodeError: Expecting value: line 1 column 1 (char 0))"),
    ],
)
def test_a_record_that_is_no_document_is_named(store: DynamoStore, key: str, read: Read, text: str, fault: str) -> None:
    write(store, key, text)

    assert faults(store, read) == (f"endpoint 'shop': record {key} of table sluice: document: {fault}. {WHAT_TO_DO}",)


def test_a_record_nested_without_end_is_named(store: DynamoStore) -> None:
    write(store, "TICK", "[" * 100_000)

    (sentence,) = faults(store, lambda store: store.heartbeat("shop"))

    assert sentence.startswith(
        "endpoint 'shop': record TICK of table sluice: document: is no JSON text (RecursionError"
    )


@pytest.mark.parametrize("item", [{}, {"document": {"N": "1"}}, {"document": {"NULL": True}}])
def test_an_item_without_its_document_is_named(store: DynamoStore, item: dict[str, Any]) -> None:
    key = {"pk": {"S": "E#shop"}, "sk": {"S": "HEAD"}}
    boto3.client("dynamodb").put_item(TableName=store.table, Item={**key, **item})

    (sentence,) = faults(store, lambda store: store.head("shop"))

    assert sentence.startswith("endpoint 'shop': record HEAD of table sluice: document: is no JSON text (KeyError")


@pytest.mark.parametrize(("key", "read"), RECORDS)
def test_a_key_that_this_version_does_not_know_is_named(store: DynamoStore, key: str, read: Read) -> None:
    write(store, key, json.dumps({**json.loads(text_of(store, key)), "mood": "fine"}))

    (sentence,) = faults(store, read)

    assert sentence.startswith(f"endpoint 'shop': record {key} of table sluice: ")
    assert sentence.endswith(f".mood: unknown key. {WHAT_TO_DO}")


@pytest.mark.parametrize(("key", "read"), RECORDS)
def test_every_missing_key_is_named(store: DynamoStore, key: str, read: Read) -> None:
    document = json.loads(text_of(store, key))
    kept = {"schema": document["schema"]} if "schema" in document else {}
    write(store, key, json.dumps(kept))

    found = faults(store, read)

    assert len(found) == len(document) - len(kept)
    assert all(f": missing. {WHAT_TO_DO}" in sentence for sentence in found)


def test_a_head_of_another_schema_version_says_which_code_reads_it(store: DynamoStore) -> None:
    write(store, "HEAD", json.dumps({**json.loads(text_of(store, "HEAD")), "schema": 9, "mood": "fine"}))

    with pytest.raises(UnknownSchema) as refused:
        store.head("shop")

    assert str(refused.value) == (
        "endpoint 'shop': record HEAD of table sluice: the record of endpoint 'shop' has schema 9; this code reads 1. "
        "Deploy the control plane version that wrote it, or newer."
    )


def test_a_damaged_head_is_not_written_over(store: DynamoStore) -> None:
    known = store.head("shop")
    assert known is not None
    write(store, "HEAD", "{")

    with pytest.raises(StaleRecord):
        store.commit(record(known, known, "changed", "tick", "x", NOW, {}))

    assert text_of(store, "HEAD") == "{"
