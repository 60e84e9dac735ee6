"""A mean followed minute by minute, from count, sum and sum of squares: harm by comparison and the proof of a margin.

Source: shared/judge.md, "Means"; the e-process of a normal mean with known variance, on blocks large enough for the mean to be normal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sluice.core.judge.clearance import NEED, Proof, healthy
from sluice.core.judge.comparison import Placed, first_dispersion, gain_cap, later_steps
from sluice.core.judge.dispersion import Scatter
from sluice.core.judge.harm import Mixture, alternatives
from sluice.core.judge.interval import CONFIDENCE_NEED, Interval
from sluice.core.judge.pair import Said
from sluice.core.judge.quality import moments_fault
from sluice.core.observation import Moments
from sluice.core.policy import MeanMetric, Policy

EFFECTIVE = 30.0
"""Observations a side needs for its mean to be taken as normal; many zeros or one huge value make them fewer than they are."""
_TYPICAL = 0.1
_KEEP = 2 ** (-1 / 10)
_NOTHING = Moments(0.0, 0.0, 0.0)


def plus(one: Moments, other: Moments) -> Moments:
    return Moments(one.count + other.count, one.sum + other.sum, one.sumsq + other.sumsq)


def effective(moments: Moments) -> float:
    """n (sum y)^2 / (n sum y^2): n when all are alike, 1 when one is all there is. Kish's effective size."""
    return moments.sum**2 / moments.sumsq if moments.sumsq > 0 else 0.0


def mean(moments: Moments) -> float:
    return moments.sum / moments.count


def variance(moments: Moments) -> float:
    """Of single observations; never below 0 for rounding."""
    return max(0.0, moments.sumsq / moments.count - mean(moments) ** 2)


@dataclass(slots=True)
class MeanFollower:
    """State after the rows read so far."""

    name: str
    metric: MeanMetric
    policy: Policy
    grid: tuple[float, ...]
    most_gain: float
    mixture: Mixture
    scatter: Scatter
    canary: Moments = _NOTHING
    stable: Moments = _NOTHING
    block: tuple[Moments, Moments] = (_NOTHING, _NOTHING)
    window: list[float] = field(default_factory=lambda: [0.0] * 4)
    minutes: int = 0
    phi: float = 1.0
    step: int | None = None
    margin: float | None = None
    targets: tuple[float, ...] = ()
    proven: Proof | None = None
    cleared: bool = False

    @classmethod
    def of(cls, name: str, metric: MeanMetric, policy: Policy) -> MeanFollower:
        grid = alternatives(metric.terms.bad)
        scatter = Scatter(first_dispersion(policy, metric.terms.bad, mean=True))
        most = gain_cap(policy, metric.terms)
        return cls(name, metric, policy, grid, most, Mixture.over(len(grid), later_steps(policy)), scatter)

    def read(self, placed: Placed) -> None:
        """One row of the metric's own time; rows come in order, without a gap."""
        row, step = placed.row, placed.row.step
        if step != self.step:
            self._new_step(step)
        canary, stable = row.canary.means.get(self.name), row.stable.means.get(self.name)
        if canary is None or stable is None or moments_fault(canary) or moments_fault(stable):
            return
        if row.is_change or placed.minute * 60 < self.policy.judge.warmup_seconds:
            return
        self.block = plus(self.block[0], canary), plus(self.block[1], stable)
        if min(effective(side) for side in self.block) >= EFFECTIVE:
            self._compare(*self.block, step)
            self.block = (_NOTHING, _NOTHING)

    def _new_step(self, step: int) -> None:
        self.step, self.cleared = step, False
        self.block, self.window = (_NOTHING, _NOTHING), [0.0] * 4
        self.scatter.pause()
        self.margin = self.policy.steps[step].prove.get(self.name)
        self.targets = () if self.margin is None else healthy(self.margin, self.metric.terms.bad)
        self.proven = None if self.margin is None else Proof.over(len(self.targets))

    def _compare(self, canary: Moments, stable: Moments, step: int) -> None:
        """D = mean_c - r0 mean_s; V = phi (v / n_c + r0^2 v / n_s), v the larger variance seen; l_j = min((D mu_j - mu_j^2 / 2) / V, c)."""
        self.canary, self.stable = plus(self.canary, canary), plus(self.stable, stable)
        base = mean(stable)
        spread = max(variance(self.stable), variance(self.canary))
        if base <= 0 or spread <= 0:
            return
        phi = self.phi = self.scatter.phi()
        tolerated = self.metric.terms.tolerate.ratio
        worse = tuple(g * tolerated for g in self.grid)
        self.mixture.add(self._gains(canary, stable, spread * phi, tolerated, worse), step, self.most_gain)
        if self.proven is not None and self.margin is not None and not self.cleared:
            self.proven.add(self._gains(canary, stable, spread * phi, self.margin, self.targets), self.most_gain)
            self.cleared = self.proven.value >= NEED
        self._learn(canary, stable, spread, phi)
        self.minutes += 1

    def _gains(self, canary: Moments, stable: Moments, spread: float, null: float, others: tuple[float, ...]) -> Said:
        """Nats for each other ratio against the ratio `null`, before the cap; `spread` is the variance of one observation, times phi."""
        base = mean(stable)
        distance = mean(canary) - null * base
        squared = spread / canary.count + null**2 * spread / stable.count
        shifts = [(other - null) * base for other in others]
        return distance / squared, -0.5 / squared, shifts, [mu**2 for mu in shifts]

    def _learn(self, canary: Moments, stable: Moments, spread: float, phi: float) -> None:
        """The block's standardised residual around the ratio that the last blocks of this step had."""
        count_c, sum_c, count_s, sum_s = self.window
        ratio = (sum_c / count_c) / (sum_s / count_s) if count_c and sum_s > 0 else 1.0
        residual = mean(canary) - ratio * mean(stable)
        self.scatter.add(residual / math.sqrt(spread / canary.count + ratio**2 * spread / stable.count), phi)
        new = (canary.count, canary.sum, stable.count, stable.sum)
        self.window = [_KEEP * old + add for old, add in zip(self.window, new, strict=True)]

    @property
    def value(self) -> float:
        return self.mixture.value

    def interval(self) -> Interval:
        """The ratio, within half a width w = sqrt((I + p) / I^2 ln((I + p) / (p a^2))) of information I = 1 / V around the difference.

        With stable's mean as unit, so that no unit is too small or too large to be squared. Source: the normal mixture (Robbins,
        1970; Howard et al., 2021, eq. 14); p fits differences of a tenth of stable's mean.
        """
        if not self.minutes or mean(self.stable) <= 0:
            return Interval(None, 0.0, None)
        base, ratio = mean(self.stable), mean(self.canary) / mean(self.stable)
        scatter = math.sqrt(self.phi * max(variance(self.stable), variance(self.canary))) / base
        known = 1 / (scatter**2 / self.canary.count + ratio**2 * scatter**2 / self.stable.count)
        fit = _TYPICAL**-2
        width = math.sqrt((known + fit) / known**2 * math.log((known + fit) / fit * CONFIDENCE_NEED**2))
        return Interval(ratio, max(0.0, ratio - width), ratio + width)

    @property
    def proof(self) -> float | None:
        return None if self.proven is None else self.proven.value
