"""Whether the data can be judged at all: impossible numbers, a split that is not the weight's, silence where traffic was expected.

A doubt about the data holds and never rolls back. Source of the ratio test: shared/judge.md, "Data quality"; a beta-binomial e-value
(Lindon and Malek, 2022, "Anytime-valid inference for multinomial count data", is the general case).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sluice.core.observation import Counts, Moments, Tail

MISMATCH_NEED = 1000.0
"""alpha .001."""
MISMATCH_FACTOR = 1.25
"""Odds of the split may differ by a quarter from the weight's: retries and a minute's edge are no mismatch."""
EXPECTED = 10.0
"""Canary requests that must have been expected before their absence means something."""
_ABSURD = 1e15
"""No endpoint counts so much in a minute, and no single value is as large: bytes and microseconds are far below, their squares are not."""


def counts_fault(counts: Counts) -> str | None:
    """What makes these counts impossible; None when they can be judged."""
    if 0 <= counts.events <= counts.trials <= _ABSURD:
        return None
    for word, value in (("trials", counts.trials), ("events", counts.events)):
        if fault := _number_fault(value):
            return f"{value} {word} {fault}"
    return f"{counts.events:g} events of {counts.trials:g} trials"


def tail_fault(tail: Tail) -> str | None:
    """As `counts_fault`, for every threshold."""
    trials = tail.trials
    for name, events in tail.over.items():
        if not 0 <= events <= trials <= _ABSURD and (fault := counts_fault(Counts(trials, events))):
            return f"{name}: {fault}"
    return None if tail.over else counts_fault(Counts(tail.trials, 0.0))


def moments_fault(moments: Moments) -> str | None:
    """Sums that no observations have: a square of the total above count times the total of squares (Cauchy and Schwarz)."""
    if fault := _number_fault(moments.count) or _number_fault(moments.sumsq, _ABSURD**3):
        return f"count {moments.count}, sumsq {moments.sumsq} {fault}"
    if fault := _number_fault(abs(moments.sum), _ABSURD**2):
        return f"sum {moments.sum} {fault}"
    if moments.sum**2 > moments.count * moments.sumsq * (1 + 1e-9):
        return f"sum {moments.sum:g} and sumsq {moments.sumsq:g} of {moments.count:g} cannot be"
    return None


def level_fault(level: float) -> str | None:
    return None if math.isfinite(level) else f"level {level} is no number"


def _number_fault(value: float, absurd: float = _ABSURD) -> str | None:
    if not math.isfinite(value):
        return "is no number"
    if value < 0:
        return "is negative"
    return "is absurd" if value > absurd else None


@dataclass(slots=True)
class SampleRatio:
    """Requests of the current step's minutes that had one known weight throughout."""

    canary: float = 0.0
    stable: float = 0.0

    def add(self, canary: float, stable: float) -> None:
        self.canary += canary
        self.stable += stable

    def evidence(self, share: float) -> float:
        """e-value against "the canary's odds are within a quarter of those of its weight `share`"; above 0, below 1.

        B(a + x, b + y) / B(a, b) over the likelihood of the nearest allowed split, with a Beta(1, (1 - share) / share) prior.
        """
        if not self.canary + self.stable:
            return 1.0
        odds = share / (1 - share)
        found = self.canary / self.stable if self.stable else math.inf
        nearest = min(max(found, odds / MISMATCH_FACTOR), odds * MISMATCH_FACTOR)
        part = nearest / (1 + nearest)
        a, b = 1.0, 1 / odds
        log = _log_beta(a + self.canary, b + self.stable) - _log_beta(a, b)
        log -= self.canary * math.log(part) + self.stable * math.log(1 - part)
        return math.exp(min(log, 700.0))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
