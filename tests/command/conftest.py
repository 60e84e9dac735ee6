"""The simulated world with v1 on it, and words for what tests do with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sluice.core.observation import AlarmFacts, ConfiguredVariant, Variant
from sluice.core.rollout import Phase
from sluice.sim.world import World
from sluice.submit import adopt, submit
from tests.builders import SETTINGS, alarms, release, submission


@pytest.fixture
def world() -> World:
    made = World()
    made.variants = {"blue": Variant(1, 1, 1, 1)}
    made.models = {"model-v1": release("v1")}
    made.configs = {"bootstrap": {"blue": ConfiguredVariant("model-v1", "ml.m5.large")}}
    names = [name for slot in alarms().values() for name in (*slot.relative, *slot.rails)]
    made.alarm_states = {name: AlarmFacts(name, "OK", 0) for name in names}
    made.pass_seconds(1)
    adopt(made.ports, "shop", ("blue", "green"), SETTINGS)
    return made


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
