"""The judge over many rollouts at once, a minute per call. Decides what a minute proves; when to act on it is `rollouts`'."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sluice.forecast.arrays import HUGE, Flags, Floats, Whole
from sluice.forecast.evidence import Clearance, Dispersion, Exposed, Mixture, Prior, Stable, as_row, split_nats
from sluice.forecast.rules import (
    CLEARED_AT,
    LATENCY_RAIL_RATE,
    LATENCY_RAIL_VERSUS,
    RAIL_GRID,
    RAIL_NEED,
    RAIL_PHI,
    Rail,
    Rule,
    Rules,
    others_of,
)

_INCIDENT_EXPOSURES = 50.0


@dataclass(frozen=True, slots=True)
class MetricMinute:
    """One metric in one minute. Per part: what the harm test counts, and what the proof counts (the same for a rate)."""

    harm: tuple[Exposed, ...]
    proof: tuple[Exposed, ...]
    rail: Exposed | None


@dataclass(frozen=True, slots=True)
class Minute:
    """All metrics in one minute, and where each rollout was: its step and how many minutes the step has lasted (0 at first)."""

    step: Whole
    minute_in_step: Whole
    metrics: Mapping[str, MetricMinute]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the minutes so far prove, per rollout. `cleared` is about `step`; all are facts of the newest row."""

    step: Whole
    odds: Floats
    crossed: Flags
    railed: Flags
    incident: Flags
    cleared: Flags
    shares: Mapping[str, Floats]


@dataclass(slots=True)
class _Part:
    """One e-process with its dispersion, and the proof beside it."""

    dispersion: Dispersion
    harm: Mixture
    proof: Clearance


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
    step: Whole = field(init=False)
    began: Flags = field(init=False)
    cap: float = field(init=False)
    rows: int = 0
    _others: Floats = field(init=False)
    _mask: Flags = field(init=False)
    _margin: Floats = field(init=False)

    def __post_init__(self) -> None:
        count, rule = self.rollouts, self.rule
        self._tables()
        self.parts = [
            _Part(
                Dispersion.of(count, rule.phi0),
                Mixture.of(count, len(rule.grid)),
                Clearance.of(count, self._others.shape[1]),
            )
            for _ in rule.parts
        ]
        self.prior = Prior.of(count, self.rules.judged_steps - 1)
        self.stable = Stable.of(count)
        self.cleared = np.zeros(count, dtype=bool)
        self.step = np.full(count, -1)
        self.began = np.zeros(count, dtype=bool)
        self.cap = self.rules.cap(rule)

    def _tables(self) -> None:
        """Per step: the margin, and its alternatives padded to one length with a mask."""
        margins = self.rule.margins or (None,)
        tested = [1.0 if self.rule.is_latency or margin is None else margin for margin in margins]
        lists = [others_of(margin, bad_high=self.rule.bad_high) for margin in tested]
        width = max(len(others) for others in lists)
        self._others = np.array([[*others, *[1.0] * (width - len(others))] for others in lists])
        self._mask = np.array([[i < len(others) for i in range(width)] for others in lists])
        self._margin = np.array(tested)

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
        self.cleared = self.cleared & ~begins
        first = seen.harm[0]
        judged = (first.n_c > 0) & (first.n_s > 0) & (minute.minute_in_step >= rule.settle_minutes)
        judged = judged & (self.rows >= rule.warmup_minutes)
        self.rows += 1
        placed = self.prior.place(judged, judged & ~self.began)
        self.began = self.began | judged
        null = self._null()
        for part, harm, proof in zip(self.parts, seen.harm, seen.proof, strict=True):
            others = null[:, None] * as_row(rule.grid)
            nats = split_nats(harm, null, others, part.dispersion.phi, self.cap)
            part.harm.add(nats, placed, self.prior.spent, judged)
            self._prove(part, proof, minute.step, judged)
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

    def _prove(self, part: _Part, proof: Exposed, step: Whole, judged: Flags) -> None:
        if self.rule.needs_proof:
            nats = split_nats(proof, self._margin[step], self._others[step], part.dispersion.phi, self.cap)
            part.proof.add(nats, judged)

    def _clear(self, step: Whole, judged: Flags) -> None:
        if not self.rule.needs_proof:
            return
        mask = self._mask[step]
        odds = sum(w * part.proof.odds(mask) for w, part in zip(self.rule.parts, self.parts, strict=True))
        self.cleared = self.cleared | (judged & (odds >= CLEARED_AT))

    def proven(self, step: Whole) -> Flags:
        """Where the step asks for no proof of this metric, or has it."""
        asked = np.array([margin is not None and self.rule.share > 0 for margin in self.rule.margins or (None,)])
        return np.asarray((self.cleared & (self.step == step)) | ~asked[step])


@dataclass(slots=True)
class RailJudge:
    """One hard limit over all rollouts."""

    rail: Rail
    versus: float
    prior: Prior
    mixture: Mixture
    stable: Stable
    fired: Flags
    began: Flags
    step: Whole

    @classmethod
    def of(cls, rail: Rail, rollouts: int, later_steps: int, *, latency: bool) -> RailJudge:
        limit = Rail(LATENCY_RAIL_RATE, rail.versus_stable) if latency else rail
        versus = LATENCY_RAIL_VERSUS if latency else rail.versus_stable
        no = np.zeros(rollouts, dtype=bool)
        made = Mixture.of(rollouts, len(RAIL_GRID))
        return cls(
            limit, versus, Prior.of(rollouts, later_steps), made, Stable.of(rollouts), no, no, np.full(rollouts, -1)
        )

    def minute(self, seen: Exposed, step: Whole) -> None:
        """Take one row in: every minute with canary exposures counts."""
        self.began = self.began & (step == self.step)
        self.step = step
        self.stable.note(seen.n_s, seen.e_s)
        counts = seen.n_c > 0
        placed = self.prior.place(counts, counts & ~self.began)
        self.began = self.began | counts
        null = np.minimum(0.95, np.maximum(self.rail.rate, self.versus * self.stable.now()))[:, None]
        others = null + (1 - null) * as_row(RAIL_GRID)
        good = (seen.n_c - seen.e_c)[:, None]
        nats = (seen.e_c[:, None] * np.log(others / null) + good * np.log((1 - others) / (1 - null))) / RAIL_PHI
        self.mixture.add(nats, placed, self.prior.spent, counts)
        self.fired = self.fired | (self.mixture.odds >= RAIL_NEED)

    @property
    def incident(self) -> Flags:
        """Stable itself is over the limit."""
        return self.stable.now(_INCIDENT_EXPOSURES) > self.rail.rate


@dataclass(slots=True)
class VectorJudge:
    """`minute` takes rows in order. Metrics with a lag are read so much later, as the tick does."""

    rules: Rules
    rollouts: int
    metrics: dict[str, MetricJudge] = field(init=False)
    rails: dict[str, RailJudge] = field(init=False)
    crossed: Flags = field(init=False)
    _waiting: dict[str, deque[Minute]] = field(init=False)

    def __post_init__(self) -> None:
        later = self.rules.judged_steps - 1
        self.metrics = {rule.name: MetricJudge(self.rules, rule, self.rollouts) for rule in self.rules.metrics}
        self.rails = {
            rule.name: RailJudge.of(rule.rail, self.rollouts, later, latency=rule.is_latency)
            for rule in self.rules.metrics
            if rule.rail is not None
        }
        self.crossed = np.zeros(self.rollouts, dtype=bool)
        self._waiting = {rule.name: deque() for rule in self.rules.metrics}

    def minute(self, minute: Minute) -> Ruling:
        """Take one row in and say what is proven by now."""
        for name, judge in self.metrics.items():
            waiting = self._waiting[name]
            waiting.append(minute)
            if len(waiting) > judge.rule.lag_minutes:
                self._take(name, judge, waiting.popleft())
        return self._ruling(minute)

    def _take(self, name: str, judge: MetricJudge, minute: Minute) -> None:
        judge.minute(minute)
        seen, rail = minute.metrics[name].rail, self.rails.get(name)
        if seen is not None and rail is not None:
            rail.minute(seen, minute.step)

    def _ruling(self, minute: Minute) -> Ruling:
        shares = {name: judge.rule.share * judge.odds for name, judge in self.metrics.items()}
        odds = np.minimum(np.asarray(sum(shares.values())), HUGE)
        self.crossed = self.crossed | (odds >= 1 / self.rules.budget)
        no = np.zeros(self.rollouts, dtype=bool)
        cleared = ~no
        for judge in self.metrics.values():
            cleared = cleared & judge.proven(minute.step)
        railed, incident = no, no
        for rail in self.rails.values():
            railed, incident = railed | rail.fired, incident | rail.incident
        return Ruling(minute.step, odds, self.crossed.copy(), railed, incident, cleared, shares)
