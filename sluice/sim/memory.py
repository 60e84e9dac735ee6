"""The store in memory: the same fences as the table, the same audit trail, and a switch that makes it refuse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sluice.core.audit import Change, Event, read_head
from sluice.core.errors import StaleRecord
from sluice.core.head import Head
from sluice.core.record import Document, encode
from sluice.core.rollout import Rollout
from sluice.ports import Heartbeat, StoreUnavailable


@dataclass(slots=True)
class MemoryStore:
    """`sluice.ports.Store`. Records are kept as documents, so that what is read went through the codec like in the table."""

    heads: dict[str, Document] = field(default_factory=dict)
    log: dict[str, list[Event]] = field(default_factory=dict)
    finished: dict[tuple[str, str], Rollout] = field(default_factory=dict)
    beats: dict[str, Heartbeat] = field(default_factory=dict)
    refuses_writes: bool = False
    refuses_reads: bool = False
    refused: int = 0
    """How many writes were refused so far."""
    _read: dict[str, tuple[Document, Head]] = field(default_factory=dict)

    def head(self, endpoint: str) -> Head | None:
        if self.refuses_reads:
            raise StoreUnavailable("the simulated table refuses reads")
        return self._head(endpoint) if endpoint in self.heads else None

    def _head(self, endpoint: str) -> Head:
        document = self.heads[endpoint]
        known = self._read.get(endpoint)
        if known is None or known[0] is not document:  # read once per change: hunts look thousands of times a change
            known = self._read[endpoint] = (document, read_head(document))
        return known[1]

    def commit(self, change: Change) -> None:
        self._write()
        endpoint = change.head.endpoint
        current = self.heads.get(endpoint)
        if (current["version"] if current else 0) != change.expected:
            raise StaleRecord(f"endpoint {endpoint!r}: version {change.expected} is not current any more")
        self.heads[endpoint] = encode(change.head)
        self.log.setdefault(endpoint, []).append(change.event)
        if change.ended is not None:
            self.finished[endpoint, change.ended.id] = change.ended

    def heartbeat(self, endpoint: str) -> Heartbeat | None:
        return self.beats.get(endpoint)

    def beat(self, endpoint: str, heartbeat: Heartbeat) -> None:
        self._write()
        self.beats[endpoint] = heartbeat

    def unfinished(self) -> tuple[str, ...]:
        return tuple(endpoint for endpoint in sorted(self.heads) if self._head(endpoint).is_unfinished)

    def endpoints(self) -> tuple[str, ...]:
        return tuple(sorted(self.heads))

    def events(self, endpoint: str, first: int = 1, last: int | None = None) -> Iterable[Event]:
        return tuple(self.log.get(endpoint, ())[first - 1 : last])

    def ended(self, endpoint: str, rollout_id: str) -> Rollout | None:
        return self.finished.get((endpoint, rollout_id))

    def _write(self) -> None:
        if self.refuses_writes:
            self.refused += 1
            raise StoreUnavailable("the simulated table refuses writes")
