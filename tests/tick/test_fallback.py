"""The fallback slot: carried at weight 0 through everything, and all of the traffic when a person says that both others are bad."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.alarm import on_alarm
from sluice.core.actions import Severity
from sluice.core.audit import chain_faults, replay
from sluice.core.errors import BadInput, Refused
from sluice.core.policy import AfterSoak
from sluice.core.reaction import AlarmEvent
from sluice.core.rollout import Fallback, Phase
from sluice.core.weights import WHOLE
from sluice.fallback import fall_back
from sluice.sim.world import World
from sluice.submit import submit
from sluice.tell import Caller, Order, tell
from tests.builders import policy, release, submission
from tests.worlds import adopted_world, at_weight, ended, head_of

FALLBACK = Fallback("fallback", release("v0"), 1)
WHY = "both answer nonsense"


@pytest.fixture
def world() -> World:
    return adopted_world()


def tried(world: World, name: str, **changes: object) -> None:
    submit(world.ports, submission(release=release(name), nonce=name, fallback=FALLBACK, **changes))


def parts(world: World) -> dict[str, int]:
    return {slot: found for slot, found in world.describe("shop").parts.items() if found}


def whole(world: World) -> None:
    events = list(world.store.events("shop"))
    assert chain_faults(events) == ()
    assert replay(events) == head_of(world)


def test_the_first_rollout_adds_the_slot_and_every_later_one_carries_it(world: World) -> None:
    tried(world, "v2", policy=policy(after_soak=AfterSoak.RETIRE))
    world.run(at_weight(world, 1000))
    assert head_of(world).fallback == FALLBACK
    assert set(world.variants) == {"blue", "green", "fallback"}
    model = world.configs[world.config_name]["fallback"].model_name
    assert world.models[model] == FALLBACK.release

    world.run(ended(world))
    world.run(lambda: "blue" not in world.variants)
    assert set(world.variants) == {"green", "fallback"}, "retiring a slot keeps it"
    tried(world, "v3")
    world.run(ended(world))
    assert world.configs[world.config_name]["fallback"].model_name == model
    assert parts(world) == {"blue": WHOLE}
    assert all(weights.get("fallback", 0) == 0 for _, weights in world.traffic.history)


def test_a_person_falls_back_in_the_middle_of_a_step(world: World) -> None:
    tried(world, "v2", instances=3)
    world.run(at_weight(world, 5000))

    said = fall_back(world.ports, "shop", "ann", WHY)

    assert f"falling back to v0 by ann: {WHY}; it has 1 of 3 instances, so requests may fail" in said.replace(
        "of 1", "of 3"
    )
    world.run(ended(world))
    assert parts(world) == {"fallback": WHOLE}
    head = head_of(world)
    assert (head.champion.slot, head.champion.release.name) == ("fallback", "v0")
    assert {entry.release_name for entry in head.quarantine} == {"v1", "v2"}
    assert head.outcome is not None
    assert head.outcome.phase is Phase.ROLLED_BACK
    assert [notice.subject for notice in world.notices if "falling back" in notice.subject] == [
        "shop: falling back to v0"
    ]
    whole(world)


def test_the_same_request_falls_back_once_and_keeps_who_asked(world: World) -> None:
    """Sent again after the next release came up from the fallback slot, it must not take that one down."""
    tried(world, "v2")
    world.run(at_weight(world, 5000))
    order = Order("fall_back", "shop", Caller("ann", proven=True), WHY, "r1")

    first = tell(world.ports, order)
    world.run(ended(world))
    tried(world, "v3")

    assert tell(world.ports, order) == first
    assert not head_of(world).live.is_latched
    (event,) = [event for event in world.store.events("shop") if "request" in event.facts]
    assert (event.by, event.facts["action"], event.facts["proven"]) == ("ann", "fall_back", True)


def test_a_busy_endpoint_is_asked_until_it_takes_the_call(world: World) -> None:
    tried(world, "v2")
    world.run(at_weight(world, 5000))
    world.busy_for(600)

    said = fall_back(world.ports, "shop", "ann", WHY)

    assert "the endpoint is busy: it is asked again" in said
    world.run(ended(world))
    assert parts(world) == {"fallback": WHOLE}
    whole(world)


def test_a_raise_in_flight_is_undone(world: World) -> None:
    tried(world, "v2")
    world.run(at_weight(world, 1000))
    live = head_of(world).live
    assert live is not None
    fall_back(world.ports, "shop", "ann", WHY)
    world.pass_seconds(30)
    world.console_change(blue=5000, green=5000, fallback=0)  # what SageMaker had accepted before lands now

    world.run(ended(world))

    assert parts(world) == {"fallback": WHOLE}


def test_an_alarm_after_it_and_asking_again_change_nothing(world: World) -> None:
    tried(world, "v2")
    world.run(at_weight(world, 5000))
    fall_back(world.ports, "shop", "ann", WHY)
    world.set_alarm("sluice/sluice/test/shop/green/errors", "ALARM")
    world.deliver()
    assert "already falling back" in fall_back(world.ports, "shop", "bob", WHY)
    world.run(ended(world))

    assert parts(world) == {"fallback": WHOLE}
    assert [event.kind for event in world.store.events("shop")].count("fell_back") == 1
    assert "serves from fallback already" in fall_back(world.ports, "shop", "bob", WHY)


def test_between_rollouts_it_is_one_call_or_nothing(world: World) -> None:
    tried(world, "v2")
    world.run(ended(world))
    before = head_of(world)
    world.busy_for(60)
    with pytest.raises(Refused, match="is busy and takes no weights now: nothing was changed"):
        fall_back(world.ports, "shop", "ann", WHY)
    assert head_of(world) == before

    world.pass_seconds(61)
    fall_back(world.ports, "shop", "ann", WHY)
    world.pass_seconds(60)

    assert parts(world) == {"fallback": WHOLE}
    assert head_of(world).champion.release.name == "v0"
    assert [entry.release_name for entry in head_of(world).quarantine] == ["v2"]
    whole(world)


def test_more_instances_come_once_nothing_is_tried(world: World) -> None:
    tried(world, "v2", instances=3)
    world.run(at_weight(world, 5000))
    fall_back(world.ports, "shop", "ann", WHY)
    world.run(ended(world))

    world.run(lambda: world.variants["fallback"].current_instances == 3)

    assert parts(world) == {"fallback": WHOLE}
    assert world.variants["fallback"].current_instances == 3


def test_the_next_release_starts_from_there_and_the_slot_stays(world: World) -> None:
    tried(world, "v2")
    world.run(at_weight(world, 5000))
    fall_back(world.ports, "shop", "ann", WHY)
    world.run(ended(world))
    with pytest.raises(Refused, match="quarantined"):
        tried(world, "v2")

    tried(world, "v3", policy=policy(after_soak=AfterSoak.RETIRE))
    assert head_of(world).live is not None
    assert head_of(world).live.from_slot == "fallback"
    world.run(ended(world))

    head = head_of(world)
    assert (head.champion.slot, head.champion.release.name) == ("blue", "v3")
    assert parts(world) == {"blue": WHOLE}
    assert head.cleanup is None, "the fallback slot is not retired, whatever the policy says"
    assert "fallback" in world.variants
    whole(world)


def test_while_it_comes_back_falling_back_leads_to_what_the_slot_holds(world: World) -> None:
    tried(world, "v2")
    world.run(at_weight(world, 5000))
    fall_back(world.ports, "shop", "ann", WHY)
    world.run(ended(world))
    other = replace(FALLBACK, release=release("v0b"))
    submit(world.ports, submission(release=release("v3"), nonce="v3", fallback=other))
    world.run(at_weight(world, 5000))

    fall_back(world.ports, "shop", "ann", WHY)
    world.run(ended(world))

    assert parts(world) == {"fallback": WHOLE}
    assert head_of(world).champion.release.name == "v0"
    assert {entry.release_name for entry in head_of(world).quarantine} == {"v1", "v2", "v3"}


def test_while_a_slot_is_being_built_it_works_too(world: World) -> None:
    tried(world, "v2")
    world.run(ended(world))
    tried(world, "v3")
    world.run(lambda: (live := head_of(world).live) is not None and live.phase is Phase.PREPARING)

    fall_back(world.ports, "shop", "ann", WHY)
    world.run(ended(world))

    assert parts(world) == {"fallback": WHOLE}
    whole(world)


def test_without_a_slot_a_reason_or_an_endpoint_it_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="has no fallback slot"):
        fall_back(world.ports, "shop", "ann", WHY)
    with pytest.raises(BadInput, match="reason: missing"):
        fall_back(world.ports, "shop", "ann", " ")
    with pytest.raises(BadInput, match="'shoe' is not known here"):
        fall_back(world.ports, "shoe", "ann", WHY)
    tried(world, "v2")
    world.run(lambda: head_of(world).fallback is not None)
    with pytest.raises(Refused, match="slot fallback has no instance yet"):
        fall_back(world.ports, "shop", "ann", WHY)


@pytest.mark.parametrize("live", [False, True])
def test_when_the_last_resort_fails_people_are_told_and_nothing_moves(world: World, live: bool) -> None:
    """Alone, and while a release comes back from it."""
    tried(world, "v2")
    world.run(at_weight(world, 1000))
    fall_back(world.ports, "shop", "me", WHY)
    world.run(ended(world))
    if live:
        tried(world, "v3")
        world.run(at_weight(world, 1000))
    before = parts(world)
    event = AlarmEvent("sluice/sluice/test/shop/fallback/errors-rail", "ALARM", world.now, "over its rail")

    on_alarm(world.ports, event, redelivered=False)

    assert parts(world) == before
    assert world.notices[-1].severity is Severity.PAGE
    assert world.notices[-1].subject == "shop: alarm without action"
