"""Whether the audit trail is whole: chain, gaps, the table against its archive, the head against the events. Names each damage.

The archive is written once and locked, so where both have an event and they differ, the archive is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sluice.core.audit import Event, event_hash, replay
from sluice.core.begin import GENESIS
from sluice.core.errors import SluiceError
from sluice.core.head import Head
from sluice.core.record import Document, canonical, decode, encode

ARCHIVE_SECONDS = 15 * 60
"""How long an event may be on its way to the archive: the stream takes seconds, its retries minutes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One stored copy: the number its key says, and what is in it; None for something that is no document."""

    seq: int
    document: Document | None


@dataclass(frozen=True, slots=True)
class Archive:
    """What the archive holds, oldest copy first. `marked`: events somebody put a delete marker on, above the locked copy.

    `witnessed`: changes of stored events that the stream itself saw (event, MODIFY or REMOVE), also if they were undone.
    """

    kept: tuple[Kept, ...]
    marked: tuple[int, ...]
    witnessed: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing wrong. `seq` is None where it is no event's fault but the head record's."""

    seq: int | None
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Trail:
    """What a check found. `waiting` events are too young to be missed in the archive; `archived` is None without one."""

    events: int
    archived: int | None
    waiting: int
    damages: tuple[Damage, ...]


def check_trail(endpoint: str, table: Sequence[Kept], head: Head | None, archive: Archive | None, now: int) -> Trail:
    """Everything that is wrong with the trail of one endpoint; `archive` None checks the table alone."""
    stored = {kept.seq: kept for kept in table}
    copies = _by_number(archive.kept) if archive else {}
    sound = {seq: event for seq, kept in stored.items() if isinstance(event := read_event(kept, endpoint), Event)}
    last = max([*stored, *copies, head.version if head else 0], default=0)
    damages = [fault for seq in range(1, last + 1) for fault in _damages(endpoint, seq, stored, copies.get(seq, ()))]
    damages += _broken_links(sound)
    waiting = 0
    if archive is not None:
        missing = [event for seq, event in sorted(sound.items()) if seq not in copies]
        waiting = sum(now - event.at < ARCHIVE_SECONDS for event in missing)
        damages += [_unarchived(event) for event in missing if now - event.at >= ARCHIVE_SECONDS]
        damages += [_marked(seq) for seq in archive.marked]
        damages += [_witnessed(seq, what) for seq, what in archive.witnessed]
    if not damages:
        damages += _head_damages(head, [sound[seq] for seq in sorted(sound)])
    ordered = sorted(damages, key=lambda damage: (damage.seq is None, damage.seq or 0))
    return Trail(len(stored), len(copies) if archive else None, waiting, tuple(ordered))


def read_event(kept: Kept, endpoint: str) -> Event | Damage:
    """The event in a copy, or what is wrong with the copy by itself."""
    if kept.document is None:
        return Damage(kept.seq, "unreadable", f"event {kept.seq}: cannot be read, it was altered")
    try:
        event = decode(Event, kept.document, f"event {kept.seq}")
    except SluiceError as fault:
        return Damage(kept.seq, "altered", f"event {kept.seq}: was altered, it is no event any more ({fault})")
    if event_hash(event) != event.hash:
        return Damage(kept.seq, "altered", f"event {kept.seq}: was altered, its content does not match its hash")
    if event.endpoint != endpoint:
        return Damage(kept.seq, "moved", f"event {kept.seq}: belongs to endpoint {event.endpoint!r}")
    if event.seq != kept.seq:
        return Damage(
            kept.seq, "reordered", f"event {kept.seq}: in its place stands event {event.seq}, so they were reordered"
        )
    return event


def _by_number(kept: Sequence[Kept]) -> dict[int, tuple[Kept, ...]]:
    """Copies by number, first written first: what was written over the first copy is not believed."""
    found: dict[int, tuple[Kept, ...]] = {}
    for copy in kept:
        found[copy.seq] = (*found.get(copy.seq, ()), copy)
    return found


def _damages(endpoint: str, seq: int, stored: Mapping[int, Kept], copies: Sequence[Kept]) -> Iterator[Damage]:
    """What is wrong with one event, in the table and in the archive."""
    first = read_event(copies[0], endpoint) if copies else None
    if isinstance(first, Damage):
        yield Damage(seq, "archive", f"event {seq}: its archived copy is damaged: {first.sentence}")
    if any(copy.document != copies[0].document for copy in copies[1:]):
        yield Damage(
            seq,
            "archive",
            f"event {seq}: another text was written over its archived copy; the first one is still there",
        )
    believed = first if isinstance(first, Event) else None
    if seq not in stored:
        yield _deleted(seq, believed)
        return
    found = read_event(stored[seq], endpoint)
    if isinstance(found, Damage):
        yield Damage(seq, found.kind, found.sentence + _really(believed))
    elif believed is not None and found != believed:
        fields = ", ".join(_differing(found, believed))
        yield Damage(
            seq, "altered", f"event {seq}: was altered and its hash made to match ({fields}){_really(believed)}"
        )


def _deleted(seq: int, believed: Event | None) -> Damage:
    if believed is None:
        return Damage(seq, "deleted", f"event {seq}: is missing, and the archive does not have it either")
    return Damage(seq, "deleted", f"event {seq}: was deleted{_really(believed)}")


def _really(believed: Event | None) -> str:
    return f"; the archive has {believed.kind} by {believed.by}: {believed.because}" if believed else ""


def _differing(found: Event, believed: Event) -> list[str]:
    there, here = encode(believed), encode(found)
    return [name for name in there if canonical(there[name]) != canonical(here[name])]


def _broken_links(sound: Mapping[int, Event]) -> Iterator[Damage]:
    """Events that are whole by themselves but do not continue the one before; a gap is told of by itself."""
    for seq, event in sorted(sound.items()):
        before = sound.get(seq - 1)
        expected = GENESIS if seq == 1 else before.hash if before else None
        if expected is not None and event.previous != expected:
            yield Damage(
                seq,
                "chain",
                f"event {seq}: does not continue the chain from event {seq - 1}: one of the two was altered",
            )


def _unarchived(event: Event) -> Damage:
    return Damage(event.seq, "unarchived", f"event {event.seq}: is in the table but never reached the archive")


def _marked(seq: int) -> Damage:
    return Damage(
        seq, "archive", f"event {seq}: somebody deleted its archived copy; the lock kept it below the delete marker"
    )


def _witnessed(seq: int, what: str) -> Damage:
    return Damage(seq, "witnessed", f"event {seq}: the stream saw a {what} of it; events are only ever added")


def _head_damages(head: Head | None, events: Sequence[Event]) -> Iterator[Damage]:
    """The head must be exactly what an unbroken chain leads to."""
    try:
        led = replay(events)
    except (LookupError, TypeError, SluiceError) as fault:
        yield Damage(
            None,
            "head",
            f"the events lead to no head record ({type(fault).__name__}: {fault}): a change in them was altered",
        )
        return
    if led is None and head is None:
        return
    if led is None or head is None:
        yield Damage(
            None, "head", "the head record is missing" if head is None else "there is a head record but no event"
        )
        return
    there, here = encode(led), encode(head)
    fields = [name for name in there if canonical(there[name]) != canonical(here[name])]
    if fields:
        yield Damage(None, "head", f"the head record is not what its events lead to: {', '.join(fields)} differ")
