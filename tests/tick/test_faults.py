"""Faults that hunts and readers found, each once and by name, in a world that runs by itself."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.core.observation import DELETED
from sluice.core.rollout import Phase
from sluice.sim.strikes import CallFailed, Moment, Strike, fail, kill
from sluice.sim.turmoil import Turmoil
from tests.tick.stages import DAY, GREEN_ERRORS, begun, ended_as, head_of, rollout_of, until_ended, until_phase


@pytest.fixture
def world() -> Turmoil:
    """v2 has been submitted against v1; the promises are looked at after every step."""
    return begun()[0]


def test_a_canary_that_loses_its_instances_does_not_wait_for_them_for_ever(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 1000)
    world.lose_instances("green")

    until_ended(world, 8 * 3600)

    phase, because = ended_as(world)
    assert phase is Phase.ROLLED_BACK
    assert "slot green has 0 of 1 instances" in because
    assert [call for call in world.calls if call[1] == "set_instances"] == [], (
        "a call for counts would keep the endpoint from taking a way back for minutes"
    )


def test_an_endpoint_that_stays_busy_in_a_bake_does_not_hold_for_ever(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 1000)
    world.occupy(3 * 3600, "SystemUpdating")

    until_ended(world)

    phase, because = ended_as(world)
    assert phase is Phase.ROLLED_BACK
    assert "endpoint is SystemUpdating" in because
    assert world.weights_truth() == {"blue": 10_000, "green": 0}


def test_an_endpoint_that_never_comes_back_ends_as_failed_and_pages(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 1000)
    world.occupy(30 * DAY)

    until_ended(world, 2 * DAY)

    phase, because = ended_as(world)
    assert phase is Phase.FAILED
    assert "no weight call was accepted for 24 h" in because
    assert world.notices[-1].subject == "shop: v2 failed"


def test_an_endpoint_that_is_busy_while_stable_is_verified_does_not_keep_the_rollout_open_for_ever(
    world: Turmoil,
) -> None:
    until_phase(world, Phase.BAKING, 1000)
    world.set_alarm(GREEN_ERRORS, "ALARM")
    until_phase(world, Phase.VERIFYING)
    world.occupy(30 * DAY)

    until_ended(world, 2 * DAY)

    phase, because = ended_as(world)
    assert phase is Phase.FAILED
    assert "endpoint is Updating" in because


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.REHEARSING, Phase.SHIFTING, Phase.BAKING, Phase.SOAKING])
def test_an_endpoint_that_was_deleted_ends_the_rollout(world: Turmoil, phase: Phase) -> None:
    until_phase(world, phase)
    world.delete_endpoint()

    until_ended(world, 3600)

    ended, because = ended_as(world)
    assert ended is Phase.FAILED
    assert "endpoint shop is Deleted" in because
    world.live(3 * DAY, lambda: head_of(world).cleanup is None)
    assert head_of(world).cleanup is None, "and nothing is left to look after"


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.SHIFTING, Phase.BAKING, Phase.SOAKING])
def test_an_endpoint_that_was_only_said_to_be_gone_has_stable_serve_everything(world: Turmoil, phase: Phase) -> None:
    """One wrong answer; the look after it finds the endpoint with the canary still on it."""
    until_phase(world, phase)
    kept: dict[str, Any] = {}

    def hide(_: str) -> None:
        kept.update(status=world.status, variants=world.variants)
        world.status, world.variants = DELETED, {}

    def show(_: str) -> None:
        world.status, world.variants = kept["status"], kept["variants"]

    world.strikes += [
        Strike("endpoints.describe", Moment.BEFORE, hide),
        Strike("endpoints.describe", Moment.AFTER, show),
    ]

    until_ended(world)

    ended, because = ended_as(world)
    assert ended is Phase.ROLLED_BACK
    assert "endpoint shop is Deleted" in because
    assert {slot: parts for slot, parts in world.weights_truth().items() if parts} == {"blue": 10_000}


def test_a_person_who_finishes_the_last_step_by_hand_has_promoted_it(world: Turmoil) -> None:
    """The raise to 100 % is lost, a person sets something else and then 100 %."""
    until_phase(world, Phase.BAKING, 5000)
    world.strikes.append(Strike("endpoints.set_weights", Moment.BEFORE, fail))
    until_phase(world, Phase.SHIFTING, 10_000)
    world.in_console(blue=2000, green=8000)
    until_phase(world, Phase.PAUSED)
    world.in_console(blue=0, green=10_000)
    until_ended(world)

    assert ended_as(world)[0] is Phase.SETTLED
    assert head_of(world).champion.release.name == "v2"
    assert "promoted" in [event.kind for event in world.store.events("shop")]


def test_a_rehearsal_does_not_take_back_what_a_person_set(world: Turmoil) -> None:
    until_phase(world, Phase.REHEARSING)
    world.in_console(blue=4000, green=6000)
    before = len(world.calls)

    world.live(30)

    assert [name for _, name, _ in world.calls[before:] if name == "set_weights"] == []


class TestNobodyTicks:
    """The clock is gone or its function fails: what the sweep does alone."""

    def broken_ticks(self, world: Turmoil) -> None:
        world.clocks_start = False
        world.executions.clear()

    def test_the_sweep_asks_again_when_the_endpoint_was_busy_at_its_first_try(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        self.broken_ticks(world)
        world.occupy(20 * 60)

        world.live(30 * 60)

        assert world.weights_truth() == {"blue": 10_000, "green": 0}

    def test_the_sweep_asks_again_when_it_was_killed_before_its_call(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        self.broken_ticks(world)
        world.strikes.append(Strike("endpoints.set_weights", Moment.BEFORE, kill))

        world.live(15 * 60)

        assert world.weights_truth() == {"blue": 10_000, "green": 0}

    def test_the_rollout_ends_all_the_same(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        self.broken_ticks(world)

        until_ended(world, 3600)

        phase, because = ended_as(world)
        assert phase is Phase.ROLLED_BACK
        assert "nobody could look at it for" in because

    def test_the_sweep_says_that_a_clock_could_not_be_started(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        self.broken_ticks(world)

        world.live(60)

        said = [sentence for _, who, sentence in world.said if who == "sweep"]
        assert "StartClock failed: the state machine does not exist" in said[-1]


def test_taking_back_does_not_need_the_alarms_to_be_readable(world: Turmoil) -> None:
    """CloudWatch is down; the endpoint is busy when the sweep has had enough."""
    until_phase(world, Phase.BAKING, 5000)
    world.strikes.append(Strike("alarms.states", Moment.BEFORE, fail, times=10_000))
    world.occupy(20 * 60)

    world.live(25 * 60)

    assert rollout_of(world).is_latched
    assert world.weights_truth() == {"blue": 10_000, "green": 0}


def test_a_call_that_failed_is_named_in_what_the_function_says() -> None:
    with pytest.raises(CallFailed, match=r"struck: endpoints\.describe"):
        fail("endpoints.describe")
