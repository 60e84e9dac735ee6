"""What a world shows besides requests: means of what requests led to, and levels such as the use of a GPU.

Beside `world`, with a chance of its own, so that a policy's other numbers do not move when it judges one of these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sluice.forecast.arrays import Floats, ratio
from sluice.forecast.minutes import LevelMinute, MeanMinute, Observed
from sluice.forecast.wander import Wander
from sluice.forecast.world import World

_LEVEL_NOISE = 0.05
"""Standard deviation of a level's logarithm, for each side."""


@dataclass(slots=True)
class Gauges:
    """`begin_minute` once a minute, with the world's. Identical variants differ in a mean as they do in a rate."""

    world: World
    chance: np.random.Generator
    _lasting: dict[str, Floats]
    _wander: dict[tuple[str, str], Wander]

    @classmethod
    def beside(cls, world: World) -> Gauges:
        chance = world.chance.spawn(1)[0]
        nature, count, base = world.nature, world.rollouts, world.base
        noises = dict.fromkeys(sorted(base.means), nature.outcome_noise)
        noises |= dict.fromkeys(sorted(base.levels), _LEVEL_NOISE)
        lasting = {name: nature.identical * chance.uniform(-1, 1, count) for name in noises}
        wander = {
            (name, side): Wander.of(chance, count, sd, nature.persistence)
            for name, sd in noises.items()
            for side in ("canary", "stable")
        }
        return cls(world, chance, lasting, wander)

    def begin_minute(self) -> None:
        for wander in self._wander.values():
            wander.step(self.chance)

    def mean(self, name: str, at: int, n_c: Floats, n_s: Floats) -> MeanMinute:
        """Single values with a gamma distribution: the total is exact, the squares those of a normal sample with that spread."""
        effect = self.world.effect
        factor = 1 + (effect.means.get(name, 1.0) - 1) * effect.strength(at)
        sides = self._factor(name, "canary") * factor, self._factor(name, "stable")
        return MeanMinute(self._observed(name, n_c, sides[0]), self._observed(name, n_s, sides[1]))

    def level(self, name: str, at: int) -> LevelMinute:
        """In multiples of the limit; an effect says where the canary's level goes."""
        effect, usual = self.world.effect, self.world.base.levels[name]
        strength = effect.strength(at)
        hurt = (1 - strength) * usual + strength * effect.levels.get(name, usual)
        return LevelMinute(hurt * self._factor(name, "canary"), usual * self._factor(name, "stable"))

    def _factor(self, name: str, side: str) -> Floats:
        lasting = self._lasting[name] if side == "canary" else np.zeros(self.world.rollouts)
        return np.asarray(np.exp(lasting + self._wander[name, side].value))

    def _observed(self, name: str, requests: Floats, mean: Floats) -> Observed:
        base = self.world.base.means[name]
        count = self.chance.binomial(requests.astype(np.int64), base.per_request).astype(float)
        total = self.chance.gamma(count / base.spread**2, mean * base.spread**2)
        around = 2 * self.chance.standard_gamma(np.maximum(count - 1, 0) / 2) * (mean * base.spread) ** 2
        return Observed(count, total, ratio(total**2, count) + around)
