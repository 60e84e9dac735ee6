"""What others do to an endpoint under a rollout, and clocks that are wrong: values that a hunt can draw, shrink and print."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sluice.sim.promises import Promises
from sluice.sim.strikes import Moment, Strike
from sluice.sim.turmoil import Turmoil
from tests.tick.incidents import live

LONG = 100_000
"""More calls than a hunt makes."""


@dataclass(frozen=True, slots=True)
class Steered:
    """A script of somebody else sets its own weights, every so many seconds and for good."""

    every_seconds: int
    canary: int

    def happen(self, world: Turmoil, promises: Promises) -> None:
        rollout = live(world)
        if rollout is not None:
            promises.person_changed()
            world.steer(self.every_seconds, {rollout.from_slot: 10_000 - self.canary, rollout.to_slot: self.canary})


@dataclass(frozen=True, slots=True)
class Swapped:
    """A person moves the endpoint to a configuration of their own, which has only one of the variants."""

    keeps_canary: bool

    def happen(self, world: Turmoil, promises: Promises) -> None:
        rollout = live(world)
        if rollout is None or world.status != "InService":
            return
        kept = rollout.to_slot if self.keeps_canary else rollout.from_slot
        if kept not in world.variants:
            return
        promises.person_changed(removed=not self.keeps_canary or kept != rollout.from_slot)
        world.configs["theirs"] = {kept: world.configs[world.config_name][kept]}
        world.config_name, world.modified_at = "theirs", world.now
        world.variants = {kept: replace(world.variants[kept], current_weight=1.0, desired_weight=1.0)}


@dataclass(frozen=True, slots=True)
class Skewed:
    """The clocks of our functions are off, as AWS's are not."""

    seconds: int

    def happen(self, world: Turmoil, promises: Promises) -> None:
        world.skew_seconds = self.seconds


@dataclass(frozen=True, slots=True)
class Away:
    """A whole service answers nothing but errors, until the world heals."""

    calls: tuple[str, ...]

    def happen(self, world: Turmoil, promises: Promises) -> None:
        world.strikes += [Strike(call, Moment.BEFORE, world.fail, times=LONG) for call in self.calls]


CLOUDWATCH = Away(("alarms.states", "alarms.force", "metrics.rows", "metrics.quantiles"))
METRICS = Away(("metrics.rows", "metrics.quantiles"))
STEP_FUNCTIONS = Away(("clocks.start", "clocks.runs"))
PARAMETERS = Away(("mirrors.write", "mirrors.read"))
