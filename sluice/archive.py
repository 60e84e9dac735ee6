"""Keeping audit events where nobody can change them: one locked object an event, as the table's stream tells of it.

An event is only ever added. A stream that tells of a change or a removal tells of tampering: the evidence is kept too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

ADDED = "INSERT"
"""The stream's word for a new item."""
_WORDS = {"MODIFY": "changed", "REMOVE": "deleted"}


class Shelf(Protocol):
    """Where events are kept. What is written once stays as it is."""

    def put(self, key: str, text: str) -> bool:
        """Write unless something is there; whether it was written."""

    def get(self, key: str) -> str: ...


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """What the stream tells of one event: its endpoint and number, what happened, the new text (None: removed)."""

    position: str
    endpoint: str
    seq: int
    happened: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Archived:
    """What became of a batch. `new` events were not in the archive before; `failed` is where to begin again, all before it is kept."""

    new: tuple[str, ...]
    tampered: tuple[str, ...]
    failed: str | None
    fault: Exception | None


def event_object(endpoint: str, seq: int) -> str:
    """The key of an archived event."""
    return f"events/{endpoint}/{seq:09d}.json"


def evidence_object(record: StreamRecord) -> str:
    """The key of what the stream told of tampering; no two are the same."""
    return f"tampering/{record.endpoint}/{record.seq:09d}-{record.happened}-{record.position}.json"


def archive(shelf: Shelf, records: Iterable[StreamRecord]) -> Archived:
    """Keep each record, in order, up to the first that cannot be kept."""
    new: list[str] = []
    tampered: list[str] = []
    for record in records:
        try:
            if not _is_known(shelf, record, new):
                tampered.append(_evidence(shelf, record))
        except Exception as fault:  # handed to the caller, which reports it and asks for this record again
            return Archived(tuple(new), tuple(tampered), record.position, fault)
    return Archived(tuple(new), tuple(tampered), None, None)


def _is_known(shelf: Shelf, record: StreamRecord, new: list[str]) -> bool:
    """Whether an added event is in the archive now, as it was added. The same event told of twice is no tampering."""
    if record.happened != ADDED or record.text is None:
        return False
    key = event_object(record.endpoint, record.seq)
    if shelf.put(key, record.text):
        new.append(record.text)
        return True
    return shelf.get(key) == record.text


def _evidence(shelf: Shelf, record: StreamRecord) -> str:
    """Keep what the stream told, and say it."""
    shelf.put(evidence_object(record), record.text or "")
    named = f"event {record.seq} of {record.endpoint}"
    if record.happened == ADDED:
        return f"{named} was added to the table a second time with another content: the archive keeps the first"
    return f"{named} was {_WORDS.get(record.happened, record.happened)} in the table: the archive keeps it as it was"
