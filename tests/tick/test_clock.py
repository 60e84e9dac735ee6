"""One clock at a time, which hands over before its history is full."""

from __future__ import annotations

import pytest

from sluice.core.errors import EndpointBusy
from sluice.core.rollout import Phase
from sluice.sim.strikes import Moment, Strike
from sluice.sim.turmoil import Turmoil
from sluice.tick import CLOCK_TICKS, tick
from tests.tick.stages import begun, rollout_of, until_phase


@pytest.fixture
def world() -> Turmoil:
    world = begun()[0]
    until_phase(world, Phase.BAKING, 1000)
    return world


def test_a_clock_that_was_replaced_decides_nothing_and_ends(world: Turmoil) -> None:
    rollout, before = rollout_of(world), len(world.calls)
    world.traffic.error_rate = {"green": 1.0}
    world.pass_seconds(600)

    ticked = tick(world.ports, "shop", rollout.id, rollout.clock_generation - 1, 0)

    assert ticked.done
    assert rollout_of(world) == rollout
    assert world.calls[before:] == []


def test_a_clock_hands_over_before_its_history_is_full(world: Turmoil) -> None:
    rollout = rollout_of(world)

    ticked = tick(world.ports, "shop", rollout.id, rollout.clock_generation, CLOCK_TICKS)

    assert ticked.done
    assert rollout_of(world).clock_generation == rollout.clock_generation + 1
    assert world.runs(rollout_of(world).clock_name)


def test_an_update_that_a_busy_endpoint_refused_is_not_taken_for_a_silent_fallback() -> None:
    world = begun()[0]

    def busy(call: str) -> None:
        raise EndpointBusy("Cannot update in-progress endpoint")

    world.strikes.append(Strike("endpoints.update", Moment.BEFORE, busy))
    until_phase(world, Phase.REHEARSING)

    assert "update_refused" in [event.kind for event in world.store.events("shop")]
