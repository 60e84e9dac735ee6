"""The judge over many rollouts at once, a minute per call. Decides what a minute proves; when to act on it is `rollouts`'."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sluice.forecast.arrays import HUGE, Flags, Floats, Whole
from sluice.forecast.metric_judge import MetricJudge
from sluice.forecast.minutes import Minute
from sluice.forecast.rail_judge import RailJudge
from sluice.forecast.rules import Rules


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
        shares = {name: judge.rule.share * judge.odds for name, judge in self.metrics.items() if judge.rule.enforced}
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
