"""Whether the trail is whole. Every event of a real trail, tampered with in every way: see tests/acceptance/test_audit.py."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.audit import Event, event_hash, record, states
from sluice.core.head import Head
from sluice.core.record import decode, encode
from sluice.core.trail import ARCHIVE_SECONDS, Archive, Kept, Trail, check_trail
from tests.builders import NOW, head

LATER = NOW + ARCHIVE_SECONDS + 60


def trail() -> tuple[tuple[Kept, ...], Head]:
    """Three events: taken over, and two changes of the instance count."""
    made, current, events = None, replace(head(), version=0), []
    for count in (1, 2, 3):
        change = record(made, replace(current, instances=count), "revised", "pulumi", f"{count} instances", NOW, {})
        made = change.head
        events.append(change.event)
    assert made is not None
    return tuple(Kept(event.seq, encode(event)) for event in events), made


TABLE, HEAD = trail()
WHOLE = Archive(TABLE, (), ())


def check(table: tuple[Kept, ...] = TABLE, archive: Archive | None = WHOLE, now: int = LATER) -> Trail:
    return check_trail("shop", table, HEAD, archive, now)


def said(found: Trail) -> list[str]:
    return [damage.sentence for damage in found.damages]


def altered(kept: Kept, **changes: object) -> Kept:
    """With its hash made to match."""
    event = replace(decode(Event, kept.document), **changes)  # type: ignore[arg-type]
    return Kept(kept.seq, encode(replace(event, hash=event_hash(event))))


def test_a_whole_trail_has_nothing_wrong_with_it() -> None:
    assert check() == Trail(3, 3, 0, ())
    assert check(archive=None) == Trail(3, None, 0, ())
    assert check_trail("shop", (), None, None, NOW) == Trail(0, None, 0, ())


def test_a_young_event_is_waited_for_and_an_old_one_is_missed() -> None:
    two = Archive(TABLE[:2], (), ())

    assert check(archive=two, now=NOW + 5) == Trail(3, 2, 1, ())
    assert said(check(archive=two)) == ["event 3: is in the table but never reached the archive"]


def test_a_deleted_event_is_told_with_what_the_archive_has() -> None:
    assert said(check((TABLE[0], TABLE[2]))) == ["event 2: was deleted; the archive has revised by pulumi: 2 instances"]
    assert said(check((TABLE[0], TABLE[2]), None)) == ["event 2: is missing, and the archive does not have it either"]


def test_an_event_whose_hash_was_made_to_match_is_told_from_the_archive_or_else_from_the_chain() -> None:
    forged = altered(TABLE[1], by="somebody")

    assert said(check((TABLE[0], forged, TABLE[2])))[0] == (
        "event 2: was altered and its hash made to match (by, hash); the archive has revised by pulumi: 2 instances"
    )
    assert said(check((TABLE[0], forged, TABLE[2]), None)) == [
        "event 3: does not continue the chain from event 2: one of the two was altered"
    ]
    assert said(check((altered(TABLE[0], previous="1" * 64), *TABLE[1:]), None))[0].startswith(
        "event 1: does not continue the chain from event 0"
    )


def test_what_is_no_event_or_another_one_is_told() -> None:
    flipped = (TABLE[0], Kept(2, {**(TABLE[1].document or {}), "because": "nothing"}), TABLE[2])

    assert "is no event any more" in said(check((TABLE[0], Kept(2, {}), TABLE[2]), None))[0]
    assert said(check(flipped, None)) == ["event 2: was altered, its content does not match its hash"]
    assert said(check((Kept(1, TABLE[1].document), Kept(2, TABLE[0].document), TABLE[2]), None)) == [
        "event 1: in its place stands event 2, so they were reordered",
        "event 2: in its place stands event 1, so they were reordered",
    ]


def test_an_event_of_another_endpoint_is_told() -> None:
    assert said(check((TABLE[0], altered(TABLE[1], endpoint="other"), TABLE[2]), None)) == [
        "event 2: belongs to endpoint 'other'"
    ]


def test_a_damaged_archive_is_told_and_not_believed() -> None:
    unreadable = Archive((TABLE[0], Kept(2, None), TABLE[2]), (), ())
    overwritten = Archive((*TABLE, Kept(2, {})), (3,), ((1, "REMOVE"),))

    assert said(check(archive=unreadable)) == [
        "event 2: its archived copy is damaged: event 2: cannot be read, it was altered"
    ]
    assert [damage.kind for damage in check(archive=overwritten).damages] == ["witnessed", "archive", "archive"]


def test_the_head_must_be_what_the_events_lead_to() -> None:
    assert said(check_trail("shop", TABLE, None, WHOLE, LATER)) == ["the head record is missing"]
    assert said(check_trail("shop", (), replace(HEAD, version=0), None, LATER)) == [
        "there is a head record but no event"
    ]
    assert said(check_trail("shop", TABLE, replace(HEAD, instances=9), WHOLE, LATER)) == [
        "the head record is not what its events lead to: instances differ"
    ]


def test_each_event_is_told_with_the_state_it_led_to() -> None:
    events = [decode(Event, kept.document) for kept in TABLE]

    assert [(event.seq, after.instances) for event, after in states(events)] == [(1, 1), (2, 2), (3, 3)]


def test_a_chain_forged_as_a_whole_leads_nowhere() -> None:
    """Somebody rewrote the first event and its hash, and nothing says so but what the events lead to."""
    forged = (altered(TABLE[0], change={"set": {"a\tb": 1}, "drop": []}),)

    (damage,) = check_trail("shop", forged, replace(HEAD, version=1), None, LATER).damages

    assert damage.sentence.startswith("the events lead to no head record (KeyError: 'a')")
