"""One level over many rollouts, a minute per call. `sluice.core.judge.level` over arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sluice.forecast.arrays import Flags, Whole
from sluice.forecast.minutes import Minute
from sluice.forecast.rules import LevelRule


@dataclass(slots=True)
class LevelJudge:
    """For how many minutes in a row each side has been beyond the limit; `fired` is final."""

    rule: LevelRule
    canary: Whole
    stable: Whole
    fired: Flags

    @classmethod
    def of(cls, rule: LevelRule, rollouts: int) -> LevelJudge:
        none = np.zeros(rollouts, dtype=np.int64)
        return cls(rule, none, none, np.zeros(rollouts, dtype=bool))

    def minute(self, minute: Minute) -> None:
        """Take one row in."""
        seen = minute.levels[self.rule.name]
        high = self.rule.bad_high
        self.canary = np.where(seen.canary > 1 if high else seen.canary < 1, self.canary + 1, 0)
        self.stable = np.where(seen.stable > 1 if high else seen.stable < 1, self.stable + 1, 0)
        self.fired = self.fired | (self.beyond & (self.stable < self.rule.minutes))

    @property
    def beyond(self) -> Flags:
        return np.asarray(self.canary >= self.rule.minutes)

    @property
    def incident(self) -> Flags:
        """Stable is beyond its limit, too."""
        return self.beyond & ~self.fired
