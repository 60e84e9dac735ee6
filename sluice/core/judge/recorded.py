"""Whether an application's histogram has the requests that CloudWatch counted: only then may it stand for them.

An application that misses some of its processes, or records an answer twice, shows latencies of other requests than were served.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sluice.core.observation import Tail

RECENT_ROWS = 5
_PART, _SLACK = 0.1, 20.0
"""May differ by a tenth and twenty requests: a minute's edge lies elsewhere for who asks than for who answers."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The latencies a slot was recorded with in the latest minutes, and the requests CloudWatch says were answered."""

    slot: str
    recorded: float
    answered: float
    minutes: int


@dataclass(slots=True)
class Agreement:
    """The latest minutes of one slot that were read from the histogram, within one step."""

    slot: str
    rows: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=RECENT_ROWS))

    def read(self, tail: Tail | None) -> None:
        """One minute. One without a histogram ends the run: it is judged by what CloudWatch counts, or not at all."""
        if tail is None or tail.answered is None:
            self.rows.clear()
        else:
            self.rows.append((tail.trials, tail.answered))

    def disagreement(self) -> Disagreement | None:
        """None while both numbers are about the same, and where nothing is read from the histogram."""
        recorded, answered = (sum(row[side] for row in self.rows) for side in (0, 1))
        if abs(recorded - answered) <= _PART * answered + _SLACK:
            return None
        return Disagreement(self.slot, recorded, answered, len(self.rows))
