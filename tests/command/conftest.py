"""The simulated world with v1 on it, and words for what tests do with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sluice.core.rollout import Phase
from sluice.sim.world import World
from sluice.submit import submit
from tests.builders import submission
from tests.worlds import adopted_world


@pytest.fixture
def world() -> World:
    return adopted_world()


@pytest.fixture
def until(world: World) -> Callable[..., None]:
    """Submit v2 and let time pass until it is in a phase, at a weight if one is given."""

    def go(phase: Phase, parts: int | None = None) -> None:
        submit(world.ports, submission())

        def there() -> bool:
            live = world.store.head("shop").live
            return live is not None and live.phase is phase and parts in (None, live.canary_parts)

        world.run(there)
        assert there()

    return go
