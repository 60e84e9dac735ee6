"""Proof that a step's margin is not reached: e-processes for "the canary is at least that much worse", begun anew at each step.

Source: shared/judge.md, "Clearance". Cleared at 1/.05, latched within the step: 5 % of truly worse canaries may pass one look too
early, and the next step sees more of them. What is proven is not proven on: the evidence stays what it was when it sufficed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sluice.core.judge.harm import factor
from sluice.core.judge.pair import Pair, Ratios, Said
from sluice.core.policy import Bad

NEED = 20.0
_NEED_NATS = math.log(NEED) - 1e-9
GRID = (0.5, 0.7, 0.85, 1.0, 1.15, 1.35, 1.6)
"""Ratios of canary to stable that a healthy canary may have."""
_BEYOND = 1.35
_FRACTIONS = (1 / 8, 1 / 4, 1 / 2)
_PER_TEN_THOUSAND = 1e-4


def healthy(margin: float, bad: Bad) -> tuple[float, ...]:
    """The ratios on the good side of the margin."""
    if bad is Bad.HIGH:
        return tuple(r for r in GRID if r < margin) or (margin / _BEYOND,)
    return tuple(r for r in GRID if r > margin) or (margin * _BEYOND,)


@dataclass(slots=True)
class Proof:
    """K = mean over j of exp(sum of l_j), over the judged minutes of one step."""

    sums: list[float]

    @classmethod
    def over(cls, count: int) -> Proof:
        return cls([0.0] * count)

    def add(self, said: Said, most: float) -> None:
        """One minute; `said` is l_j for each alternative before the cap."""
        x, y, firsts, seconds = said
        self.sums = [
            total + (gain if (gain := x * a + y * b) < most else most)
            for total, a, b in zip(self.sums, firsts, seconds, strict=True)
        ]

    @property
    def may_suffice(self) -> bool:
        """Whether it is worth while to ask for the value: a mean is at most its largest part."""
        return max(self.sums) >= _NEED_NATS

    @property
    def value(self) -> float:
        return sum(factor(total) for total in self.sums) / len(self.sums)


@dataclass(slots=True)
class RatioProof:
    """Null: ratio >= margin (low is bad: <= margin)."""

    margin: float
    grid: Ratios
    most_gain: float
    proof: Proof

    @classmethod
    def of(cls, margin: float, bad: Bad, most_gain: float, grid: Ratios | None = None) -> RatioProof:
        grid = grid or Ratios.of(tuple(r / margin for r in healthy(margin, bad)))
        return cls(margin, grid, most_gain, Proof.over(len(grid)))

    def add(self, pair: Pair, phi: float) -> None:
        self.proof.add(pair.said(self.margin, self.grid, phi), self.most_gain)

    @property
    def value(self) -> float:
        return self.proof.value

    @property
    def may_suffice(self) -> bool:
        return self.proof.may_suffice


@dataclass(slots=True)
class RarityProof:
    """Null: the canary's rate is at least p1 = max(margin p_s, margin tolerated, margin / 10,000).

    The second door, for rates of harm only: where neither side has an event, ratios say nothing, and a canary without a single
    error in ten thousand requests would never be cleared. Bernoulli likelihood, same dispersion and cap. Source: ADR 20.
    """

    margin: float
    absolute: float
    most_gain: float
    proof: Proof

    @classmethod
    def of(cls, margin: float, absolute: float, most_gain: float) -> RarityProof:
        return cls(margin, absolute, most_gain, Proof.over(len(_FRACTIONS)))

    def add(self, trials: float, events: float, stable_rate: float, phi: float) -> None:
        limit = min(0.5, self.margin * max(stable_rate, self.absolute, _PER_TEN_THOUSAND))
        bad, fine = bernoulli(limit, [limit * part for part in _FRACTIONS])
        self.proof.add((events / phi, (trials - events) / phi, bad, fine), self.most_gain)

    @property
    def value(self) -> float:
        return self.proof.value

    @property
    def may_suffice(self) -> bool:
        return self.proof.may_suffice


def bernoulli(null: float, others: Sequence[float]) -> tuple[list[float], list[float]]:
    """Nats by which each other rate explains an event better than `null` does, and by which a trial without one (Bernoulli likelihood)."""
    return [math.log(p / null) for p in others], [math.log((1 - p) / (1 - null)) for p in others]
