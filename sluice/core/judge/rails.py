"""Rails: hard limits, obeyed from the first minute on, where the canary is also worse than stable is now.

Source: shared/judge.md, "Rail". Comparison with stable is part of the null, so an incident that both slots share crosses no rail.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from sluice.core.judge.clearance import bernoulli
from sluice.core.judge.harm import Mixture
from sluice.core.judge.pair import Pair
from sluice.core.policy import Bad

RAIL_TRIALS = 50
"""Requests a side needs in a minute before a rate in it means anything against a limit of a few percent. Also of the CloudWatch alarms."""
RAIL_SAMPLES_P90 = 100
"""A 90th percentile needs about 10 / (1 - 0.9) samples to mean something. Of the CloudWatch alarms."""
WINDOW_MINUTES = 3
BREACHES = 2
"""Two bad minutes of the last three: what the CloudWatch alarms beside the judge ask for."""

NEED = 1000.0
"""alpha .001 for each rail."""
SLOW_PART = 0.05
SLOW_VERSUS_STABLE = 2.0
"""Of latency rails: more than 5 % of the requests over the limit, and twice stable's part."""
PHI = 2.0
_NOW_ROWS = 5
_MOST_LIMIT = 0.95
"""Beyond it nothing can be blamed on the canary: stable fails itself, and hardly anything is worse than all."""
_STEPS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.55, 0.8, 0.98)
"""Alternatives: how far from the limit to certainty."""


@dataclass(slots=True)
class StableNow:
    """Stable's latest rows of one rate: the last one, and the last five pooled. A row without stable's data counts as empty."""

    rows: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_NOW_ROWS))

    def add(self, trials: float, events: float) -> None:
        self.rows.append((trials, events))

    def windows(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """(trials, events) of the last row and of the last five."""
        last = self.rows[-1] if self.rows else (0.0, 0.0)
        return last, (sum(trials for trials, _ in self.rows), sum(events for _, events in self.rows))

    def rate(self) -> float:
        """The larger of the two; 0 where stable has no data."""
        all_trials = all_events = trials = events = 0.0
        for trials, events in self.rows:
            all_trials += trials
            all_events += events
        pooled = all_events / all_trials if all_trials else 0.0
        return max(pooled, events / trials) if trials else pooled

    def is_over(self, limit: float) -> bool:
        """Whether stable itself is over the hard limit, in a window that has enough requests to say so."""
        return any(trials >= RAIL_TRIALS and events > limit * trials for trials, events in self.windows())


@dataclass(slots=True)
class Rail:
    """Null: p_c <= max(limit, factor p_s now, u_s now). Bernoulli grid with a change point, phi 2, fires at 1 / .001.

    u_s is only a latency's: stable's part over a threshold of which the canary's is k times as much. "At most k times as slow as
    stable is" means P(canary > k tau) <= P(stable > tau) for any tau, so no less than that may be blamed (ADR 26).

    Fires after about 7 requests if all fail, 24 at 50 %, 150 at 20 % (limit 5 %).
    """

    limit: float
    factor: float
    mixture: Mixture
    stable: StableNow = field(default_factory=StableNow)
    usual: StableNow = field(default_factory=StableNow)
    most: float = 0.0
    nulls: float = -1.0
    logs: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))

    @classmethod
    def of(cls, limit: float, factor: float, later_steps: int) -> Rail:
        return cls(limit, factor, Mixture.over(len(_STEPS), later_steps))

    def add(self, pair: Pair, step: int, *, is_change: bool = False, usual: tuple[float, float] | None = None) -> None:
        """One row; without canary requests, or where the weight changed within it, only stable is noted.

        If a shared incident begins in the minute of a step, most of the canary's requests of that minute lie in it, and few of stable's.
        `usual` is (trials, events) behind u_s.
        """
        canary_trials, events, stable_trials, stable_events = pair
        self.stable.add(stable_trials, stable_events)
        if usual is not None:
            self.usual.add(*usual)
        if canary_trials <= 0 or is_change:
            return
        null = max(self.limit, self.factor * self.stable.rate())
        if usual is not None:
            null = max(null, self.usual.rate())
        if null > _MOST_LIMIT:
            self.mixture.add(None, step)
            return
        bad, fine = self._logs(null)
        self.mixture.add((events / PHI, (canary_trials - events) / PHI, bad, fine), step)
        if self.mixture.value > self.most:
            self.most = self.mixture.value

    def _logs(self, null: float) -> tuple[list[float], list[float]]:
        """ln(p1 / p0) and ln((1 - p1) / (1 - p0)) of each alternative p1 = p0 + (1 - p0) x; kept while p0 stays the same."""
        if null != self.nulls:
            self.logs = bernoulli(null, [null + (1 - null) * x for x in _STEPS])
            self.nulls = null
        return self.logs

    @property
    def is_crossed(self) -> bool:
        """Final: a rail that was crossed at any row stays crossed."""
        return self.most >= NEED

    @property
    def stable_is_over(self) -> bool:
        return self.stable.is_over(self.limit)


def is_beyond(level: float, limit: float, bad: Bad) -> bool:
    return level > limit if bad is Bad.HIGH else level < limit


def stays_beyond(levels: Iterable[float | None], limit: float, bad: Bad) -> bool:
    """Whether every minute has a level beyond the limit: a missing one breaks the run."""
    found = list(levels)
    return bool(found) and all(level is not None and is_beyond(level, limit, bad) for level in found)
