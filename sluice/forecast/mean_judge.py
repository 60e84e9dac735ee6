"""One mean over many rollouts: harm, dispersion and proof by blocks of minutes. `sluice.core.judge.means` over arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sluice.forecast.arrays import Flags, Floats, Whole, ratio
from sluice.forecast.evidence import Clearance, Dispersion, Mixture, Prior, as_row
from sluice.forecast.margins import Margins
from sluice.forecast.minutes import MeanMinute, Minute
from sluice.forecast.rules import CLEARED_AT, Rule, Rules

EFFECTIVE = 30.0
_COUNT, _SUM, _SUMSQ = 0, 1, 2


@dataclass(slots=True)
class MeanJudge:
    """One mean over all rollouts. Arrays of both sides are [canary or stable, count or sum or sumsq, rollout]."""

    rules: Rules
    rule: Rule
    rollouts: int
    margins: Margins = field(init=False)
    dispersion: Dispersion = field(init=False)
    harm: Mixture = field(init=False)
    clearance: Clearance = field(init=False)
    prior: Prior = field(init=False)
    cleared: Flags = field(init=False)
    step: Whole = field(init=False)
    began: Flags = field(init=False)
    seen: Floats = field(init=False)
    block: Floats = field(init=False)
    rows: int = 0

    def __post_init__(self) -> None:
        count = self.rollouts
        self.margins = Margins.of(self.rule)
        self.dispersion = Dispersion.of(count, self.rule.phi0)
        self.harm = Mixture.of(count, len(self.rule.grid))
        self.clearance = Clearance.of(count, self.margins.others.shape[1])
        self.prior = Prior.of(count, self.rules.judged_steps - 1)
        self.cleared, self.began = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        self.step = np.full(count, -1)
        self.seen, self.block = np.zeros((2, 3, count)), np.zeros((2, 3, count))

    @property
    def odds(self) -> Floats:
        return self.harm.odds

    @property
    def proof(self) -> Floats:
        """Odds that the step's margin is not reached."""
        return self.clearance.odds(self.margins.mask[self.step])

    def proven(self, step: Whole) -> Flags:
        """Where the step asks for no proof of this metric, or has it."""
        return self.margins.proven(self.cleared, self.step, step)

    def minute(self, minute: Minute) -> None:
        """Take one row in: pooled with the ones before it until both sides have enough to be taken as normal."""
        self._begin(minute.step)
        found = _stacked(minute.means[self.rule.name])
        there = (found[:, _COUNT] > 0).all(axis=0) & (self.rows >= self.rule.warmup_minutes)
        self.rows += 1
        self.block = self.block + np.where(there, found, 0.0)
        squares = self.block[:, _SUMSQ]
        effective = ratio(self.block[:, _SUM] ** 2, squares)
        ready = np.asarray(there & (effective >= EFFECTIVE).all(axis=0))
        self._compare(ready)
        self.block = np.where(ready, 0.0, self.block)

    def _begin(self, step: Whole) -> None:
        begins = step != self.step
        self.step = step
        self.cleared, self.began = self.cleared & ~begins, self.began & ~begins
        self.dispersion.reset(begins)
        self.clearance.reset(begins)
        self.block = np.where(begins, 0.0, self.block)

    def _compare(self, ready: Flags) -> None:
        """D = mean_c - r0 mean_s; V = phi (v / n_c + r0^2 v / n_s); l_j = min((D mu_j - mu_j^2 / 2) / V, c)."""
        self.seen = self.seen + np.where(ready, self.block, 0.0)
        means = ratio(self.block[:, _SUM], self.block[:, _COUNT])
        spread = _variances(self.seen).max(axis=0)
        judged = ready & (means[1] > 0) & (spread > 0)
        phi, cap = self.dispersion.phi[:, None], self.rules.cap(self.rule)
        placed = self.prior.place(judged, judged & ~self.began)
        self.began = self.began | judged
        tolerated = np.full(self.rollouts, self.rule.tolerate_ratio)
        worse = as_row(self.rule.grid) * tolerated[:, None]
        harm = np.minimum(self._gains(means, spread, tolerated, worse) / phi, cap)
        self.harm.add(harm, placed, self.prior.spent, judged)
        margin = self.margins.margin[self.step]
        proof = np.minimum(self._gains(means, spread, margin, self.margins.others[self.step]) / phi, cap)
        self.clearance.add(proof, judged & ~self.cleared)
        self.cleared = self.cleared | (judged & (self.proof >= CLEARED_AT))
        self._learn(means, spread, judged)

    def _gains(self, means: Floats, spread: Floats, null: Floats, others: Floats) -> Floats:
        """Nats for each other ratio against the ratio `null`, before phi and cap."""
        canary, stable = means
        distance = canary - null * stable
        squared = self._squared(spread, null)
        shifts = (others - null[:, None]) * stable[:, None]
        raw = distance[:, None] * shifts - shifts**2 / 2
        return ratio(raw, np.broadcast_to(squared[:, None], raw.shape))

    def _squared(self, spread: Floats, null: Floats) -> Floats:
        """The variance of the difference of the block's means."""
        one = np.ones(self.rollouts)
        return spread * (ratio(one, self.block[0, _COUNT]) + null**2 * ratio(one, self.block[1, _COUNT]))

    def _learn(self, means: Floats, spread: Floats, judged: Flags) -> None:
        """The block's standardised residual around the ratio that the last blocks of this step had."""
        count_c, sum_c, count_s, sum_s = self.dispersion.window
        known = (count_c > 0) & (sum_s > 0)
        guess = np.where(known, ratio(ratio(sum_c, count_c), ratio(sum_s, count_s)), 1.0)
        residual = ratio(means[0] - guess * means[1], np.sqrt(self._squared(spread, guess)))
        added = self.block[:, :_SUMSQ].reshape(4, self.rollouts)
        self.dispersion.take(residual, judged, judged, added)


def _stacked(minute: MeanMinute) -> Floats:
    return np.array([[side.count, side.sum, side.sumsq] for side in (minute.canary, minute.stable)])


def _variances(sums: Floats) -> Floats:
    """Of single observations, per side; never below 0 for rounding."""
    mean = ratio(sums[:, _SUM], sums[:, _COUNT])
    return np.maximum(0.0, ratio(sums[:, _SUMSQ], sums[:, _COUNT]) - mean**2)
