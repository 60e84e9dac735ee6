"""One metric over many rollouts: harm, dispersion and proof, a minute per call. `sluice.core.judge.rate` and `latency` over arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sluice.forecast.arrays import Flags, Floats, Whole
from sluice.forecast.evidence import Clearance, Dispersion, Mixture, Prior, Split, Stable, as_row
from sluice.forecast.margins import Margins
from sluice.forecast.minutes import Exposed, Minute
from sluice.forecast.rules import CLEARED_AT, RARE_FRACTIONS, RARE_LEAST, RARE_MOST, Rule, Rules


@dataclass(slots=True)
class _Part:
    """One e-process with its dispersion, and the proof beside it."""

    dispersion: Dispersion
    harm: Mixture
    proof: Clearance
    rarity: Clearance


@dataclass(slots=True)
class MetricJudge:
    """One metric over all rollouts."""

    rules: Rules
    rule: Rule
    rollouts: int
    parts: list[_Part] = field(init=False)
    prior: Prior = field(init=False)
    stable: Stable = field(init=False)
    cleared: Flags = field(init=False)
    proof: Floats = field(init=False)
    """Odds that the step's margin is not reached, as of the newest judged minute."""
    step: Whole = field(init=False)
    began: Flags = field(init=False)
    cap: float = field(init=False)
    rows: int = 0
    margins: Margins = field(init=False)

    def __post_init__(self) -> None:
        count, rule = self.rollouts, self.rule
        self.margins = Margins.of(rule)
        self.parts = [
            _Part(
                Dispersion.of(count, rule.phi0),
                Mixture.of(count, len(rule.grid)),
                Clearance.of(count, self.margins.others.shape[1]),
                Clearance.of(count, len(RARE_FRACTIONS)),
            )
            for _ in rule.parts
        ]
        self.prior = Prior.of(count, self.rules.judged_steps - 1)
        self.stable = Stable.of(count)
        self.cleared = np.zeros(count, dtype=bool)
        self.proof = np.ones(count)
        self.step = np.full(count, -1)
        self.began = np.zeros(count, dtype=bool)
        self.cap = self.rules.cap(rule)

    @property
    def odds(self) -> Floats:
        return np.asarray(sum(w * part.harm.odds for w, part in zip(self.rule.parts, self.parts, strict=True)))

    def minute(self, minute: Minute) -> None:
        """Take one row in."""
        seen, rule = minute.metrics[self.rule.name], self.rule
        begins = minute.step != self.step
        self.step = minute.step
        self.began = self.began & ~begins
        for part in self.parts:
            part.dispersion.reset(begins)
            part.proof.reset(begins)
            part.rarity.reset(begins)
        self.cleared = self.cleared & ~begins
        self.proof = np.where(begins, 1.0, self.proof)
        first = seen.harm[0]
        judged = (first.n_c > 0) & (first.n_s > 0) & (minute.minute_in_step >= rule.settle_minutes)
        judged = judged & (self.rows >= rule.warmup_minutes)
        self.rows += 1
        placed = self.prior.place(judged, judged & ~self.began)
        self.began = self.began | judged
        null = self._null()
        grid = as_row(rule.grid)
        worse = Split.of(first, null, grid, np.log(grid))
        healthy = self._healthy(first, minute.step) if rule.needs_proof else None
        for part, harm, proof in zip(self.parts, seen.harm, seen.proof, strict=True):
            part.harm.add(worse.nats(harm, part.dispersion.phi, self.cap), placed, self.prior.spent, judged)
            if healthy is not None:
                self._prove(part, healthy, proof, minute.step, judged & ~self.cleared)
            part.dispersion.learn(harm, judged)
        self._clear(minute.step, judged)
        self.stable.remember(first.n_s, first.e_s)

    def _null(self) -> Floats:
        """The ratio that is never punished: relative, or absolute where stable's rate is small."""
        rule = self.rule
        if rule.is_latency:
            return np.ones(self.rollouts)
        room = rule.tolerate_absolute / self.stable.slow_rate
        if rule.bad_high:
            return np.minimum(7.0, np.maximum(rule.tolerate_ratio, 1 + room))
        return np.maximum(1 / 7.0, np.minimum(rule.tolerate_ratio, 1 - room))

    def _healthy(self, seen: Exposed, step: Whole) -> Split:
        """The step's margin against the alternatives on its good side."""
        margin = self.margins.margin[step]
        times = self.margins.others[step] / margin[:, None]
        return Split.of(seen, margin, times, np.log(times))

    def _prove(self, part: _Part, healthy: Split, proof: Exposed, step: Whole, judged: Flags) -> None:
        part.proof.add(healthy.nats(proof, part.dispersion.phi, self.cap), judged)
        if self._tests_rarity:
            self._prove_rare(part, proof, step, judged)

    @property
    def _tests_rarity(self) -> bool:
        return self.rule.bad_high and not self.rule.is_latency

    def _prove_rare(self, part: _Part, seen: Exposed, step: Whole, judged: Flags) -> None:
        """The second door: so few events that the canary's rate is below the margin whatever stable's was (ADR of the judge)."""
        least = np.maximum(self.stable.slow_rate, max(self.rule.tolerate_absolute, RARE_LEAST))
        null = np.minimum(RARE_MOST, self.margins.margin[step] * least)[:, None]
        others = null * as_row(RARE_FRACTIONS)
        good = (seen.n_c - seen.e_c)[:, None]
        nats = seen.e_c[:, None] * np.log(others / null) + good * np.log((1 - others) / (1 - null))
        part.rarity.add(np.minimum(nats / part.dispersion.phi[:, None], self.cap), judged)

    def _clear(self, step: Whole, judged: Flags) -> None:
        if not self.rule.needs_proof:
            return
        mask = self.margins.mask[step]
        odds = np.asarray(sum(w * part.proof.odds(mask) for w, part in zip(self.rule.parts, self.parts, strict=True)))
        if self._tests_rarity:
            odds = np.maximum(odds, self.parts[0].rarity.odds())
        self.proof = np.where(judged, odds, self.proof)
        self.cleared = self.cleared | (judged & (odds >= CLEARED_AT))

    def proven(self, step: Whole) -> Flags:
        """Where the step asks for no proof of this metric, or has it."""
        return self.margins.proven(self.cleared, self.step, step)
