"""The judge over many rollouts at once, a minute per call. Decides what a minute proves; when to act on it is `rollouts`'."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sluice.forecast.arrays import HUGE, Flags, Floats, Whole
from sluice.forecast.level_judge import LevelJudge
from sluice.forecast.mean_judge import MeanJudge
from sluice.forecast.metric_judge import MetricJudge
from sluice.forecast.minutes import Minute
from sluice.forecast.rail_judge import RailJudge
from sluice.forecast.rules import Rule, Rules
from sluice.forecast.segment_judge import SegmentJudge

Comparing = MetricJudge | SegmentJudge | MeanJudge


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
    metrics: dict[str, Comparing] = field(init=False)
    rails: dict[str, RailJudge] = field(init=False)
    levels: dict[str, LevelJudge] = field(init=False)
    crossed: Flags = field(init=False)
    _waiting: dict[str, deque[Minute]] = field(init=False)

    def __post_init__(self) -> None:
        later = self.rules.judged_steps - 1
        self.metrics = {rule.name: self._compares(rule) for rule in self.rules.metrics}
        self.metrics |= {rule.name: MeanJudge(self.rules, rule, self.rollouts) for rule in self.rules.means}
        self.levels = {rule.name: LevelJudge.of(rule, self.rollouts) for rule in self.rules.levels}
        self.rails = {
            rule.name: RailJudge.of(rule.rail, self.rollouts, later, latency=rule.is_latency)
            for rule in self.rules.metrics
            if rule.rail is not None
        }
        self.crossed = np.zeros(self.rollouts, dtype=bool)
        self._waiting = {name: deque() for name in (*self.metrics, *self.levels)}

    def _compares(self, rule: Rule) -> MetricJudge | SegmentJudge:
        made = SegmentJudge if rule.segmented else MetricJudge
        return made(self.rules, rule, self.rollouts)

    def minute(self, minute: Minute) -> Ruling:
        """Take one row in and say what is proven by now."""
        for name, judge in {**self.metrics, **self.levels}.items():
            waiting = self._waiting[name]
            waiting.append(minute)
            if len(waiting) > judge.rule.lag_minutes:
                self._take(name, judge, waiting.popleft())
        return self._ruling(minute)

    def _take(self, name: str, judge: Comparing | LevelJudge, minute: Minute) -> None:
        judge.minute(minute)
        rail = self.rails.get(name)
        seen = minute.metrics[name].rail if rail is not None else None
        if seen is not None and rail is not None:
            rail.minute(seen, minute.step, minute.metrics[name].usual)

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
        for level in self.levels.values():
            if not level.rule.observed:
                railed, incident = railed | level.fired, incident | level.incident
        return Ruling(minute.step, odds, self.crossed.copy(), railed, incident, cleared, shares)
