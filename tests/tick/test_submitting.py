"""What a rollout needs must be there before anything is recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.errors import BadInput, Refused
from sluice.core.observation import AlarmFacts
from sluice.sim.world import World
from sluice.submit import adopt, submit
from tests.builders import SETTINGS, submission
from tests.tick.stages import GREEN_ERRORS
from tests.worlds import adopted_world, head_of


@pytest.fixture
def world() -> World:
    return adopted_world()


def test_a_release_whose_archive_is_gone_is_refused_and_nothing_begins(world: World) -> None:
    world.artifact_faults = ("the artifact of v2 is gone",)

    with pytest.raises(Refused, match="v2 cannot be rolled out: the artifact of v2 is gone"):
        submit(world.ports, submission())
    assert head_of(world).live is None


def test_a_rollout_without_the_alarm_that_would_take_it_back_is_refused(world: World) -> None:
    world.alarm_states[GREEN_ERRORS] = AlarmFacts(GREEN_ERRORS, None, 0)

    with pytest.raises(Refused, match=f"alarm {GREEN_ERRORS} does not exist"):
        submit(world.ports, submission())
    assert head_of(world).live is None


def test_an_endpoint_that_splits_its_traffic_is_not_taken_over(world: World) -> None:
    """Nobody could say which of the variants is the champion."""
    world.store.heads.clear()
    world.variants = {
        slot: replace(world.variants["blue"], current_weight=1, desired_weight=1) for slot in ("blue", "green")
    }

    with pytest.raises(
        BadInput, match="must serve everything from one variant to be taken over, but has blue 50 %, green 50 %"
    ):
        adopt(world.ports, "shop", ("blue", "green"), SETTINGS)
    assert world.store.head("shop") is None
