"""The simulated world that tests of the tick start from: shop, adopted with v1 in blue, every alarm OK."""

from __future__ import annotations

from sluice.core.head import Head
from sluice.core.observation import AlarmFacts, ConfiguredVariant, Variant
from sluice.core.rollout import EndpointSettings
from sluice.sim.world import World
from sluice.submit import adopt
from tests.builders import SETTINGS, alarms, release


def adopted_world(settings: EndpointSettings = SETTINGS) -> World:
    world = World()
    world.variants = {"blue": Variant(1, 1, 1, 1)}
    world.models = {"model-v1": release("v1")}
    world.configs = {"bootstrap": {"blue": ConfiguredVariant("model-v1", "ml.m5.large")}}
    names = [name for slot in alarms().values() for name in (*slot.relative, *slot.rails)]
    world.alarm_states = {name: AlarmFacts(name, "OK", 0) for name in names}
    world.pass_seconds(1)
    adopt(world.ports, "shop", ("blue", "green"), settings)
    return world


def head_of(world: World) -> Head:
    head = world.store.head("shop")
    assert head is not None
    return head
