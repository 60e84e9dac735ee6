"""Autoscaling over a rollout's whole life: suspended from preparing to the end, exactly restored, wherever a function is killed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.audit import chain_faults, replay
from sluice.core.observation import Variant
from sluice.core.rollout import SUSPENDED, Phase, ScalingMode, ScalingTarget
from sluice.sim.account import Killed
from sluice.sim.world import World
from sluice.submit import submit
from tests.builders import submission
from tests.tick.test_life import GREEN_ERRORS, world
from tests.worlds import at_weight, ended, head_of, in_phase

__all__ = ["world"]

BLUE = ScalingTarget("blue", 1, 8, (), ({"PolicyName": "by-load", "PolicyType": "TargetTrackingScaling"},))


@pytest.fixture
def scaled(world: World) -> World:
    """v1 runs on four instances that autoscaling chose."""
    world.variants = {"blue": Variant(1, 1, 4, 4)}
    world.scalable = {"blue": BLUE}
    return world


def restored(world: World) -> None:
    world.run(lambda: not head_of(world).scaling, 1800)
    assert head_of(world).scaling == ()
    assert chain_faults(world.store.events("shop")) == ()
    assert replay(world.store.events("shop")) == head_of(world)


def test_suspended_with_headroom_until_the_soak_is_over_and_then_as_it_was(scaled: World) -> None:
    submit(scaled.ports, submission())
    scaled.run(at_weight(scaled, 1000))
    assert scaled.scalable["blue"].suspended == SUSPENDED
    assert {slot: v.current_instances for slot, v in scaled.variants.items()} == {"blue": 6, "green": 6}
    scaled.run(in_phase(scaled, Phase.SOAKING))
    assert scaled.scalable["blue"].suspended == SUSPENDED

    scaled.run(ended(scaled))
    restored(scaled)

    assert scaled.scalable == {"blue": BLUE, "green": replace(BLUE, slot="green")}, (
        "what serves now scales like what served"
    )


def test_a_rollback_gives_it_back_and_needs_none_of_it(scaled: World) -> None:
    submit(scaled.ports, submission())
    scaled.run(at_weight(scaled, 5000))

    def fail(name: str) -> None:
        assert name not in ("register_target", "deregister_target"), "a rollback does not touch autoscaling"

    scaled.before_call = fail
    scaled.set_alarm(GREEN_ERRORS, "ALARM")
    scaled.deliver()
    scaled.run(lambda: scaled.canary_parts() == 0, 600)
    scaled.set_alarm(GREEN_ERRORS, "OK")
    scaled.before_call = lambda name: None
    scaled.run(ended(scaled))
    restored(scaled)

    assert scaled.scalable["blue"] == BLUE


@pytest.mark.parametrize("nth", range(1, 5))
def test_killed_at_any_of_its_calls_it_ends_the_same(scaled: World, nth: int) -> None:
    calls = 0

    def kill(name: str) -> None:
        nonlocal calls
        calls += name == "register_target"
        if name == "register_target" and calls == nth:
            raise Killed(name)

    scaled.before_call = kill
    submit(scaled.ports, submission())
    for _ in range(5):
        try:
            scaled.run(lambda: ended(scaled)() and not head_of(scaled).scaling, 6 * 3600)
        except Killed:
            continue

    outcome = head_of(scaled).outcome
    assert outcome is not None
    assert outcome.phase is Phase.SETTLED
    assert scaled.scalable["blue"] == BLUE
    assert scaled.scalable["green"].suspended == ()


def test_opted_out_nothing_is_touched(scaled: World) -> None:
    submit(scaled.ports, submission(scaling=ScalingMode.KEEP))
    scaled.run(ended(scaled))

    assert scaled.scalable == {"blue": BLUE}
    assert not [name for _, name, _ in scaled.calls if name.endswith("register_target")]


def test_a_rollback_that_waits_for_a_busy_endpoint_says_for_how_long(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    world.busy_for(600)
    world.set_alarm(GREEN_ERRORS, "ALARM")
    world.deliver()
    world.pass_seconds(120)

    assert world.tick().blocked_seconds == 120
