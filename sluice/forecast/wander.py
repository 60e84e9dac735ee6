"""Noise that lasts from one minute to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sluice.forecast.arrays import Floats


@dataclass(slots=True)
class Wander:
    """Noise that lasts: an AR(1) of the given standard deviation, one per rollout."""

    sd: float
    persistence: float
    value: Floats

    @classmethod
    def of(cls, chance: np.random.Generator, rollouts: int, sd: float, persistence: float) -> Wander:
        return cls(sd, persistence, sd * chance.standard_normal(rollouts))

    def step(self, chance: np.random.Generator) -> Floats:
        fresh = self.sd * np.sqrt(1 - self.persistence**2) * chance.standard_normal(self.value.shape)
        self.value = self.persistence * self.value + fresh
        return self.value
