"""The simulated world that tests of the tick start from: shop, adopted with v1 in blue, every alarm OK."""

from __future__ import annotations

from collections.abc import Callable

from sluice.core.head import Head
from sluice.core.observation import AlarmFacts, ConfiguredVariant, Variant
from sluice.core.rollout import EndpointSettings, Phase, Rollout
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


def rollout_of(world: World) -> Rollout:
    rollout = head_of(world).live
    assert rollout is not None
    return rollout


def in_phase(world: World, *phases: Phase) -> Callable[[], bool]:
    return lambda: (live := head_of(world).live) is not None and live.phase in phases


def at_weight(world: World, parts: int) -> Callable[[], bool]:
    """In a bake with this weight."""
    return lambda: in_phase(world, Phase.BAKING)() and rollout_of(world).canary_parts == parts


def ended(world: World) -> Callable[[], bool]:
    return lambda: head_of(world).live is None
