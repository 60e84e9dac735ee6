"""What application code has in its hands: where an endpoint is, and a sink that keeps what it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from sluice.client import Serving
from sluice.client.sinks import Row, Sent

NOON = 1_767_614_400  # 2026-01-05 12:00 UTC


@pytest.fixture
def serving() -> Serving:
    return Serving("dev-triage", "us-east-1", ("blue", "green"), "/sluice/sluice/dev/dev-triage", "Shop")


@dataclass
class Kept:
    """A sink that keeps rows, or does what it is told to instead."""

    rows: list[Row] = field(default_factory=list)
    answers: list[Sent | Exception] = field(default_factory=list)

    def send(self, serving: Serving, rows: Sequence[Row]) -> Sent:
        answer = self.answers.pop(0) if self.answers else Sent()
        if isinstance(answer, Exception):
            raise answer
        refused = {(row.slot, row.minute) for row in answer.again}
        self.rows += [row for row in rows if (row.slot, row.minute) not in refused]
        return answer

    def total(self, slot: str, name: str, minute: int | None = None) -> float:
        return sum(row.amounts.get(name, 0.0) for row in self.rows if row.slot == slot and minute in (None, row.minute))


@pytest.fixture
def sink() -> Kept:
    return Kept()


@dataclass
class Watch:
    """A clock that is set by hand."""

    at: float = NOON

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()
