"""The table's adapter on moto: one transaction per change, fenced by the version."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest

from infra.control_functions import SIZINGS
from sluice.aws.clients import client, once
from sluice.aws.store import _CONFLICT_PAUSES, DynamoStore
from sluice.core.audit import Change, chain_faults, record, replay
from sluice.core.begin import begin
from sluice.core.errors import StaleRecord
from sluice.core.head import Cleanup, Head, Outcome
from sluice.core.rollout import Phase
from sluice.ports import Heartbeat, StoreUnavailable
from tests.builders import NOW, head, submission


@pytest.fixture
def store() -> DynamoStore:
    boto3.client("dynamodb").create_table(
        TableName="sluice",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "live")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "live",
                "KeySchema": [
                    {"AttributeName": "live", "KeyType": "HASH"},
                    {"AttributeName": "pk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return DynamoStore("sluice")


def first() -> Change:
    return record(None, replace(head(), version=0), "adopted", "pulumi", "took over", NOW, {})


def started(before: Head) -> Change:
    return record(
        before, begin(before, submission(), NOW).next, "submitted", "pulumi", "v2 was submitted", NOW, {"a": 1}
    )


def ended(before: Head) -> Change:
    rollout = before.live
    assert rollout is not None
    outcome = Outcome(rollout.id, "v2", rollout.release.digest, "1", Phase.ROLLED_BACK, "over", NOW)
    return record(before, replace(before, live=None, outcome=outcome), "rolled_back", "tick", "over", NOW, {})


def test_what_is_committed_is_what_is_read(store: DynamoStore) -> None:
    change = first()

    store.commit(change)

    assert store.head("shop") == change.head
    assert store.head("elsewhere") is None
    assert store.endpoints() == ("shop",)


def test_a_whole_life_is_kept_with_its_events(store: DynamoStore) -> None:
    one = first()
    two = started(one.head)
    three = ended(two.head)
    for change in (one, two, three):
        store.commit(change)

    events = list(store.events("shop"))

    assert chain_faults(events) == ()
    assert replay(events) == store.head("shop")
    finished = store.ended("shop", two.head.live.id)
    assert finished is not None
    assert finished.phase is Phase.ROLLED_BACK
    assert store.ended("shop", "never") is None


def test_a_change_to_a_record_that_moved_on_is_stale_and_writes_nothing(store: DynamoStore) -> None:
    one = first()
    store.commit(one)
    two = started(one.head)
    store.commit(two)

    with pytest.raises(StaleRecord, match="version 1 is not current any more"):
        store.commit(record(one.head, one.head, "other", "tick", "x", NOW, {}))
    with pytest.raises(StaleRecord):
        store.commit(first())
    assert [event.seq for event in store.events("shop")] == [1, 2]
    assert [event.seq for event in store.events("shop", 2)] == [2]
    assert [event.seq for event in store.events("shop", 1, 1)] == [1]


def test_the_sparse_index_lists_what_is_unfinished(store: DynamoStore) -> None:
    one = first()
    store.commit(one)
    assert store.unfinished() == ()

    two = started(one.head)
    store.commit(two)
    assert store.unfinished() == ("shop",)

    three = ended(two.head)
    store.commit(three)
    assert store.unfinished() == ()

    store.commit(
        record(three.head, replace(three.head, cleanup=Cleanup("green", NOW, None)), "x", "tick", "x", NOW, {})
    )
    assert store.unfinished() == ("shop",)


def test_heartbeats_are_no_events(store: DynamoStore) -> None:
    assert store.heartbeat("shop") is None

    store.beat("shop", Heartbeat(NOW, NOW, "holding", {"blue": 10_000}, "InService"))

    assert store.heartbeat("shop") == Heartbeat(NOW, NOW, "holding", {"blue": 10_000}, "InService")


def test_a_table_that_hangs_is_given_up_while_there_is_time_to_take_traffic_back_without_it() -> None:
    table, call = client("dynamodb").meta.config, once("sagemaker").meta.config
    longest_backoff = 1  # of botocore's standard mode, before the second try

    hangs = table.retries["total_max_attempts"] * table.read_timeout + longest_backoff
    takes_back = call.connect_timeout + call.read_timeout

    assert table.retries["total_max_attempts"] == 2
    assert table.connect_timeout <= table.read_timeout
    assert hangs + takes_back < SIZINGS["alarm"].timeout_seconds
    assert sum(_CONFLICT_PAUSES) + takes_back < SIZINGS["alarm"].timeout_seconds


def test_a_table_that_cannot_be_reached_is_named() -> None:
    gone = DynamoStore("gone")

    with pytest.raises(StoreUnavailable, match="table gone"):
        gone.head("shop")
    with pytest.raises(StoreUnavailable, match="table gone"):
        gone.commit(first())
