"""A level followed minute by minute: beyond its limit for so long, and stable not."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sluice.core.judge.comparison import Placed
from sluice.core.judge.quality import level_fault
from sluice.core.judge.rails import stays_beyond
from sluice.core.policy import LevelMetric


@dataclass(slots=True)
class LevelFollower:
    """State after the rows read so far: the last minutes of both slots, as many as the rail asks for."""

    name: str
    metric: LevelMetric
    canary: deque[float | None]
    stable: deque[float | None]
    crossed: bool = False

    @classmethod
    def of(cls, name: str, metric: LevelMetric) -> LevelFollower:
        minutes = max(1, -(-metric.rail.for_seconds // 60))
        return cls(name, metric, deque(maxlen=minutes), deque(maxlen=minutes))

    def read(self, placed: Placed) -> None:
        """One row; rows come in order, without a gap."""
        self.canary.append(_usable(placed.row.canary.levels.get(self.name)))
        self.stable.append(_usable(placed.row.stable.levels.get(self.name)))
        self.crossed = self.crossed or (self.is_beyond and not self.stable_is_beyond)

    @property
    def is_beyond(self) -> bool:
        return len(self.canary) == self.canary.maxlen and self._beyond(self.canary)

    @property
    def stable_is_beyond(self) -> bool:
        return len(self.stable) == self.stable.maxlen and self._beyond(self.stable)

    def _beyond(self, levels: deque[float | None]) -> bool:
        return stays_beyond(levels, self.metric.rail.level, self.metric.terms.bad)


def _usable(level: float | None) -> float | None:
    return level if level is not None and level_fault(level) is None else None
