"""The table does not answer when an alarm goes off: what is done on the mirror's word alone, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.alarm import on_alarm
from sluice.core.observation import AlarmFacts
from sluice.core.reaction import AlarmEvent
from sluice.core.rollout import Phase
from sluice.ports import StoreUnavailable
from sluice.sim.strikes import Moment, Strike
from sluice.sim.turmoil import Turmoil
from sluice.submit import submit
from tests.builders import policy, submission
from tests.tick.incidents import made
from tests.tick.stages import GREEN_ERRORS, begun, head_of, rollout_of, until_phase

RAIL = f"{GREEN_ERRORS}-rail"
BACK = {"blue": 10_000, "green": 0}


@pytest.fixture
def world() -> Turmoil:
    return begun()[0]


def told(world: Turmoil, name: str = GREEN_ERRORS, **changes: object) -> dict[str, int]:
    """Where traffic goes after the event came and the table did not answer."""
    world.store.refuses_reads = True
    event = replace(AlarmEvent(name, "ALARM", world.now, "errors"), **changes)
    handled = on_alarm(world.ports, event, redelivered=False)
    assert [type(done.fault) for done in handled] == [StoreUnavailable], "so that it is delivered again, and recorded"
    world.pass_seconds(30)
    return world.weights_truth()


def test_the_canarys_alarm_takes_it_back(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 5000)

    assert told(world) == BACK


def test_an_event_from_before_its_exposure_moves_nothing(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 5000)
    exposed = rollout_of(world).first_exposure_at
    assert exposed is not None

    assert told(world, since=exposed - 1) == {"blue": 5000, "green": 5000}


def test_a_rehearsal_moves_nothing(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 5000)

    assert told(world, rehearsal_of="shop-1") == {"blue": 5000, "green": 5000}


@pytest.mark.parametrize(
    ("phase", "parts", "after"),
    [(Phase.BAKING, 5000, {"blue": 5000, "green": 5000}), (Phase.SOAKING, 10_000, BACK)],
)
def test_the_rail_is_obeyed_only_without_control(
    world: Turmoil, phase: Phase, parts: int, after: dict[str, int]
) -> None:
    until_phase(world, phase, parts)

    assert told(world, RAIL) == after


def test_traffic_is_not_sent_to_a_slot_without_an_instance(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 5000)
    world.lose_instances("blue")

    assert told(world) == {"blue": 5000, "green": 5000}


def test_an_alarm_of_the_other_slot_moves_nothing(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 5000)

    assert told(world, GREEN_ERRORS.replace("green", "blue")) == {"blue": 5000, "green": 5000}


def test_trouble_at_one_endpoint_does_not_keep_the_event_from_the_others() -> None:
    """An alarm that two policies list, and the first endpoint's record makes the function stumble."""
    world, _ = made()
    world.alarm_states["checkout"] = AlarmFacts("checkout", "OK", 0)
    submit(world.ports, submission(policy=policy(alarms=("checkout",))))
    until_phase(world, Phase.BAKING, 1000)
    document = world.store.heads["shop"]
    world.store.heads["a-shop"] = {**document, "endpoint": "a-shop"}
    seen: list[str] = []

    def stumble(call: str) -> None:
        seen.append(call)
        if len(seen) == 3:  # both heads are read to find who lists the alarm; then the first one to act on it
            raise RuntimeError("who would have thought")

    world.strikes.append(Strike("store.head", Moment.BEFORE, stumble, times=100))

    handled = on_alarm(world.ports, AlarmEvent("checkout", "ALARM", world.now, "slow"), redelivered=False)

    assert [done.fault is not None for done in handled] == [True, False]
    assert head_of(world).live is not None
    assert rollout_of(world).is_latched


def test_an_alarm_that_only_a_policy_lists_is_delivered_again_because_nobody_knows_whose_it_is(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 5000)
    world.store.refuses_reads = True

    with pytest.raises(StoreUnavailable):
        on_alarm(world.ports, AlarmEvent("checkout", "ALARM", world.now, "slow"), redelivered=False)
