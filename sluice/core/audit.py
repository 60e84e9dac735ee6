"""The audit trail: one event per change, chained by hash, holding the difference it made, so that replaying gives the state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sluice.core.begin import GENESIS
from sluice.core.errors import UnknownSchema
from sluice.core.head import Head
from sluice.core.record import Document, decode, difference, digest, encode, patched
from sluice.core.release import Release
from sluice.core.rollout import SCHEMA, Rollout
from sluice.core.standing import STANDING, standing

NOTICES = "notices"
"""The key among an event's facts for what people are told of it."""
_OUTSIDE_THE_DIFFERENCE = ("version", "chain")
"""They follow from the event itself: its sequence number and its hash."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `seq` counts from 1 without gaps; `hash` covers everything else, including the hash before."""

    endpoint: str
    seq: int
    at: int
    kind: str
    by: str
    because: str
    rollout: str | None
    facts: Mapping[str, Any]
    change: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction writes: the new head (if still at `expected`), its event, and what became permanent with it."""

    expected: int
    head: Head
    event: Event
    ended: Rollout | None
    release: Release | None


def record(
    before: Head | None, after: Head, kind: str, by: str, because: str, at: int, facts: Mapping[str, Any]
) -> Change:
    """The change from `before` (None: the endpoint was unknown) to `after`, sealed onto the chain.

    Beside the facts given, an event of a rollout says how the rollout stands now, so that it can be told without the events before.
    """
    seq = (before.version if before else 0) + 1
    rollout = after.live or (before.live if before else None)
    stands = standing(before, after)
    event = Event(
        endpoint=after.endpoint,
        seq=seq,
        at=at,
        kind=kind,
        by=by,
        because=because,
        rollout=rollout.id if rollout else None,
        facts={**facts, STANDING: encode(stands)} if stands else facts,
        change=difference(_body(before) if before else {}, _body(after)),
        previous=before.chain if before else GENESIS,
        hash="",
    )
    event = replace(event, hash=event_hash(event))
    started = after.live is not None and (before is None or before.live is None)
    ended = before.live if before is not None and before.live is not None and after.live is None else None
    return Change(
        expected=seq - 1,
        head=replace(after, version=seq, chain=event.hash),
        event=event,
        ended=replace(ended, phase=after.outcome.phase, because=because) if ended and after.outcome else None,
        release=after.live.release if started and after.live else None,
    )


def event_hash(event: Event) -> str:
    """SHA-256 over the event without its own hash."""
    document = encode(event)
    del document["hash"]
    return digest(document)


def chain_faults(events: Iterable[Event]) -> tuple[str, ...]:
    """Every break in a chain read from its start: altered, missing or reordered events."""
    faults, previous, seq = [], GENESIS, 0
    for event in events:
        if event.seq != seq + 1:
            faults.append(f"event {event.seq}: follows event {seq}, so {seq + 1} is missing or out of order")
        elif event.previous != previous:
            faults.append(f"event {event.seq}: does not continue the chain from event {seq}")
        if event_hash(event) != event.hash:
            faults.append(f"event {event.seq}: was altered, its content does not match its hash")
        previous, seq = event.hash, event.seq
    return tuple(faults)


def replay(events: Iterable[Event]) -> Head | None:
    """The head record that the events lead to; None for no events."""
    body: Document = {}
    last: Event | None = None
    for event in events:
        body = patched(body, dict(event.change))
        last = event
    if last is None:
        return None
    return read_head({**body, "version": last.seq, "chain": last.hash})


def states(events: Iterable[Event]) -> Iterator[tuple[Event, Head]]:
    """Each event of a chain read from its start, with the head record it led to."""
    body: Document = {}
    for event in events:
        body = patched(body, dict(event.change))
        yield event, read_head({**body, "version": event.seq, "chain": event.hash})


def read_head(document: Document) -> Head:
    """A stored head record; raises UnknownSchema for a version this code does not know."""
    if document.get("schema") != SCHEMA:
        raise UnknownSchema(
            f"the record of endpoint {document.get('endpoint')!r} has schema {document.get('schema')!r}; this code reads {SCHEMA}. "
            "Deploy the control plane version that wrote it, or newer."
        )
    return decode(Head, document, "head")


def _body(head: Head) -> Document:
    document: Document = encode(head)
    return {key: value for key, value in document.items() if key not in _OUTSIDE_THE_DIFFERENCE}
