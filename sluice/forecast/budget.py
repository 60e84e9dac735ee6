"""`harm_budget` over many rollouts: the largest weight with which each may begin its next step. `sluice.core.harm_budget` over arrays."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sluice.core.decision import BAKE_SECONDS
from sluice.core.harm_budget import RECENT_ROWS, is_counted
from sluice.core.judge.harm import WORSE
from sluice.core.judge.interval import CONFIDENCE_NEED, GRID
from sluice.core.judge.prior import LATER_STEPS
from sluice.core.judge.rails import NEED, PHI
from sluice.core.policy import Policy, RateMetric, Step
from sluice.core.weights import WHOLE
from sluice.forecast.arrays import Flags, Floats, Whole, ratio
from sluice.forecast.from_policy import judged, rules_of
from sluice.forecast.metric_judge import MetricJudge
from sluice.forecast.minutes import Exposed, Minute
from sluice.forecast.rules import Rule
from sluice.forecast.segment_judge import SegmentJudge
from sluice.forecast.vector_judge import VectorJudge

_MINUTE = 60
_ALMOST_ALL = 1 - 1e-9
_RATIOS = np.array(GRID)
_PRIOR = np.exp(-np.abs(np.log2(_RATIOS)))
_WORSE = np.array(WORSE)


@dataclass(frozen=True, slots=True)
class Known:
    """One rate after a row, per rollout: exposures a minute (0: none yet), stable's rate, dispersion, tempered sums by step."""

    trials: Floats
    rate: Floats
    phi: Floats
    sums: Floats

    def of(self, which: Flags) -> Known:
        """Of some of the rollouts."""
        return Known(self.trials[which], self.rate[which], self.phi[which], self.sums[..., which])

    @property
    def most_ratio(self) -> Floats:
        """The upper end of the time-uniform interval for the ratio; infinite where nothing bounds it."""
        n_c, e_c, n_s, e_s = self.sums[..., None]
        weighted, alive = n_c * _RATIOS, (n_c > 0) & (n_s > 0)
        both = np.log(np.where(alive, weighted + n_s, 1.0))
        likely = e_c * (np.log(np.where(alive, weighted, 1.0)) - both) + e_s * (
            np.log(np.where(alive, n_s, 1.0)) - both
        )
        total = np.where(alive, likely, 0.0).sum(axis=0)
        best = total.max(axis=1, keepdims=True)
        average = (np.exp(total - best) @ _PRIOR / _PRIOR.sum())[:, None]
        last = len(_RATIOS) - 1 - (total > best + np.log(average / CONFIDENCE_NEED))[:, ::-1].argmax(axis=1)
        return np.where(last == len(_RATIOS) - 1, np.inf, _RATIOS[np.minimum(last + 1, len(_RATIOS) - 1)])


def budget_of(policy: Policy, rps: float, rollouts: int) -> Budget | None:
    """None for a policy whose weights nothing limits."""
    return None if policy.harm_budget is None else Budget(policy, rps, rollouts)


@dataclass(slots=True)
class Budget:
    """Follows the judge row by row (`note`), and says from what was known then how large a step may begin (`shares`)."""

    policy: Policy
    rps: float
    rollouts: int
    rules: dict[str, Rule] = field(init=False)
    _sums: dict[str, Floats] = field(init=False)
    _recent: dict[str, list[Floats]] = field(init=False)
    _waiting: dict[str, deque[Minute]] = field(init=False)

    def __post_init__(self) -> None:
        self.rules = {
            rule.name: rule for rule in rules_of(self.policy).metrics if is_counted(self.policy.metrics[rule.name])
        }
        steps = len(judged(self.policy))
        self._sums = {name: np.zeros((4, steps, self.rollouts)) for name in self.rules}
        self._recent = {name: [] for name in self.rules}
        self._waiting = {name: deque() for name in self.rules}

    def before(self, judge: VectorJudge) -> dict[str, Floats]:
        """The dispersion that the next row will be judged with."""
        return {name: _whole(judge, name).parts[0].dispersion.phi for name in self.rules}

    def note(self, minute: Minute, was: Mapping[str, Floats], judge: VectorJudge) -> dict[str, Known]:
        """After the judge took the minute in: what is known now."""
        return {name: self._known(name, minute, was[name], _whole(judge, name)) for name in self.rules}

    def _known(self, name: str, minute: Minute, was: Floats, judge: MetricJudge) -> Known:
        newest, waiting = minute.metrics[name].harm[0], self._waiting[name]
        self._recent[name] = [*self._recent[name][1 - RECENT_ROWS :], newest.n_c + newest.n_s]
        waiting.append(minute)
        if len(waiting) > self.rules[name].lag_minutes:
            self._take(name, waiting.popleft(), was, judge.rows - 1)
        trials = np.max(self._recent[name], axis=0)
        return Known(trials, judge.stable.slow_rate, judge.parts[0].dispersion.phi, self._sums[name])

    def _take(self, name: str, minute: Minute, was: Floats, index: int) -> None:
        """A row of the metric's own time; `was` is the dispersion it was judged with."""
        seen = minute.metrics[name].harm[0]
        counts = (index >= self.rules[name].warmup_minutes) & (seen.n_c > 0) & (seen.n_s > 0)
        steps = self._sums[name].shape[1]
        self._sums[name] = self._sums[name] + _tempered(seen, was, np.asarray(counts), minute.step, steps)

    def first(self) -> dict[str, Known]:
        """Before there is a row."""
        none, steps = np.zeros(self.rollouts), len(judged(self.policy))
        return {
            name: Known(none, none + 1 / 500, np.maximum(1.0, none + rule.phi0), np.zeros((4, steps, self.rollouts)))
            for name, rule in self.rules.items()
        }

    def shares(self, index: int, knew: Mapping[str, Known], which: Flags) -> Floats:
        """The canary's share in step `index`, of the rollouts that begin it."""
        step, budget = judged(self.policy)[index], self.policy.harm_budget
        assert budget is not None
        cases = [self._case(name, known.of(which), step) for name, known in knew.items()]

        def worst(parts: Whole) -> Floats:
            return np.asarray(np.max([case.excess(parts / WHOLE) for case in cases], axis=0))

        high = np.full(int(which.sum()), step.weight_parts)
        low = np.ones_like(high)
        low = np.where(worst(high) <= budget, high, low)
        while (high - low > 1).any():
            middle = (low + high) // 2
            fits = worst(middle) <= budget
            low, high = np.where(fits, middle, low), np.where(fits, high, np.maximum(middle, low))
        return np.asarray(low / WHOLE)

    def _case(self, name: str, known: Known, step: Step) -> _Case:
        trials = np.where(known.trials > 0, known.trials, self.rps * _MINUTE)
        metric = self.policy.metrics[name]
        assert isinstance(metric, RateMetric)
        return _Case(self.policy, self.rules[name], metric, step, trials, known)


@dataclass(slots=True)
class _Case:
    """The worst case of one rate in one step. Formulas: `core.harm_budget.excess`."""

    policy: Policy
    rule: Rule
    metric: RateMetric
    step: Step
    trials: Floats
    known: Known
    null: Floats = field(init=False)
    ratios: Floats = field(init=False)
    counts: Flags = field(init=False)
    """[rollouts, ratios]: those tried, and which of them the evidence leaves open."""

    def __post_init__(self) -> None:
        rate = self.known.rate
        self.null = np.minimum(7.0, np.maximum(self.rule.tolerate_ratio, 1 + self.rule.tolerate_absolute / rate))
        worst = np.minimum(self.known.most_ratio, 1 / rate)
        grid = self.null[:, None] * _WORSE
        self.ratios = np.concatenate([grid, worst[:, None]], axis=1)
        open_to = np.concatenate([grid < worst[:, None], np.ones((len(rate), 1), dtype=bool)], axis=1)
        self.counts = open_to & (worst > self.null)[:, None]

    def excess(self, share: Floats) -> Floats:
        """Bad requests more than stable would have had, until it is known and undone."""
        policy = self.policy
        blind = (policy.judge.data_lag_seconds + BAKE_SECONDS + policy.rollback.target_seconds) / _MINUTE
        seen = np.minimum(self._minutes(share), max(1.0, self.step.bake_max_seconds / _MINUTE))
        each = (self.trials * share * self.known.rate)[:, None] * (self.ratios - 1) * (seen + blind)
        return np.asarray(np.where(self.counts, each, 0.0).max(axis=1))

    def _minutes(self, share: Floats) -> Floats:
        """Minutes of average counts until the canary is taken back, for each ratio; at least one."""
        policy, rules = self.policy, rules_of(self.policy)
        began = LATER_STEPS / max(1, rules.judged_steps - 1)
        canary, stable = (self.trials * share)[:, None], (self.trials * (1 - share))[:, None]
        bad = np.minimum(1.0, self.known.rate[:, None] * self.ratios)
        events = canary * bad + stable * self.known.rate[:, None]
        weighted = canary * self.null[:, None]
        below = np.log((weighted + stable)[..., None] / ((weighted[..., None] * _WORSE) + stable[..., None]))
        gains = (canary * bad)[..., None] * np.log(_WORSE) + events[..., None] * below
        soft = np.minimum(gains / self.known.phi[:, None, None], rules.cap(self.rule)).max(axis=2)
        need = np.log(len(WORSE) / (began * policy.judge.false_rollback_budget * self.rule.share))
        lost = policy.judge.warmup_seconds / _MINUTE
        minutes = np.where(soft > 0, ratio(np.full_like(soft, need), soft) + lost, np.inf)
        hard = self._rail_gain(canary, bad)
        sooner = np.where(hard > 0, ratio(np.full_like(hard, np.log(NEED * len(WORSE) / began)), hard), np.inf)
        return np.maximum(1.0, np.minimum(minutes, sooner))

    def _rail_gain(self, canary: Floats, bad: Floats) -> Floats:
        """Nats a minute against the rail; 0 where it is not crossed."""
        rail = self.metric.rail
        if rail is None:
            return np.zeros_like(bad)
        null = np.maximum(rail.rate, rail.versus_stable * self.known.rate)[:, None]
        over, sure = bad > null, np.minimum(bad, _ALMOST_ALL)
        limit = np.where(over, null, 0.5)
        nats = sure * np.log(sure / limit) + (1 - sure) * np.log((1 - sure) / (1 - limit))
        return np.where(over, canary * nats / PHI, 0.0)


def _whole(judge: VectorJudge, name: str) -> MetricJudge:
    found = judge.metrics[name]
    whole = found.whole if isinstance(found, SegmentJudge) else found
    assert isinstance(whole, MetricJudge)
    return whole


def _tempered(seen: Exposed, phi: Floats, counts: Flags, step: Whole, steps: int) -> Floats:
    """What a judged minute adds to the sums of its step: exposures as they are, events divided by the dispersion."""
    here = (np.arange(steps)[:, None] == step[None, :]) & counts
    values = np.stack([seen.n_c, seen.e_c / phi, seen.n_s, seen.e_s / phi])
    return np.asarray(np.where(here[None], values[:, None, :], 0.0))
