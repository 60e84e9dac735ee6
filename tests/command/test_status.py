"""`status` answers five questions from its answer alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from sluice.command import status
from sluice.core.conditions import OnNewRelease
from sluice.core.errors import BadInput
from sluice.core.rollout import Phase
from sluice.sim.world import World
from sluice.submit import submit
from sluice.tell import Caller, Order, tell
from tests.builders import policy, release, submission

Until = Callable[..., None]


def test_before_any_rollout_it_says_what_serves_and_that_nothing_is_tried(world: World) -> None:
    found = status(world.ports, "shop")

    assert (found["schema"], found["endpoint"], found["now"]) == (1, "shop", world.now)
    assert (found["live"]["release"], found["slot"]) == ("v1", "blue")
    assert found["seen"] == {
        "status": "InService",
        "parts": {"blue": 10_000},
        "desired_parts": {"blue": 10_000},
        "fault": None,
    }
    assert (found["rollout"], found["last_outcome"]) == (None, None)
    assert found["next"] == "nothing until `pulumi up` submits a release"
    assert json.loads(json.dumps(found)) == found


def test_in_a_bake_it_says_the_weights_the_last_sentence_and_what_comes_next(world: World, until: Until) -> None:
    until(Phase.BAKING, 1000)
    world.run(lambda: False, 130)
    world.pass_seconds(20)

    rollout = status(world.ports, "shop")["rollout"]

    assert (rollout["release"], rollout["stable"], rollout["to_slot"]) == ("v2", "v1", "green")
    assert (rollout["phase"], rollout["step"], rollout["steps"]) == ("baking", 1, 3)
    assert (rollout["canary_parts"], rollout["desired_parts"], rollout["actual_parts"]) == (1000, 1000, 1000)
    assert rollout["said"].startswith("holding 10 %: 2 min ")
    assert 20 <= world.now - rollout["said_at"] < 120
    assert rollout["next"]["sentence"].startswith("may go to 50 % in 1 min ")
    assert rollout["stop"] == "abort"


def test_a_weight_that_is_asked_for_and_not_yet_there_is_told_apart(world: World, until: Until) -> None:
    until(Phase.SHIFTING, 1000)

    rollout = status(world.ports, "shop")["rollout"]

    assert (rollout["canary_parts"], rollout["desired_parts"], rollout["actual_parts"]) == (1000, 1000, 0)


def test_before_the_slot_exists_the_canary_is_at_zero(world: World, until: Until) -> None:
    until(Phase.PREPARING)

    rollout = status(world.ports, "shop")["rollout"]

    assert (rollout["step"], rollout["actual_parts"], rollout["stop"]) == (0, 0, "abort")


def test_an_alarms_decision_is_newer_than_the_last_look(world: World, until: Until) -> None:
    until(Phase.BAKING, 5000)
    world.run(lambda: False, 100)
    world.set_alarm("sluice/sluice/test/shop/green/errors", "ALARM")
    world.deliver()

    rollout = status(world.ports, "shop")["rollout"]

    assert rollout["said"] == "rolling back v2 from 50 %: alarm sluice/sluice/test/shop/green/errors went off"
    assert rollout["said_at"] == world.now
    assert rollout["stop"] is None, "it is being taken back already"


def test_once_promoted_only_rollback_takes_it_back_also_while_paused(world: World, until: Until) -> None:
    until(Phase.SOAKING)
    soaking = status(world.ports, "shop")
    world.console_change(blue=5000, green=5000)
    world.run(lambda: world.store.head("shop").live.phase is Phase.PAUSED, 900)
    paused = status(world.ports, "shop")

    assert (soaking["live"]["release"], soaking["rollout"]["stop"]) == ("v2", "rollback")
    assert (paused["rollout"]["phase"], paused["rollout"]["stop"]) == ("paused", "rollback")
    assert paused["rollout"]["actual_parts"] == 5000, "what a person did is seen at once"


def test_without_sagemakers_word_the_record_is_still_told(world: World, until: Until) -> None:
    class Silent:
        def describe(self, endpoint: str) -> None:
            raise TimeoutError("no answer")

    until(Phase.BAKING, 1000)
    found = status(replace(world.ports, endpoints=Silent()), "shop")

    assert found["seen"] == {
        "status": None,
        "parts": None,
        "desired_parts": None,
        "fault": "TimeoutError: no answer",
    }
    assert (found["rollout"]["canary_parts"], found["rollout"]["actual_parts"]) == (1000, None)
    assert found["heartbeat"]["because"]


def test_after_the_end_it_says_how_and_what_becomes_of_the_slot(world: World, until: Until) -> None:
    until(Phase.BAKING, 1000)
    world.set_alarm("sluice/sluice/test/shop/green/errors", "ALARM")
    world.run(lambda: world.store.head("shop").live is None)

    found = status(world.ports, "shop")

    assert found["rollout"] is None
    assert found["last_outcome"]["phase"] == "rolled_back"
    assert "; slot green is given up in 59 min" in found["next"], "an hour of evidence, by the policy"


def test_an_unknown_endpoint_lists_the_known_ones(world: World) -> None:
    with pytest.raises(BadInput, match=r"endpoint 'shopp' is not known here \(known: shop\)"):
        status(world.ports, "shopp")


def test_a_stop_and_a_queued_release_are_told_whatever_the_phase(world: World) -> None:
    submit(world.ports, submission(policy=policy(on_new_release=OnNewRelease.QUEUE)))
    tell(world.ports, Order("stop", "shop", Caller("ann", proven=False), "sale", None))
    submit(world.ports, submission(release=release("v3"), nonce="3", submitted_by="arn:ci"))

    found = status(world.ports, "shop")

    assert (found["queued"]["release"], found["queued"]["submitted_by"]) == ("v3", "arn:ci")
    assert [each["kind"] for each in found["obstacles"]] == ["stopped"]
    assert found["obstacles"][0]["sentence"].startswith("unproven:ann stopped every step up 0 s ago: sale;")


def test_an_order_that_leaves_the_phase_alone_is_the_last_word_with_its_own_time(world: World, until: Until) -> None:
    until(Phase.BAKING, 1000)
    world.pass_seconds(40)
    tell(world.ports, Order("promote", "shop", Caller("arn:aws:iam::1:user/ann", proven=True), "it is urgent", None))
    world.pass_seconds(5)

    rollout = status(world.ports, "shop")["rollout"]

    assert rollout["said"].startswith("arn:aws:iam::1:user/ann promotes v2")
    assert world.now - rollout["said_at"] == 5
    assert rollout["phase_since"] < rollout["said_at"] - 40


def test_under_a_stop_the_next_step_is_not_promised(world: World, until: Until) -> None:
    until(Phase.BAKING, 1000)
    tell(world.ports, Order("stop", "shop", Caller("ann", proven=True), "incident", None))

    assert (
        "no step up before what stands in its way is gone" in status(world.ports, "shop")["rollout"]["next"]["sentence"]
    )


def test_it_names_the_releases_that_one_can_go_back_to(world: World, until: Until) -> None:
    assert status(world.ports, "shop")["kept"] == []
    until(Phase.SOAKING)
    assert [kept["release"] for kept in status(world.ports, "shop")["kept"]] == ["v1"]
    world.run(lambda: world.store.head("shop").live is None)

    assert [kept["release"] for kept in status(world.ports, "shop")["kept"]] == ["v1"]
