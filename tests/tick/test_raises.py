"""A raise is made only while its intent is the last word and its time has not run out; going back waits for neither."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sluice.apply import settle
from sluice.core.actions import SetWeights
from sluice.core.decision import change
from sluice.core.rollout import Phase
from sluice.sim.strikes import Moment, Strike
from sluice.sim.turmoil import Turmoil
from tests.tick.stages import begun, head_of, until_phase

RAISED = {"blue": 5000, "green": 5000}


@pytest.fixture
def world() -> Turmoil:
    world = begun()[0]
    until_phase(world, Phase.BAKING, 1000)
    return world


def nothing(world: Turmoil) -> None:
    """Nobody else is there."""


def another_record(world: Turmoil) -> None:
    """Somebody else decides something; no weight call of theirs keeps the endpoint busy."""
    head = head_of(world)
    settle(world.ports, head, change(head, "noted", "somebody else", 5), "another", {})


def time_passes(world: Turmoil) -> None:
    world.pass_seconds(10)


def asked(world: Turmoil, after_the_record: Callable[[Turmoil], None], call_before: int | None) -> list[object]:
    """The weight calls that a decision for RAISED comes to."""
    world.strikes.append(Strike("store.commit", Moment.AFTER, lambda _: after_the_record(world)))
    head, before = head_of(world), len(world.calls)
    call = SetWeights("shop", RAISED, call_before)
    settle(world.ports, head, change(head, "raised", "up", 5, call), "tick", {})
    return [detail for _, name, detail in world.calls[before:] if name == "set_weights"]


def test_a_raise_that_nothing_came_before_is_made(world: Turmoil) -> None:
    assert asked(world, nothing, world.now + 10) == [RAISED]


@pytest.mark.parametrize("meanwhile", [another_record, time_passes])
def test_a_raise_is_not_made_after_another_record_or_its_time(
    world: Turmoil, meanwhile: Callable[[Turmoil], None]
) -> None:
    assert asked(world, meanwhile, world.now + 10) == []


@pytest.mark.parametrize("meanwhile", [another_record, time_passes])
def test_a_way_back_is_made_all_the_same(world: Turmoil, meanwhile: Callable[[Turmoil], None]) -> None:
    assert asked(world, meanwhile, None) == [RAISED]
