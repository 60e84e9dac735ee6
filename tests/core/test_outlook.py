"""What comes next, phase by phase: the sentence, its moments, and what happens at the latest one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.conditions import Approval, ApprovalThen
from sluice.core.head import Cleanup
from sluice.core.orders import NO_ORDERS, Breach, Said, Wait, WaitFor
from sluice.core.outlook import Next, Then, between_rollouts, next_event
from sluice.core.policy import AfterSoak, IncidentThen, OnInconclusive, SharedIncident
from sluice.core.rollout import ENDED, Latch, Phase, Rehearsal
from tests.builders import NOW, head, policy, started, step


def coming(phase: Phase, after: int = 60, **changes: Any) -> Next:
    rollout = started(phase=phase, **{"phase_since": NOW, **changes}).live
    assert rollout is not None
    return next_event(rollout, NOW + after)


def baking(after: int, **changes: Any) -> Next:
    return coming(Phase.BAKING, after, **{"step": 0, "canary_parts": 1000, "applied_at": NOW, **changes})


def test_pending_is_taken_back_by_the_sweep_when_no_clock_comes() -> None:
    assert coming(Phase.PENDING) == Next(
        "its clock prepares it within seconds; not begun, it is taken back in 9 min", None, NOW + 600, Then.ROLL_BACK
    )


def test_preparing_waits_for_the_slot() -> None:
    found = coming(Phase.PREPARING)

    assert found.sentence.startswith("the rehearsal of its rollback, once slot green is built")
    assert (found.latest, found.then) == (NOW + 90 * 60, Then.ROLL_BACK)


def test_rehearsing_waits_for_the_answer_and_then_for_the_alarms() -> None:
    unanswered = coming(Phase.REHEARSING, rehearsal=Rehearsal("errors", NOW + 30, None))
    answered = coming(Phase.REHEARSING, rehearsal=Rehearsal("errors", NOW + 30, NOW + 35))

    assert unanswered.sentence == "10 % once the rollback path has answered; given up without an answer in 1 min 30 s"
    assert answered.sentence == "10 % once every alarm is OK and the endpoint is in service; given up in 9 min"
    assert (unanswered.latest, answered.latest) == (NOW + 150, NOW + 600)


def test_shifting_waits_for_the_weights() -> None:
    below = coming(Phase.SHIFTING, step=0, canary_parts=1000)
    whole = coming(Phase.SHIFTING, step=2, canary_parts=10_000)

    assert below.sentence == "the bake, once the endpoint serves 10 %; not served, it is taken back in 9 min"
    assert whole.sentence.startswith("the soak, once the endpoint serves 100 %")


def test_baking_may_go_on_at_the_earliest_after_its_minimum() -> None:
    assert baking(120) == Next(
        "may go to 50 % in 3 min at the earliest; without the evidence it holds from then on (in 13 min), "
        "and is taken back in 2 h 13 min",
        NOW + 300,
        NOW + 900,
        Then.HOLD,
    )


def test_baking_cannot_go_on_before_a_minute_is_known_however_short_its_minimum() -> None:
    short = policy(steps=(step(10, 60, 900), *policy().steps[1:]))

    assert baking(0, policy=short).earliest == NOW + 120 + 60


@pytest.mark.parametrize(("order", "target"), [("skip", "50 %"), ("promote", "100 %")])
def test_a_bake_that_a_person_hurries_waits_for_no_more_than_its_first_known_minute(order: str, target: str) -> None:
    hurried = replace(NO_ORDERS, **{order: Said("ann", NOW, "a fix")})

    found = baking(60, orders=hurried)

    assert found.sentence.startswith(f"may go to {target} in 2 min at the earliest; ")
    assert found.earliest == NOW + 120 + 60


def test_baking_past_its_minimum_waits_for_evidence_only() -> None:
    found = baking(301)

    assert found.sentence.startswith("goes to 50 % as soon as the evidence is there; without the evidence it holds")


def test_baking_past_its_maximum_is_held_but_not_for_ever() -> None:
    found = baking(1000)

    assert found.sentence == "goes to 50 % as soon as the evidence is there; without it taken back in 118 min 20 s"
    assert (found.latest, found.then) == (NOW + 900 + 7200, Then.ROLL_BACK)


def test_a_strict_step_is_taken_back_at_its_maximum() -> None:
    strict = policy(steps=(step(10, then=OnInconclusive.ROLLBACK), *policy().steps[1:]))

    found = baking(120, policy=strict)

    assert found.sentence == "may go to 50 % in 3 min at the earliest; without the evidence taken back in 13 min"
    assert (found.latest, found.then) == (NOW + 900, Then.ROLL_BACK)
    assert baking(900, policy=strict).sentence.endswith("without the evidence taken back at the next look")


def test_a_shared_incident_is_waited_out_as_long_as_the_policy_says() -> None:
    found = baking(300, incident_since=NOW + 240)
    patient = baking(
        300, incident_since=NOW + 240, policy=policy(shared_incident=SharedIncident(IncidentThen.HOLD, 900))
    )

    assert found.sentence == "goes on when the shared incident ends; if it lasts, taken back in 14 min"
    assert patient.then is Then.HOLD, "held like any other step, to the step's own limits"


def test_paused_waits_for_the_weights_that_were_asked_for() -> None:
    found = coming(Phase.PAUSED, step=0, canary_parts=1000)

    assert (
        found.sentence
        == "goes on when the canary is at 10 % again, as it was asked to be; otherwise taken back in 119 min"
    )


def test_soaking_settles_and_keeps_or_gives_up_the_old_slot() -> None:
    kept = coming(Phase.SOAKING, step=2, canary_parts=10_000, applied_at=NOW)
    retired = coming(Phase.SOAKING, step=2, canary_parts=10_000, policy=policy(after_soak=AfterSoak.RETIRE))

    assert kept.sentence == (
        "settles in 59 min if every alarm is OK, and slot blue keeps v1 warm; until then v1 is seconds away"
    )
    assert (kept.earliest, kept.latest) == (NOW + 3600, NOW + 3600 + 7200)
    assert "slot blue is given up" in retired.sentence


def test_rolling_back_pages_again_and_fails_after_a_day() -> None:
    latch = Latch(NOW - 10, "tick", "errors", True, None)

    found = coming(Phase.ROLLING_BACK, latch=latch)
    unlatched = coming(Phase.ROLLING_BACK)

    assert (found.latest, found.then) == (NOW + 1800, Then.PAGE)
    assert found.sentence.endswith("a person is paged in 29 min, and the rollout fails in 23 h 58 min")
    assert unlatched.sentence.endswith("fails in 23 h 59 min")


def test_verifying_ends_with_stables_alarms_quiet() -> None:
    found = coming(Phase.VERIFYING)

    assert found.sentence == (
        "ends as rolled back once the alarms of v1 are quiet, at the latest in 14 min; slot green is kept as evidence for 60 min"
    )
    assert found.then is Then.END


def test_whole_hours_are_said_as_hours() -> None:
    assert baking(0).sentence.endswith("is taken back in 2 h 15 min")
    assert coming(Phase.ROLLING_BACK, 0).sentence.endswith("fails in 24 h")


def test_between_rollouts_only_a_slot_may_have_its_time_to_come() -> None:
    quiet, waiting = head(), replace(head(), cleanup=Cleanup("green", NOW + 3600, None))

    assert between_rollouts(quiet, NOW) == "nothing until `pulumi up` submits a release"
    assert between_rollouts(waiting, NOW).endswith("; slot green is given up in 60 min")
    assert between_rollouts(waiting, NOW + 9000).endswith("given up at the next look")


@pytest.mark.parametrize("phase", sorted(set(Phase) - ENDED))
def test_every_phase_of_a_live_rollout_has_something_to_come(phase: Phase) -> None:
    assert coming(phase, step=0, canary_parts=1000, applied_at=NOW).sentence


class TestWhatPeopleSaid:
    ANN = Said("ann", NOW, "why")

    def asked(self, then: ApprovalThen) -> Next:
        steps = policy().steps
        gated = replace(steps[1], approval=Approval(("*",), 3600, then))
        return coming(
            Phase.AWAITING_APPROVAL, step=0, canary_parts=1000, policy=policy(steps=(steps[0], gated, steps[2]))
        )

    def test_an_approval_is_waited_for(self) -> None:
        assert self.asked(ApprovalThen.ROLLBACK) == Next(
            "50 % once `approve` is said; without it taken back in 59 min", None, NOW + 3600, Then.ROLL_BACK
        )
        assert self.asked(ApprovalThen.HOLD).latest == NOW + 3600 + 7200
        assert coming(Phase.AWAITING_APPROVAL, step=0).latest == NOW

    def test_a_pause_is_resumed(self) -> None:
        paused = coming(Phase.PAUSED, step=0, orders=replace(NO_ORDERS, pause=self.ANN))

        assert paused.sentence == "`resume` goes on; without it taken back in 119 min"

    def test_a_freeze_ends(self) -> None:
        wait = Wait(WaitFor.FREEZE, NOW, NOW + 600, "sale", 0)
        found = baking(60, orders=replace(NO_ORDERS, wait=wait))
        first = coming(Phase.REHEARSING, orders=replace(NO_ORDERS, wait=replace(wait, until=None)))

        assert (found.earliest, found.latest) == (NOW + 600, NOW + 7800)
        assert first.sentence == "10 % once nothing is in its way; otherwise taken back in 119 min"

    def test_harm_that_is_held_waits_for_a_person(self) -> None:
        found = baking(60, orders=replace(NO_ORDERS, breach=Breach(NOW, "errors")))

        assert found.sentence == "a person decides after harm; without a word taken back in 119 min"


def test_a_pause_that_was_just_asked_for_is_what_comes_next() -> None:
    pause = replace(NO_ORDERS, pause=Said("ann", NOW, "a ticket"))

    assert baking(60, orders=pause).sentence == (
        "stands still before its next step, until `resume`; without it taken back in 2 h"
    )
    assert coming(Phase.PENDING, orders=pause).sentence.startswith("its clock prepares it")


def test_a_bake_whose_step_something_else_stands_in_the_way_of_does_not_promise_it() -> None:
    rollout = started(phase=Phase.BAKING, phase_since=NOW, step=0, canary_parts=1000, applied_at=NOW).live
    assert rollout is not None

    blocked, free = (next_event(rollout, NOW + 60, is_blocked=is_blocked) for is_blocked in (True, False))

    assert blocked == replace(free, sentence=f"{free.sentence}; no step up before what stands in its way is gone")
    preparing = replace(rollout, phase=Phase.PREPARING)
    assert next_event(preparing, NOW, is_blocked=True) == next_event(preparing, NOW)
