"""How much more counts scatter than independent requests would: learnt from earlier minutes, so that noise is not taken for harm.

Source: shared/judge.md, "phi"; a quasi-likelihood dispersion (McCullagh and Nelder, 1989, ch. 9.2) with a shrunk lag-1 correlation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sluice.core.judge.pair import Pair

HIGH_DISPERSION = 2.0
"""Errors come in bunches: what a rate of harm or a latency starts from before anything was learnt."""
LOW_DISPERSION = 1.2
"""Outcomes of single users hardly do: what conversions and means start from."""
_PRIOR_MINUTES = 10
_WINSORISED = 16
"""One wild minute must not buy noise for the rest of the rollout: a squared residual counts at most 16 phi."""
_MOST_CORRELATED = 0.8
_KEEP = 2 ** (-1 / 10)
"""Half-life of ten minutes."""


@dataclass(slots=True)
class Scatter:
    """phi itself: from standardised residuals of earlier minutes. Dimensionless; 1 is as by chance."""

    start: float
    squares: float = 0.0
    minutes: int = 0
    products: float = 0.0
    products_of: float = 0.0
    last: float | None = None

    def phi(self) -> float:
        """max(1, (10 phi0 + sum z^2) / (10 + n)) (1 + rho) / (1 - rho); rho shrunk by 10 minutes of no correlation."""
        prior = _PRIOR_MINUTES * self.start
        spread = (prior + self.squares) / (_PRIOR_MINUTES + self.minutes)
        if spread < 1.0:
            spread = 1.0
        if self.products <= 0:
            return spread
        rho = min(self.products / (self.products_of + prior), _MOST_CORRELATED)
        return spread * (1 + rho) / (1 - rho)

    def add(self, residual: float, phi: float) -> None:
        """One more standardised residual, winsorised at the phi that was used for its minute."""
        square, most = residual * residual, _WINSORISED * phi
        z = residual if square <= most else math.copysign(math.sqrt(most), residual)
        self.squares += min(square, most)
        self.minutes += 1
        last = self.last
        if last is not None:
            self.products += z * last
            self.products_of += last * last
        self.last = z

    def pause(self) -> None:
        """A minute without a residual, or a new step: the next one has no neighbour."""
        self.last = None


@dataclass(slots=True)
class Dispersion:
    """phi of a rate: residuals against the split that the last minutes of this step had."""

    scatter: Scatter
    canary_events: float = 0.0
    canary_trials: float = 0.0
    stable_events: float = 0.0
    stable_trials: float = 0.0

    def phi(self) -> float:
        return self.scatter.phi()

    def ratio(self) -> float:
        """Canary to stable over an exponential window; 1 where nothing is known, and pulled towards it by one event."""
        if not self.stable_trials:
            return 1.0
        return (self.canary_events + 1) / (1 + self.canary_trials * self.stable_events / self.stable_trials)

    def add(self, pair: Pair, phi: float) -> None:
        """Learn from a judged minute, after it was judged with `phi`."""
        canary_trials, canary_events, stable_trials, stable_events = pair
        events = canary_events + stable_events
        q = pair.canary_part(self.ratio())
        expected = events * q * (1 - q)
        if expected > 0:
            self.scatter.add((canary_events - events * q) / math.sqrt(expected), phi)
        else:
            self.scatter.pause()
        self.canary_events = _KEEP * self.canary_events + canary_events
        self.canary_trials = _KEEP * self.canary_trials + canary_trials
        self.stable_events = _KEEP * self.stable_events + stable_events
        self.stable_trials = _KEEP * self.stable_trials + stable_trials

    def new_step(self) -> None:
        """The split changed: what was learnt about the scatter stays, what was learnt about the ratio does not."""
        self.scatter.pause()
        self.canary_events = self.canary_trials = self.stable_events = self.stable_trials = 0.0
