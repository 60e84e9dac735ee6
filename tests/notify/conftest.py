"""The simulated world of the commands, with v1 on it."""

from __future__ import annotations

import pytest

from sluice.core.audit import Event
from sluice.core.rollout import Phase
from sluice.sim.world import World
from tests.command.conftest import until, world

__all__ = ["events", "until", "world"]


@pytest.fixture
def events(world: World, until) -> list[Event]:
    """Of a rollout that its alarm takes back."""
    until(Phase.BAKING, 1000)
    world.traffic.error_rate["green"] = 0.5
    world.run(lambda: world.store.head("shop").live is None)
    return list(world.store.events("shop"))
