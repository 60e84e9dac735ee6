"""What people tell a rollout, through the whole of it in the simulated world: recorded, obeyed, or refused with nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sluice.core.conditions import Approval, ApprovalThen, Hook, HookKind, OnNewRelease
from sluice.core.errors import BadInput, Forbidden, Refused, SluiceError, StaleRecord, UnknownSchema
from sluice.core.plan import Assumptions, plan
from sluice.core.record import encode
from sluice.core.rollout import Phase
from sluice.ports import StoreUnavailable
from sluice.sim.world import World
from sluice.submit import adopt, submit
from sluice.tell import Caller, Order, forbid, roll_back_to, submit_release, tell
from tests.builders import SETTINGS, policy, release, submission

ANN = Caller("arn:aws:sts::1:assumed-role/oncall/ann", proven=True)
BOB = Caller("arn:aws:sts::1:assumed-role/dev/bob", proven=True)
ONCALL = Approval(("arn:aws:sts::1:assumed-role/oncall/*",), 3600, ApprovalThen.ROLLBACK)
Until = Callable[..., None]


def order(action: str, caller: Caller = ANN, reason: str = "because", request: str | None = None) -> Order:
    return Order(action, "shop", caller, reason, request)


def said(world: World, action: str, **more: Any) -> str:
    return tell(world.ports, order(action, **more))


def live(world: World):
    return world.store.head("shop").live


def kinds(world: World) -> list[str]:
    return [event.kind for event in world.store.events("shop")]


def begun(world: World, **changes: Any) -> None:
    """v2 on a changed policy, until it bakes at 10 %."""
    submit(world.ports, submission(policy=policy(**changes), submitted_by=BOB.arn))
    world.run(lambda: live(world).phase is Phase.BAKING)


def approved_step() -> dict[str, Any]:
    first, second, last = policy().steps
    return {"steps": (first, replace(second, approval=ONCALL), last)}


def reaches(world: World, phase: Phase, limit: int = 4 * 3600) -> bool:
    world.run(lambda: live(world) is None or live(world).phase is phase, limit)
    return live(world) is not None and live(world).phase is phase


def test_paused_it_stays_and_resumed_it_goes_on(world: World, until: Until) -> None:
    until(Phase.BAKING)

    said(world, "pause")

    assert reaches(world, Phase.PAUSED, 60)
    world.run(lambda: False, 1800)
    assert (live(world).phase, world.canary_parts()) == (Phase.PAUSED, 1000)
    said(world, "resume")
    assert reaches(world, Phase.SOAKING)
    events = {event.kind: event for event in world.store.events("shop")}
    assert events["pause_asked"].by == events["resumed"].by == ANN.arn
    said_of = {key: events["pause_asked"].facts[key] for key in ("action", "reason", "request", "proven")}
    assert said_of == {"action": "pause", "reason": "because", "request": None, "proven": True}


def test_paused_before_any_traffic_it_rehearses_again(world: World, until: Until) -> None:
    until(Phase.PREPARING)
    said(world, "pause")
    assert reaches(world, Phase.PAUSED)
    assert world.canary_parts() == 0

    said(world, "resume")

    assert reaches(world, Phase.BAKING)
    assert kinds(world).count("rehearsal_answered") == 2


def test_a_skipped_bake_and_a_promotion_take_minutes_instead(world: World, until: Until) -> None:
    until(Phase.BAKING)
    began = world.now
    world.run(lambda: False, 200)

    said(world, "skip")
    world.run(lambda: live(world).step == 1)
    skipped = world.now
    said(world, "promote")

    assert reaches(world, Phase.SOAKING)
    assert skipped - began < 300
    assert world.now - skipped < 400


def test_a_promotion_does_not_go_without_requests(world: World, until: Until) -> None:
    until(Phase.BAKING)
    world.traffic.requests = 10

    said(world, "promote")

    assert not reaches(world, Phase.SOAKING, 1800)
    assert world.canary_parts() == 1000


def test_forced_it_does(world: World, until: Until) -> None:
    until(Phase.BAKING)
    world.traffic.requests = 2

    said(world, "force")

    world.run(lambda: world.canary_parts() == 5000, 120)
    assert world.canary_parts() == 5000
    world.run(lambda: False, 1800)
    assert world.canary_parts() == 5000, "one step only"


@pytest.mark.parametrize("action", ["abort", "rollback"])
@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.AWAITING_APPROVAL, Phase.SOAKING])
def test_the_way_back_is_open_in_every_phase(world: World, phase: Phase, action: str) -> None:
    begun(world, **(approved_step() if phase is Phase.AWAITING_APPROVAL else {}))
    if phase is Phase.PAUSED:
        said(world, "pause")
    assert reaches(world, phase)
    said(world, "stop")

    assert "because" in said(world, action)

    assert live(world).phase is Phase.ROLLING_BACK
    world.run(lambda: live(world) is None)
    assert world.canary_parts() == 0
    assert world.store.head("shop").champion.release.name == "v1"


class TestApproval:
    def test_the_step_begins_once_somebody_else_agrees(self, world: World) -> None:
        begun(world, **approved_step())
        assert reaches(world, Phase.AWAITING_APPROVAL)
        assert world.canary_parts() == 1000

        said(world, "approve")

        assert reaches(world, Phase.SOAKING)
        assert live(world).orders.approved is None, "an approval is for one step"

    @pytest.mark.parametrize(
        ("caller", "sentence"),
        [
            (BOB, "submitted v2, and nobody approves their own release"),
            (Caller("arn:aws:sts::1:assumed-role/dev/eve", True), "may not approve step 2"),
            (Caller(ANN.arn, proven=False), "an approval needs a caller that AWS has proven"),
        ],
    )
    def test_who_may_not_is_refused_and_recorded_and_nothing_changes(
        self, world: World, caller: Caller, sentence: str
    ) -> None:
        begun(world, **approved_step())
        assert reaches(world, Phase.AWAITING_APPROVAL)
        before = world.store.head("shop")

        with pytest.raises(Forbidden, match=sentence):
            said(world, "approve", caller=caller)

        after = world.store.head("shop")
        assert replace(after, version=0, chain="") == replace(before, version=0, chain="")
        last = list(world.store.events("shop"))[-1]
        assert (last.kind, last.by) == ("command_refused", caller.by)
        assert sentence in last.because

    def test_nobody_in_time_is_no(self, world: World) -> None:
        begun(world, **approved_step())
        assert reaches(world, Phase.AWAITING_APPROVAL)

        world.run(lambda: live(world) is None)

        assert world.store.head("shop").outcome.because == "v2 was rolled back: not approved within 60 min"


class TestStop:
    def test_no_step_begins_anywhere_until_it_is_lifted(self, world: World, until: Until) -> None:
        until(Phase.BAKING)

        stopped = tell(world.ports, replace(order("stop"), endpoint="*"))
        world.run(lambda: False, 1800)

        assert stopped == f"shop: every step up is stopped by {ANN.arn}: because"
        assert world.canary_parts() == 1000
        assert "waiting" in kinds(world)
        tell(world.ports, replace(order("lift"), endpoint="*"))
        assert reaches(world, Phase.SOAKING)

    def test_saying_it_twice_is_no_fault(self, world: World) -> None:
        everywhere = replace(order("stop"), endpoint="*")
        tell(world.ports, everywhere)

        assert "is stopped already, by" in tell(world.ports, everywhere)

    def test_an_endpoint_that_is_taken_over_under_a_stop_is_stopped_too(self, world: World) -> None:
        tell(world.ports, replace(order("stop"), endpoint="*"))

        adopt(world.ports, "other", ("blue", "green"), SETTINGS)

        assert world.store.head("other").stop == world.store.head("shop").stop

    def test_an_endpoint_that_could_not_be_told_is_named(self, world: World) -> None:
        world.store.refuses_writes = True

        with pytest.raises(StaleRecord, match="not everywhere: shop: StoreUnavailable"):
            tell(world.ports, replace(order("stop"), endpoint="*"))


class TestGatesAndHooks:
    def test_a_gate_that_does_not_agree_keeps_the_step_from_beginning(self, world: World) -> None:
        first, second, last = policy().steps
        gate = Hook(HookKind.HTTPS, "https://gate", 5, 1)
        world.hook_faults = {"https://gate": "does not agree: sale"}
        begun(world, steps=(first, replace(second, gates=(gate,)), last))

        world.run(lambda: False, 3600)
        assert world.canary_parts() == 1000
        assert kinds(world).count("gate_refused") == 2
        world.hook_faults = {}

        assert reaches(world, Phase.SOAKING)
        asked = [detail for _, name, detail in world.calls if name == "ask"]
        assert asked[0][1]["kind"] == "gate"
        assert (asked[0][1]["step"], asked[0][1]["weight_percent"]) == (2, 50)

    def test_hooks_run_after_the_weights_are_back_never_before(self, world: World) -> None:
        begun(world, on_rollback=(Hook(HookKind.HTTPS, "https://flags", 5, 1),))
        weights_at_call: list[int] = []
        world.before_call = lambda name: weights_at_call.append(world.canary_parts()) if name == "tell" else None

        said(world, "rollback")
        world.run(lambda: live(world) is None)

        assert weights_at_call == [0]
        (called,) = [detail[1] for _, name, detail in world.calls if name == "tell"]
        assert (called["kind"], called["weights_back_at"] is not None) == ("rolled_back", True)

    def test_not_while_a_person_gave_the_canary_traffic_again(self, world: World) -> None:
        begun(world, on_rollback=(Hook(HookKind.HTTPS, "https://flags", 5, 1),))
        said(world, "rollback")
        world.run(lambda: live(world).phase is Phase.VERIFYING)
        world.console_change(blue=5000, green=5000)

        world.tick()

        assert not [name for _, name, _ in world.calls if name == "tell"]


class TestAnotherRelease:
    def test_it_is_submitted_like_the_one_before(self, world: World, until: Until) -> None:
        until(Phase.BAKING)
        said(world, "abort")
        world.run(lambda: live(world) is None)

        sentence = submit_release(world.ports, order("submit", BOB), encode(release("v3")), "n3")

        assert sentence == "v3 was submitted against v1: blue to green"
        assert (live(world).policy, live(world).submitted_by) == (policy(), BOB.arn)
        assert reaches(world, Phase.SOAKING)

    def test_not_with_an_archive_that_is_gone(self, world: World, until: Until) -> None:
        until(Phase.BAKING)
        said(world, "abort")
        world.run(lambda: live(world) is None)
        world.artifact_faults = ("the artifact of v3 is gone",)

        with pytest.raises(Refused, match="v3 cannot be rolled out: the artifact of v3 is gone"):
            submit_release(world.ports, order("submit"), encode(release("v3")), "n3")

    def test_a_document_that_is_no_release_is_refused(self, world: World) -> None:
        with pytest.raises(BadInput, match="release"):
            submit_release(world.ports, order("submit"), {"name": "v3"}, "n3")

    def test_queued_it_begins_when_the_first_has_ended(self, world: World) -> None:
        begun(world, on_new_release=OnNewRelease.QUEUE, soak_seconds=600)

        submit(world.ports, submission(release=release("v3"), nonce="3"))
        world.run(lambda: live(world) is not None and live(world).release.name == "v3")

        assert world.store.head("shop").champion.release.name == "v2"
        assert reaches(world, Phase.SOAKING)

    def test_superseding_it_takes_the_first_back(self, world: World) -> None:
        begun(world, on_new_release=OnNewRelease.SUPERSEDE)

        submit(world.ports, submission(release=release("v3"), nonce="3"))
        world.run(lambda: live(world) is not None and live(world).release.name == "v3")

        assert world.store.head("shop").outcome.because == "v2 was rolled back: superseded by v3"


class TestBackTo:
    def settled(self, world: World) -> None:
        begun(world, soak_seconds=600)
        world.run(lambda: live(world) is None)
        assert world.store.head("shop").champion.release.name == "v2"

    def test_a_release_that_served_before_comes_back_within_minutes(self, world: World) -> None:
        self.settled(world)
        began = world.now

        sentence = roll_back_to(world.ports, order("rollback"), "v1")

        assert sentence == "v1 was submitted against v2: green to blue"
        world.run(lambda: world.canary_parts("blue") == 10_000)
        expected = plan(policy(), Assumptions()).restore_kept
        assert expected.earliest <= world.now - began <= expected.latest < 300, "its slot was still warm"
        assert not [name for at, name, _ in world.calls if at >= began and name == "update_endpoint"]

    def test_nothing_of_a_stop_or_freeze_is_in_its_way(self, world: World) -> None:
        self.settled(world)
        said(world, "stop")

        roll_back_to(world.ports, order("rollback"), "v1")
        world.run(lambda: world.canary_parts("blue") == 10_000)

        assert world.canary_parts("blue") == 10_000

    def test_to_stable_it_is_an_ordinary_rollback(self, world: World, until: Until) -> None:
        until(Phase.BAKING)

        assert roll_back_to(world.ports, order("rollback"), "v1").startswith(
            "rolling back v2 from 10 %: rolled back by"
        )

    def test_while_something_is_tried_whoever_names_another_is_told_that_none_need_be_named(
        self, world: World, until: Until
    ) -> None:
        until(Phase.BAKING)

        with pytest.raises(Refused, match="v2 is live: without `--to` it is taken back, and v1 serves."):
            roll_back_to(world.ports, order("rollback"), "v7")

    def test_one_whose_artifact_was_changed_since_is_refused_and_nothing_changes(self, world: World) -> None:
        self.settled(world)
        world.artifact_faults = ("the artifact of v1 was altered",)
        before = world.store.head("shop")

        with pytest.raises(Refused, match="v1 cannot be rolled out: the artifact of v1 was altered"):
            roll_back_to(world.ports, order("rollback"), "v1")
        assert world.store.head("shop") == before

    def test_an_unknown_release_is_refused(self, world: World) -> None:
        self.settled(world)

        with pytest.raises(Refused, match="no kept release is called 'v7'"):
            roll_back_to(world.ports, order("rollback"), "v7")


class TestReplay:
    def test_the_same_request_is_answered_as_the_first_time_and_does_nothing(self, world: World, until: Until) -> None:
        until(Phase.BAKING)
        first = said(world, "pause", request="r1")
        said(world, "resume", request="r2")

        again = said(world, "pause", request="r1")

        assert again == first
        assert live(world).orders.pause is None

    @pytest.mark.parametrize(
        "other", [{"action": "promote"}, {"action": "pause", "caller": BOB}, {"action": "pause", "reason": "other"}]
    )
    def test_an_id_is_for_one_command(self, world: World, until: Until, other: dict[str, Any]) -> None:
        until(Phase.BAKING)
        said(world, "pause", request="r1")

        with pytest.raises(Refused, match="request 'r1' was used before, for another command"):
            said(world, **other, request="r1")

    def test_a_refusal_is_repeated_too(self, world: World) -> None:
        begun(world, **approved_step())
        assert reaches(world, Phase.AWAITING_APPROVAL)
        for _ in range(2):
            with pytest.raises(Forbidden, match="nobody approves their own release"):
                said(world, "approve", caller=BOB, request="r1")

        assert kinds(world).count("command_refused") == 1

    def test_an_abort_that_was_caught_does_not_hit_the_next_rollout(self, world: World, until: Until) -> None:
        until(Phase.BAKING)
        first = said(world, "abort", request="r1")
        world.run(lambda: live(world) is None)
        submit(world.ports, submission(release=release("v3"), nonce="3"))

        assert said(world, "abort", request="r1") == first
        assert not live(world).is_latched

    @pytest.mark.parametrize(
        "fault",
        [StoreUnavailable("no events"), BadInput(("event 3: was damaged",)), UnknownSchema("event 3: schema 2")],
    )
    def test_a_trail_that_cannot_be_read_keeps_nobody_from_going_back(
        self, world: World, until: Until, monkeypatch: pytest.MonkeyPatch, fault: SluiceError
    ) -> None:
        until(Phase.BAKING)

        def away(*_: object) -> None:
            raise fault

        monkeypatch.setattr(type(world.store), "events", away)

        with pytest.raises(type(fault)):
            said(world, "pause", request="r1")
        assert said(world, "rollback", request="r2").startswith("rolling back v2")


@pytest.mark.parametrize("action", ["pause", "abort", "rollback", "approve", "force", "stop"])
def test_without_a_reason_nothing_happens(world: World, until: Until, action: str) -> None:
    until(Phase.BAKING)
    before = world.store.head("shop")

    for asked in (
        lambda: said(world, action, reason=" "),
        lambda: roll_back_to(world.ports, order("x", reason=""), "v1"),
        lambda: submit_release(world.ports, order("submit", reason=""), encode(release("v3")), "3"),
    ):
        with pytest.raises(BadInput, match="reason: missing"):
            asked()

    assert world.store.head("shop") == before


def test_what_nobody_knows_is_not_done(world: World) -> None:
    with pytest.raises(BadInput, match="action: must be one of abort, rollback, fall_back, approve, pause"):
        said(world, "destroy")
    with pytest.raises(BadInput, match="endpoint 'nowhere' is not known here"):
        tell(world.ports, replace(order("pause"), endpoint="nowhere"))


def test_asking_for_what_ones_class_does_not_allow_is_recorded(world: World) -> None:
    with pytest.raises(Forbidden, match="not yours"):
        forbid(world.ports, order("force"), "not yours")
    with pytest.raises(Forbidden):
        forbid(world.ports, replace(order("force"), endpoint="nowhere"), "not yours")

    assert kinds(world) == ["adopted", "command_refused"]
