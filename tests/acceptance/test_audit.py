"""The audit trail on the whole system: archived while it is written, and no stored event can be tampered with unseen."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.aws.trail import archive_bucket_of, archived_trail, table_trail
from sluice.core.audit import Event, event_hash
from sluice.core.record import Document, decode, encode
from sluice.core.rollout import Head, Phase
from sluice.core.trail import Archive, Damage, Kept, check_trail
from sluice.sandbox.cloud.faults import Fault, Raise
from sluice.sandbox.triage import ENDPOINT, Example
from tests.acceptance.conftest import Stage, on_stage

TABLE = "sluice-dev"


@dataclass(frozen=True)
class Told:
    """What an auditor finds after two rollouts, one up and one back."""

    table: tuple[Kept, ...]
    archive: Archive
    head: Head
    now: int

    def check(self, table: tuple[Kept, ...] | None = None, archive: Archive | None = None) -> tuple[Damage, ...]:
        return check_trail(ENDPOINT, table or self.table, self.head, archive or self.archive, self.now).damages


@pytest.fixture(scope="module")
def stage(example: Example) -> Iterator[Stage]:
    with on_stage(example) as made:
        made.up("v1")
        made.send()
        made.up("v2")
        made.until_ended()
        made.up("v3")
        made.until_ended()
        assert made.head.outcome.phase is Phase.ROLLED_BACK
        made.sandbox.run_until(lambda: False, 3600)
        yield made


@pytest.fixture(scope="module")
def told(stage: Stage) -> Told:
    bucket = archive_bucket_of("sluice-dev-archive")
    now = int(stage.sandbox.cloud.clock.now().timestamp())
    return Told(table_trail(TABLE, ENDPOINT), archived_trail(bucket, ENDPOINT), stage.head, now)


def test_every_event_reaches_the_archive_as_it_was_written(told: Told) -> None:
    assert len(told.table) > 20, "two whole rollouts"
    assert told.archive.kept == told.table
    assert told.check() == ()


def test_the_archive_is_locked(stage: Stage) -> None:
    s3, bucket = boto3.client("s3"), archive_bucket_of("sluice-dev-archive")
    (first, *_) = s3.list_object_versions(Bucket=bucket, Prefix=f"events/{ENDPOINT}/")["Versions"]

    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied|locked|Access Denied"):
        s3.delete_object(Bucket=bucket, Key=first["Key"], VersionId=first["VersionId"])


# Tampering with any one event, in every way, is found and named. The stored trail is the sandbox's own.


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_an_altered_event_is_found_and_named(told: Told, data: st.DataObject) -> None:
    """Any field of any event; by somebody who forgets the hash, or makes it match."""
    kept = data.draw(st.sampled_from(told.table))
    event = decode(Event, kept.document)
    forged = encode(_altered(event, data.draw(st.sampled_from([f.name for f in dataclasses.fields(Event)]))))
    if data.draw(st.booleans()):
        forged = encode(replace(decode(Event, forged), hash=event_hash(decode(Event, forged))))
    if forged == kept.document:
        return

    damages = told.check(_with(told.table, kept.seq, forged))

    assert kept.seq in {damage.seq for damage in damages}, forged
    assert all(f"event {kept.seq}" in damage.sentence or damage.seq == kept.seq + 1 for damage in damages)


@pytest.mark.parametrize("archived", [True, False])
def test_any_deleted_event_is_found_and_named(told: Told, archived: bool) -> None:
    for kept in told.table[:-1] if not archived else told.table:
        table = tuple(other for other in told.table if other != kept)
        trail = check_trail(ENDPOINT, table, told.head, told.archive if archived else None, told.now)

        assert [(damage.seq, damage.kind) for damage in trail.damages] == [(kept.seq, "deleted")]


def test_the_newest_events_cut_off_together_with_the_head_are_found_in_the_archive(told: Told) -> None:
    """Without an archive this cannot be seen: a shorter chain is a whole chain. That is what the archive is for."""
    from sluice.core.audit import replay

    shorter = told.table[:-3]
    forged_head = replay(decode(Event, kept.document) for kept in shorter)

    found = check_trail(ENDPOINT, shorter, forged_head, told.archive, told.now).damages

    assert [damage.seq for damage in found] == [kept.seq for kept in told.table[-3:]]
    assert check_trail(ENDPOINT, shorter, forged_head, None, told.now).damages == ()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_reordered_events_are_found_and_both_named(told: Told, data: st.DataObject) -> None:
    one, other = data.draw(st.lists(st.sampled_from(told.table), min_size=2, max_size=2, unique_by=lambda k: k.seq))
    table = _with(_with(told.table, one.seq, other.document), other.seq, one.document)

    found = {damage.seq: damage for damage in told.check(table)}

    assert set(found) == {one.seq, other.seq}
    assert found[one.seq].kind == "reordered"
    assert f"stands event {other.seq}" in found[one.seq].sentence


def test_a_whole_chain_forged_from_one_event_on_is_found_in_the_archive(told: Told) -> None:
    """Somebody who can write the table and knows the code alters one event and makes every hash after it match."""
    table, previous = [], None
    for kept in told.table:
        event = decode(Event, kept.document)
        if kept.seq == 5:
            event = replace(event, because="nothing to see here")
        if kept.seq >= 5:
            event = replace(event, previous=previous or event.previous)
            event = replace(event, hash=event_hash(event))
        previous = event.hash if kept.seq >= 5 else None
        table.append(Kept(kept.seq, encode(event)))

    found = told.check(tuple(table))

    assert [damage.seq for damage in found] == [kept.seq for kept in told.table if kept.seq >= 5]
    assert "(because, hash)" in found[0].sentence
    assert "the archive has" in found[0].sentence


@pytest.mark.parametrize("document", [None, {}, {"seq": 3}, {"seq": float("inf")}])
def test_what_is_no_event_any_more_is_found_and_named(told: Told, document: Document | None) -> None:
    (damage,) = told.check(_with(told.table, 3, document))

    assert damage.seq == 3


def test_a_forged_head_is_found(told: Told) -> None:
    forged = replace(told.head, quarantine=())

    (damage,) = check_trail(ENDPOINT, told.table, forged, told.archive, told.now).damages

    assert damage.sentence == "the head record is not what its events lead to: quarantine differ"


# The same with hands: in the table and in the bucket.


def test_tampering_in_the_table_is_seen_by_the_stream_even_if_it_is_undone(example: Example) -> None:
    with on_stage(example) as stage:
        stage.up("v1")
        stage.sandbox.run_until(lambda: False, 60)
        dynamodb = boto3.client("dynamodb")
        key = {"pk": {"S": f"E#{ENDPOINT}"}, "sk": {"S": "V#000000001"}}
        item = dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
        dynamodb.delete_item(TableName=TABLE, Key=key)
        stage.sandbox.run_until(lambda: False, 60)
        dynamodb.put_item(TableName=TABLE, Item=item)
        stage.sandbox.run_until(lambda: False, 60)

        now = int(stage.sandbox.cloud.clock.now().timestamp())
        archive = archived_trail(archive_bucket_of("sluice-dev-archive"), ENDPOINT)
        (damage,) = check_trail(ENDPOINT, table_trail(TABLE, ENDPOINT), stage.head, archive, now).damages

        assert damage.sentence == "event 1: the stream saw a REMOVE of it; events are only ever added"
        assert "event 1 of dev-triage was deleted in the table" in stage.sandbox.cloud.functions.text(
            "sluice-dev-archive"
        )


def test_writing_over_the_archived_copy_and_deleting_it_are_seen_and_the_first_copy_is_believed(
    stage: Stage, told: Told
) -> None:
    s3, bucket = boto3.client("s3"), archive_bucket_of("sluice-dev-archive")
    s3.put_object(Bucket=bucket, Key=f"events/{ENDPOINT}/000000002.json", Body=b"{}", ChecksumAlgorithm="SHA256")
    s3.delete_object(Bucket=bucket, Key=f"events/{ENDPOINT}/000000004.json")

    damages = told.check(archive=archived_trail(bucket, ENDPOINT))

    assert [damage.seq for damage in damages] == [2, 4]
    assert "the first one is still there" in damages[0].sentence
    assert "below the delete marker" in damages[1].sentence


def test_an_archive_that_cannot_be_written_is_caught_up_with_and_given_up_on_only_after_a_day(example: Example) -> None:
    with on_stage(example) as stage:
        broken = stage.sandbox.cloud.gate.inject(
            Fault(Raise("SlowDown", status=503), function="sluice-dev-archive", operation="PutObject", times=None)
        )
        stage.up("v1")
        stage.sandbox.run_until(lambda: False, 3600)
        bucket = archive_bucket_of("sluice-dev-archive")
        assert archived_trail(bucket, ENDPOINT).kept == ()
        now = int(stage.sandbox.cloud.clock.now().timestamp())
        trail = check_trail(ENDPOINT, table_trail(TABLE, ENDPOINT), stage.head, archived_trail(bucket, ENDPOINT), now)
        assert {damage.kind for damage in trail.damages} == {"unarchived"}

        stage.sandbox.cloud.gate.faults.remove(broken)
        stage.sandbox.run_until(lambda: False, 300)

        assert archived_trail(bucket, ENDPOINT).kept == table_trail(TABLE, ENDPOINT)
        assert _dead_letters() == 0

        stage.sandbox.cloud.gate.inject(broken)
        stage.up("v2")
        stage.sandbox.run_until(lambda: False, 27 * 3600)

        assert _dead_letters() > 0, "and a message there pages"


def _dead_letters() -> int:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="sluice-dev-dead-letter")["QueueUrl"]
    names = ["ApproximateNumberOfMessages"]
    return int(
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]["ApproximateNumberOfMessages"]
    )


def _with(table: tuple[Kept, ...], seq: int, document: Document | None) -> tuple[Kept, ...]:
    return tuple(Kept(kept.seq, document if kept.seq == seq else kept.document) for kept in table)


def _altered(event: Event, name: str) -> Event:
    """The event with one field changed to another value of its type."""
    value: Any = getattr(event, name)
    match value:
        case int():
            other: Any = value + 1
        case str() | None:
            other = f"{value}x"
        case _:
            other = json.loads(json.dumps({**encode(value), "added": 1}))
    return replace(event, **{name: other})
