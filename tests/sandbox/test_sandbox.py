"""The sandbox's own look at an endpoint's record: what is written, without reading it again after every event of the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sluice.aws.clients import client
from sluice.core.audit import Change, record
from sluice.core.begin import begin
from sluice.sandbox.cloud import backends
from sluice.sandbox.sandbox import Sandbox
from tests.builders import NOW, head, submission


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        client("dynamodb").create_table(
            TableName=made.store.table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        made.store.commit(adopted())
        yield made


def adopted() -> Change:
    return record(None, replace(head(), version=0), "adopted", "pulumi", "took over", NOW, {})


def looks_at_the_table(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    looked: list[str] = []
    text_in: Callable[..., str | None] = backends.text_in
    monkeypatch.setattr(backends, "text_in", lambda *where: (looked.append("look"), text_in(*where))[1])
    return looked


def test_a_record_is_looked_at_again_only_after_some_write(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = looks_at_the_table(monkeypatch)
    first = sandbox.head("shop")
    for _ in range(3):
        sandbox.cloud.clock.run_for(60)
        assert sandbox.head("shop") is first
    assert looked == ["look"]
    client("dynamodb").put_item(TableName=sandbox.store.table, Item={"pk": {"S": "other"}, "sk": {"S": "other"}})

    assert sandbox.head("shop") is first, "another item's write is no reason to read it"
    assert looked == ["look", "look"]


def test_a_record_that_was_written_is_seen_at_once(sandbox: Sandbox) -> None:
    before = sandbox.head("shop")
    change = record(before, begin(before, submission(), NOW).next, "submitted", "pulumi", "v2 was submitted", NOW, {})
    sandbox.store.commit(change)

    assert sandbox.head("shop") == change.head != before


def test_an_endpoint_without_a_record_is_named(sandbox: Sandbox) -> None:
    sandbox.head("shop")

    with pytest.raises(LookupError, match=r"'elsewhere' has no record"):
        sandbox.head("elsewhere")
