"""Where the ratio of canary to stable lies, valid at every look: for people, beside the evidence; nothing is decided by it.

Source: the method of mixtures (Robbins, 1970): the ratios whose likelihood is not too far below the prior's average. With the same
conditional binomial likelihood and dispersion as the harm e-process. A step's minutes are pooled: within it the split is constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sluice.core.judge.pair import Pair

CONFIDENCE_NEED = 20.0
"""1 / .05."""
_OCTAVES = 6
_PER_OCTAVE = 8
GRID = tuple(2 ** (i / _PER_OCTAVE) for i in range(-_OCTAVES * _PER_OCTAVE, _OCTAVES * _PER_OCTAVE + 1))
"""Ratios from 1/64 to 64."""
_PRIOR = tuple(math.exp(-abs(math.log2(r))) for r in GRID)
"""Most ratios are near 1."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A ratio, and from where to where it may lie. `low` 0 or `high` None: not bounded by the data."""

    ratio: float | None
    low: float
    high: float | None


@dataclass(slots=True)
class Tempered:
    """One step's sums: exposures as they are, events divided by the dispersion their minute was judged with."""

    canary_trials: float = 0.0
    canary_events: float = 0.0
    stable_trials: float = 0.0
    stable_events: float = 0.0


@dataclass(slots=True)
class RatioInterval:
    """Collects judged minutes by step."""

    steps: dict[int, Tempered] = field(default_factory=dict)
    above: float = 0.0
    below: float = 0.0
    known: Interval | None = None
    """Of the minutes so far, once it was asked for: a soak asks at every look, and has nothing to compare with any more."""

    def add(self, pair: Pair, phi: float, step: int) -> None:
        """One judged minute; also its part of the Mantel-Haenszel ratio, which no drift and no change of split can bias."""
        self.known = None
        sums = self.steps.get(step)
        if sums is None:
            sums = self.steps[step] = Tempered()
        canary_trials, canary_events, stable_trials, stable_events = pair
        sums.canary_trials += canary_trials
        sums.stable_trials += stable_trials
        sums.canary_events += canary_events / phi
        sums.stable_events += stable_events / phi
        trials = canary_trials + stable_trials
        self.above += canary_events * stable_trials / trials
        self.below += stable_events * canary_trials / trials

    def interval(self) -> Interval:
        if self.known is None:
            self.known = self._interval()
        return self.known

    def _interval(self) -> Interval:
        ratio = self.above / self.below if self.below > 0 else None
        likelihoods = [self._log_likelihood(r) for r in GRID]
        best = max(likelihoods)
        average = sum(w * math.exp(k - best) for w, k in zip(_PRIOR, likelihoods, strict=True)) / sum(_PRIOR)
        floor = best + math.log(average / CONFIDENCE_NEED)
        inside = [i for i, likelihood in enumerate(likelihoods) if likelihood > floor]
        low = 0.0 if inside[0] == 0 else GRID[inside[0] - 1]
        return Interval(ratio, low, None if inside[-1] == len(GRID) - 1 else GRID[inside[-1] + 1])

    def _log_likelihood(self, ratio: float) -> float:
        total = 0.0
        for sums in self.steps.values():
            weighted = sums.canary_trials * ratio
            both = math.log(weighted + sums.stable_trials)
            total += sums.canary_events * (math.log(weighted) - both)
            total += sums.stable_events * (math.log(sums.stable_trials) - both)
        return total
