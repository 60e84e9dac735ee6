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
from sluice.core.head import Head
from sluice.core.record import Document, decode, encode
from sluice.core.rollout import Phase
from sluice.core.trail import Archive, Damage, Kept, check_trail
from sluice.sandbox.cloud.faults import Fault, Raise
from sluice.sandbox.triage import ENDPOINT, Example
from tests.acceptance.conftest import Stage, on_stage

TABLE = "sluice-dev"
FIRST = {"pk": {"S": f"E#{ENDPOINT}"}, "sk": {"S": "V#000000001"}}


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
def told(example: Example) -> Told:
    with on_stage(example) as stage:
        stage.up("v1")
        stage.send()
        stage.up("v2")
        stage.until_ended()
        stage.up("v3")
        stage.until_ended()
        assert stage.head.outcome.phase is Phase.ROLLED_BACK
        stage.sandbox.run_until(lambda: False, 3600)
        return found(stage)


@pytest.fixture
def quiet(example: Example) -> Iterator[Stage]:
    """v1 serves: one event, and it is archived."""
    with on_stage(example) as stage:
        stage.up("v1")
        stage.sandbox.run_until(lambda: False, 60)
        yield stage


def found(stage: Stage) -> Told:
    now = int(stage.sandbox.cloud.clock.now().timestamp())
    return Told(table_trail(TABLE, ENDPOINT), archived_trail(bucket(), ENDPOINT), stage.head, now)


def bucket() -> str:
    return archive_bucket_of("sluice-dev-archive")


def test_every_event_reaches_the_archive_as_it_was_written(told: Told) -> None:
    assert len(told.table) > 20, "two whole rollouts"
    assert told.archive.kept == told.table
    assert told.check() == ()


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

    missed = check_trail(ENDPOINT, shorter, forged_head, told.archive, told.now).damages

    assert [damage.seq for damage in missed] == [kept.seq for kept in told.table[-3:]]
    assert check_trail(ENDPOINT, shorter, forged_head, None, told.now).damages == ()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_reordered_events_are_found_and_both_named(told: Told, data: st.DataObject) -> None:
    one, other = data.draw(st.lists(st.sampled_from(told.table), min_size=2, max_size=2, unique_by=lambda k: k.seq))
    table = _with(_with(told.table, one.seq, other.document), other.seq, one.document)

    named = {damage.seq: damage for damage in told.check(table)}

    assert set(named) == {one.seq, other.seq}
    assert named[one.seq].kind == "reordered"
    assert f"stands event {other.seq}" in named[one.seq].sentence


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

    forged = told.check(tuple(table))

    assert [damage.seq for damage in forged] == [kept.seq for kept in told.table if kept.seq >= 5]
    assert "(because, hash)" in forged[0].sentence
    assert "the archive has" in forged[0].sentence


@pytest.mark.parametrize("document", [None, {}, {"seq": 3}, {"seq": float("inf")}])
def test_what_is_no_event_any_more_is_found_and_named(told: Told, document: Document | None) -> None:
    (damage,) = told.check(_with(told.table, 3, document))

    assert damage.seq == 3


def test_a_forged_head_is_found(told: Told) -> None:
    forged = replace(told.head, quarantine=())

    (damage,) = check_trail(ENDPOINT, told.table, forged, told.archive, told.now).damages

    assert damage.sentence == "the head record is not what its events lead to: quarantine differ"


# The same with hands: in the table and in the bucket.


def test_the_archive_is_locked(quiet: Stage) -> None:
    s3 = boto3.client("s3")
    (first, *_) = s3.list_object_versions(Bucket=bucket(), Prefix=f"events/{ENDPOINT}/")["Versions"]

    with pytest.raises(s3.exceptions.ClientError, match="Access ?Denied"):
        s3.delete_object(Bucket=bucket(), Key=first["Key"], VersionId=first["VersionId"])


def test_tampering_in_the_table_is_seen_by_the_stream_even_if_it_is_undone(quiet: Stage) -> None:
    dynamodb = boto3.client("dynamodb")
    item = dynamodb.get_item(TableName=TABLE, Key=FIRST)["Item"]
    dynamodb.delete_item(TableName=TABLE, Key=FIRST)
    quiet.sandbox.run_until(lambda: False, 60)
    dynamodb.put_item(TableName=TABLE, Item=item)
    quiet.sandbox.run_until(lambda: False, 60)

    (damage,) = found(quiet).check()

    assert damage.sentence == "event 1: the stream saw a REMOVE of it; events are only ever added"
    said = quiet.sandbox.cloud.functions.text("sluice-dev-archive")
    assert "event 1 of dev-triage was deleted in the table" in said
    quiet.sandbox.run_until(lambda: False, 120)
    told = [call.params for call in quiet.sandbox.cloud.gate.made("Publish") if call.outcome == "ok"]
    assert [message["Subject"] for message in told] == ['ALARM: "sluice-control/sluice/dev/tampered" in us-east-1']
    assert "`sluice verify` names it" in json.loads(told[0]["Message"])["AlarmDescription"]


def test_writing_over_the_archived_copy_and_deleting_it_are_seen_and_the_first_copy_is_believed(quiet: Stage) -> None:
    s3, key = boto3.client("s3"), f"events/{ENDPOINT}/000000001.json"
    s3.put_object(Bucket=bucket(), Key=key, Body=b"{}", ChecksumAlgorithm="SHA256")
    s3.delete_object(Bucket=bucket(), Key=key)

    over, deleted = found(quiet).check()

    assert "the first one is still there" in over.sentence
    assert "below the delete marker" in deleted.sentence


def test_an_archive_that_cannot_be_written_is_caught_up_with_and_what_is_too_old_goes_to_the_dead_letters(
    example: Example,
) -> None:
    with on_stage(example) as stage:
        slow = Fault(Raise("SlowDown", status=503), function="sluice-dev-archive", operation="PutObject", times=None)
        broken = stage.sandbox.cloud.gate.inject(slow)
        stage.up("v1")
        stage.sandbox.run_until(lambda: False, 3600)
        assert {damage.kind for damage in found(stage).check()} == {"unarchived"}

        stage.sandbox.cloud.gate.faults.remove(broken)
        stage.sandbox.run_until(lambda: False, 300)

        assert found(stage).check() == ()
        assert _dead_letters() == 0

        functions = boto3.client("lambda")
        (mapping,) = functions.list_event_source_mappings(FunctionName="sluice-dev-archive")["EventSourceMappings"]
        assert mapping["MaximumRecordAgeInSeconds"] == 24 * 3600
        functions.update_event_source_mapping(UUID=mapping["UUID"], MaximumRecordAgeInSeconds=300)
        stage.sandbox.cloud.gate.inject(broken)
        stage.up("v2")
        stage.sandbox.run_until(lambda: False, 900)

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


# As typed.


def test_verify_says_what_it_checked_and_names_what_was_altered(quiet: Stage) -> None:
    code, said, _ = typed(f"verify {ENDPOINT}")

    assert code == 0
    assert said == (
        f"{ENDPOINT}: 1 event in an unbroken chain that leads to the stored record; "
        "1 of them equal in the locked archive\n"
    )

    dynamodb = boto3.client("dynamodb")
    item = dynamodb.get_item(TableName=TABLE, Key=FIRST)["Item"]
    item["document"]["S"] = item["document"]["S"].replace("took over", "stole")
    dynamodb.put_item(TableName=TABLE, Item=item)

    code, said, _ = typed(f"verify {ENDPOINT}")
    alone, _, _ = typed(f"verify {ENDPOINT} --no-archive")
    _, lines, _ = typed(f"export {ENDPOINT}")

    assert code == alone == 1
    assert said.splitlines()[0].startswith(
        "event 1: was altered, its content does not match its hash; the archive has adopted by pulumi: took over"
    )
    assert "stole" in json.loads(lines.splitlines()[0])["because"], "an export is what is stored"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("verify dev-triag", "endpoint 'dev-triag' is not known to stack dev (known: dev-triage)"),
        ("export prod/dev-triage", "project 'sluice' and stack 'prod' have no records here"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(quiet: Stage, line: str, sentence: str) -> None:
    code, shown, said = typed(line)

    assert (code, shown) == (2, "")
    assert said.startswith(sentence)


def typed(line: str) -> tuple[int, str, str]:
    from typer.testing import CliRunner

    from sluice.cli.app import app

    ran = CliRunner().invoke(app, line.split(), catch_exceptions=False)
    return ran.exit_code, ran.stdout, ran.stderr
