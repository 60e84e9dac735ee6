"""Where tests of faults begin: v2 submitted in a world that runs by itself, and the words for how far it came."""

from __future__ import annotations

from sluice.core.head import Head
from sluice.core.rollout import Phase, Rollout
from sluice.sim.promises import Promises
from sluice.sim.turmoil import Turmoil
from sluice.submit import submit
from tests.tick.incidents import NAMES, made, next_submission

DAY = 24 * 3600
GREEN_ERRORS = next(name for name in NAMES if name.endswith("green/errors"))


def begun() -> tuple[Turmoil, Promises]:
    world, promises = made()
    submit(world.ports, next_submission(world))
    return world, promises


def head_of(world: Turmoil) -> Head:
    head = world.store.head("shop")
    assert head is not None
    return head


def rollout_of(world: Turmoil) -> Rollout:
    rollout = head_of(world).live
    assert rollout is not None, head_of(world).outcome
    return rollout


def until_phase(world: Turmoil, phase: Phase, parts: int | None = None) -> None:
    def there() -> bool:
        rollout = head_of(world).live
        return rollout is not None and rollout.phase is phase and parts in (None, rollout.canary_parts)

    world.live(3 * 3600, there)
    assert there(), world.said[-3:]


def until_ended(world: Turmoil, limit_seconds: int = 2 * DAY) -> None:
    world.live(limit_seconds, lambda: head_of(world).live is None)
    assert head_of(world).live is None, world.said[-3:]


def ended_as(world: Turmoil) -> tuple[Phase, str]:
    outcome = head_of(world).outcome
    assert outcome is not None
    return outcome.phase, outcome.because
