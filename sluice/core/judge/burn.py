"""Whether the whole endpoint burns its error budget: both slots together against the objective, in two pairs of windows.

Source: The Site Reliability Workbook (2018), ch. 5, multiwindow, multi-burn-rate alerts: 14.4 times in 1 h and 5 min spends 2 % of a
month's budget in an hour, 6 times in 6 h and 30 min 5 % in six. Holds the rollout; it blames nobody.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

from sluice.core.judge.rails import RAIL_TRIALS
from sluice.core.judge.rate import counts_or_none
from sluice.core.observation import Row

WINDOWS = ((60, 5, 14.4), (360, 30, 6.0))
"""(long minutes, short minutes, burn rate)."""
_LONGEST = 360


@dataclass(frozen=True, slots=True)
class Burning:
    """A burn rate that is exceeded in both windows."""

    rate: float
    long_minutes: int
    short_minutes: int


@dataclass(slots=True)
class Burn:
    """The last six hours of one rate on both slots together."""

    name: str
    objective: float
    rows: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_LONGEST))

    def read(self, row: Row) -> None:
        found = [counts_or_none(side.rates.get(self.name)) for side in (row.canary, row.stable)]
        present = [counts for counts in found if counts is not None]
        self.rows.append((sum(c.trials for c in present), sum(c.events for c in present)))

    def burning(self) -> Burning | None:
        """The worst pair of windows over its rate. A long window counts as far as there are rows, from the short one's length on."""
        for long, short, limit in WINDOWS:
            rates = [self._rate(long), self._rate(short)]
            if len(self.rows) >= short and min(rates) >= limit:
                return Burning(min(rates), long, short)
        return None

    def _rate(self, minutes: int) -> float:
        """Times as fast as the budget allows; 0 where there are too few requests to say so."""
        latest = list(islice(reversed(self.rows), minutes))
        trials = sum(trials for trials, _ in latest)
        if trials < RAIL_TRIALS:
            return 0.0
        return sum(events for _, events in latest) / trials / (1 - self.objective)
