"""A rate that is judged by each value of a dimension, too: half of its evidence is theirs. `sluice.core.judge.rate` over arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from sluice.forecast.arrays import Flags, Floats, Whole
from sluice.forecast.metric_judge import MetricJudge
from sluice.forecast.minutes import MetricMinute, Minute
from sluice.forecast.rules import SEGMENTS, Rule, Rules


@dataclass(slots=True)
class SegmentJudge:
    """The metric as a whole, which is what proves margins, and each value that appeared."""

    rules: Rules
    rule: Rule
    rollouts: int
    whole: MetricJudge = field(init=False)
    segments: list[MetricJudge] = field(default_factory=list)
    rows: int = 0
    alone: Rule = field(init=False)
    """The rule of each value: it proves nothing and has no rail."""

    def __post_init__(self) -> None:
        self.alone = replace(self.rule, margins=(None,) * len(self.rule.margins), rail=None, segmented=False)
        self.whole = MetricJudge(self.rules, self.rule, self.rollouts)

    @property
    def odds(self) -> Floats:
        """M = .5 M_whole + .5 (sum of M_segment + 10 - S) / 10."""
        parts = sum((segment.odds for segment in self.segments), np.zeros(self.rollouts))
        return 0.5 * self.whole.odds + 0.5 * (parts + SEGMENTS - len(self.segments)) / SEGMENTS

    @property
    def proof(self) -> Floats:
        return self.whole.proof

    @property
    def cleared(self) -> Flags:
        return self.whole.cleared

    def proven(self, step: Whole) -> Flags:
        return self.whole.proven(step)

    def minute(self, minute: Minute) -> None:
        """Take one row in."""
        self.whole.minute(minute)
        name = self.rule.name
        seen = minute.metrics[name].segments[:SEGMENTS]
        while len(self.segments) < len(seen):
            self.segments.append(MetricJudge(self.rules, self.alone, self.rollouts, rows=self.rows))
        self.rows += 1
        for segment, exposed in zip(self.segments, seen, strict=True):
            segment.minute(replace(minute, metrics={name: MetricMinute((exposed,), (exposed,), None)}))
