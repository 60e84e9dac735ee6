"""What a step waits for besides evidence, and what a person's word changes about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.actions import Notify
from sluice.core.ascent import FORCE_SECONDS, REHEARSED_SECONDS
from sluice.core.conditions import Approval, ApprovalThen, DatedFreeze, Hook, HookKind, OnBreach
from sluice.core.decide import decide
from sluice.core.decision import Decision
from sluice.core.head import Head
from sluice.core.observation import HookAnswer, Observation
from sluice.core.orders import Approved, Breach, Orders, Said, Wait, WaitFor
from sluice.core.rollout import Phase, Rehearsal
from tests.builders import NOW, policy, started
from tests.core.facts import endpoint, minutes, quiet, row, seen
from tests.core.rollouts import HEALTHY, PREPARED, baking, phase, soaking, weights

ANN = Said("arn:aws:iam::1:user/ann", NOW - 30, "because")
ONCALL = Approval(("arn:aws:iam::1:user/*",), 3600, ApprovalThen.ROLLBACK)
GATE = Hook(HookKind.HTTPS, "https://gate", 5, 1)
YES, NO = HookAnswer(True, "agreed"), HookAnswer(False, "does not agree: sale")
SALE = DatedFreeze("dates", "sale", NOW - 60, NOW + 600)
READY = {"rows": HEALTHY}
AT_10 = endpoint(9000, 1000)
HOLD = 7200
EARLY = {"since": NOW - 130}


def orders(**changes: Any) -> Orders:
    return replace(Orders(None, None, None, None, None, None, None, None), **changes)


def with_step(index: int, **changes: Any) -> dict[str, Any]:
    steps = list(policy().steps)
    steps[index] = replace(steps[index], **changes)
    return {"policy": policy(steps=tuple(steps))}


def at_10(head: Head | None = None, facts: Observation | None = None, now: int = NOW, **changes: Any) -> Decision:
    """A bake at 10 % whose time is over and whose evidence is there."""
    return decide(head or baking(**changes), facts or seen(AT_10, **READY), now)


def rehearsed(**changes: Any) -> Head:
    drill = changes.pop("rehearsal", Rehearsal("sluice/sluice/test/shop/green/errors", NOW - 20, NOW - 18))
    return started(phase=Phase.REHEARSING, phase_since=NOW - 30, prepared=PREPARED, rehearsal=drill, **changes)


def told(decision: Decision) -> list[str]:
    return [action.subject for action in decision.actions if isinstance(action, Notify)]


class TestStop:
    def head(self, **changes: Any) -> Head:
        return replace(baking(**changes), stop=ANN)

    def test_it_is_told_once_and_nothing_is_raised(self) -> None:
        first = at_10(self.head())
        again = at_10(replace(first.next, version=2))

        assert (first.kind, weights(first), told(first)) == ("waiting", [], ["shop: rollout waits"])
        assert (again.kind, weights(again)) == (None, [])
        assert "stopped every step up (because)" in first.because

    def test_a_stop_that_lasts_takes_the_canary_back(self) -> None:
        waiting = orders(wait=Wait(WaitFor.STOP, NOW - HOLD - 1, None, "x", 0))

        assert phase(at_10(self.head(orders=waiting))) is Phase.ROLLING_BACK

    def test_lifted_it_goes_on(self) -> None:
        waiting = orders(wait=Wait(WaitFor.STOP, NOW - 60, None, "x", 0))

        assert phase(at_10(orders=waiting)) is Phase.SHIFTING

    def test_a_way_back_to_an_older_release_is_not_stopped(self) -> None:
        head = replace(rehearsed(is_emergency=True), stop=ANN)

        assert phase(decide(head, seen(), NOW)) is Phase.SHIFTING


class TestFreeze:
    FROZEN = policy(freeze=(SALE,))

    def test_no_step_begins_until_its_end_and_rolling_back_does(self) -> None:
        waiting = at_10(policy=self.FROZEN)
        harmful = at_10(policy=self.FROZEN, facts=seen(AT_10, alarms=quiet(green_errors="ALARM"), **READY))

        assert (waiting.kind, weights(waiting)) == ("waiting", [])
        assert waiting.next.live.orders.wait == Wait(WaitFor.FREEZE, NOW, NOW + 600, waiting.because, 0)
        assert phase(harmful) is Phase.ROLLING_BACK

    def test_a_long_freeze_is_no_hold_nobody_decided_about(self) -> None:
        year_end = replace(SALE, start=NOW - 20 * HOLD)
        wait = Wait(WaitFor.FREEZE, NOW - 20 * HOLD, NOW + 600, "x", 0)
        frozen = at_10(policy=policy(freeze=(year_end,)), orders=orders(wait=wait), facts=seen(AT_10, **READY))
        unsure = baking(since=NOW - 20 * HOLD, orders=orders(wait=replace(wait, until=NOW - 60)))

        assert frozen.because == "x, for another 10 min" or frozen.kind is None
        assert phase(decide(unsure, seen(AT_10, rows=()), NOW)) is Phase.BAKING

    def test_before_the_first_step_it_waits_longer_than_a_rehearsal_may_and_rehearses_again(self) -> None:
        first = decide(rehearsed(policy=self.FROZEN), seen(), NOW)
        drill = replace(
            first.next.live.rehearsal, asked_at=NOW - REHEARSED_SECONDS - 1, answered_at=NOW - REHEARSED_SECONDS
        )
        later = replace(first.next, live=replace(first.next.live, phase_since=NOW - 5000, rehearsal=drill))
        frozen = decide(later, seen(), NOW)
        thawed = decide(later, seen(), NOW + 600)

        assert (first.kind, frozen.kind) == ("waiting", None)
        assert (phase(thawed), thawed.next.live.rehearsal, thawed.next.live.orders.wait) == (
            Phase.REHEARSING,
            None,
            None,
        )


class TestApproval:
    ASKED = with_step(1, approval=ONCALL)

    def test_a_step_is_not_begun_before_somebody_agrees(self) -> None:
        asked = at_10(**self.ASKED)

        assert (phase(asked), asked.kind, weights(asked)) == (Phase.AWAITING_APPROVAL, "awaiting_approval", [])
        assert told(asked) == ["shop: approval needed"]
        assert (
            "50 % (step 2) needs approval within 60 min by arn:aws:iam::1:user/*, but not by unknown" in asked.because
        )

    def test_only_the_approved_step_begins(self) -> None:
        this, other = (orders(approved=Approved(step, "ann", NOW, "")) for step in (1, 0))

        assert phase(at_10(orders=this, **self.ASKED)) is Phase.SHIFTING
        assert phase(at_10(orders=other, **self.ASKED)) is Phase.AWAITING_APPROVAL

    def awaiting(self, since: int, then: ApprovalThen = ApprovalThen.ROLLBACK, **changes: Any) -> Head:
        asked = with_step(1, approval=replace(ONCALL, then=then))
        return baking(phase=Phase.AWAITING_APPROVAL, phase_since=NOW - since, **asked, **changes)

    @pytest.mark.parametrize(
        ("since", "then", "becomes"),
        [
            (3600, ApprovalThen.ROLLBACK, Phase.AWAITING_APPROVAL),
            (3601, ApprovalThen.ROLLBACK, Phase.ROLLING_BACK),
            (3601, ApprovalThen.HOLD, Phase.AWAITING_APPROVAL),
            (3601 + HOLD, ApprovalThen.HOLD, Phase.ROLLING_BACK),
        ],
    )
    def test_nobody_waits_for_ever(self, since: int, then: ApprovalThen, becomes: Phase) -> None:
        assert phase(decide(self.awaiting(since, then), seen(AT_10), NOW)) is becomes

    def test_a_policy_without_the_approval_it_waits_for_goes_back(self) -> None:
        assert phase(decide(baking(phase=Phase.AWAITING_APPROVAL), seen(AT_10), NOW)) is Phase.ROLLING_BACK

    def test_harm_is_not_waited_out(self) -> None:
        alarmed = seen(AT_10, alarms=quiet(green_errors="ALARM"))
        judged = seen(AT_10, rows=tuple(row((500, 400), (500, 0)) for _ in range(5)))

        assert phase(decide(self.awaiting(60), alarmed, NOW)) is Phase.ROLLING_BACK
        assert phase(decide(self.awaiting(60), judged, NOW)) is Phase.ROLLING_BACK

    def test_a_console_change_pauses(self) -> None:
        assert phase(decide(self.awaiting(60), seen(endpoint(8000, 2000)), NOW)) is Phase.PAUSED


class TestGates:
    ASKED = with_step(1, gates=(GATE, replace(GATE, target="https://other")))
    ASKING = orders(wait=Wait(WaitFor.GATES, NOW - 5, None, "asking", 0))

    def answered(self, *answers: HookAnswer, wait: Wait | None = None, now: int = NOW) -> Decision:
        asking = orders(wait=wait or self.ASKING.wait)
        return at_10(facts=seen(AT_10, hooks=answers, **READY), orders=asking, now=now, **self.ASKED)

    def test_they_are_asked_before_the_step_and_not_before_the_evidence(self) -> None:
        asked = at_10(**self.ASKED)

        assert (asked.kind, weights(asked), asked.next.live.orders.wait.what) == ("gates_asked", [], WaitFor.GATES)

    def test_all_must_agree(self) -> None:
        assert phase(self.answered(YES, YES)) is Phase.SHIFTING
        refused = self.answered(YES, NO)
        assert (refused.kind, weights(refused)) == ("gate_refused", [])
        assert refused.because == "50 % waits: gate https://other does not agree: sale"

    def test_people_are_told_after_the_last_retry_and_the_trail_does_not_grow_for_ever(self) -> None:
        tried = replace(self.ASKING.wait, tries=1)

        assert told(self.answered(YES, NO)) == []
        assert told(self.answered(YES, NO, wait=tried)) == ["shop: gate does not agree"]
        assert self.answered(YES, NO, wait=replace(tried, tries=2)).kind is None

    def test_a_gate_that_never_agrees_takes_the_canary_back(self) -> None:
        old = replace(self.ASKING.wait, since=NOW - HOLD - 1, tries=2)

        assert phase(self.answered(YES, NO, wait=old)) is Phase.ROLLING_BACK


class TestHurry:
    @pytest.mark.parametrize("word", ["skip", "promote"])
    def test_the_bake_is_not_waited_for_and_the_floor_is(self, word: str) -> None:
        hurried = {"orders": orders(**{word: ANN}), **EARLY}

        assert phase(at_10(**hurried)) is Phase.SHIFTING
        assert phase(at_10(**EARLY)) is Phase.BAKING
        few = seen(AT_10, rows=(row((40, 0), (40, 0)), row((30, 0), (40, 0))))
        assert phase(at_10(facts=few, **hurried)) is Phase.BAKING

    def test_a_promotion_leaves_steps_out(self) -> None:
        promoted = at_10(orders=orders(promote=ANN))

        assert weights(promoted) == [{"blue": 0, "green": 10_000}]
        assert (promoted.next.live.step, promoted.next.live.raised_from) == (2, 1000)

    @pytest.mark.parametrize("condition", [{"approval": ONCALL}, {"gates": (GATE,)}])
    def test_but_none_that_somebody_has_to_agree_to(self, condition: dict[str, Any]) -> None:
        decision = at_10(orders=orders(promote=ANN), **with_step(1, **condition))

        assert weights(decision) == []
        assert decision.kind in ("awaiting_approval", "gates_asked")

    def test_nor_past_a_freeze_or_an_alarm(self) -> None:
        assert weights(at_10(orders=orders(promote=ANN), policy=policy(freeze=(SALE,)))) == []
        alarmed = seen(AT_10, alarms=quiet(blue_errors="ALARM"), **READY)
        assert weights(at_10(orders=orders(promote=ANN), facts=alarmed)) == []


class TestForce:
    FORCED = orders(force=replace(ANN, at=NOW - 10))

    def test_it_needs_no_evidence_and_minds_no_freeze_stop_approval_or_stables_alarm(self) -> None:
        everything = with_step(1, approval=ONCALL, gates=(GATE,))["policy"]
        head = replace(baking(since=NOW, orders=self.FORCED, policy=replace(everything, freeze=(SALE,))), stop=ANN)
        decision = decide(head, seen(AT_10, alarms=quiet(blue_errors="ALARM"), rows=()), NOW)

        assert weights(decision) == [{"blue": 5000, "green": 5000}]
        assert decision.next.live.orders == orders()

    def test_it_is_for_one_step_and_for_half_an_hour(self) -> None:
        old = orders(force=replace(ANN, at=NOW - FORCE_SECONDS - 1))

        assert phase(at_10(orders=old, facts=seen(AT_10, rows=()))) is Phase.BAKING

    def test_harm_comes_first(self) -> None:
        alarmed = seen(AT_10, alarms=quiet(green_errors="ALARM"))

        assert phase(at_10(orders=self.FORCED, facts=alarmed)) is Phase.ROLLING_BACK

    def test_the_first_step_is_rehearsed_nevertheless(self) -> None:
        before = started(phase=Phase.REHEARSING, prepared=PREPARED, orders=self.FORCED)
        alarmed = seen(alarms=quiet(blue_errors="ALARM"))

        assert weights(decide(before, alarmed, NOW)) == []
        assert weights(decide(rehearsed(orders=self.FORCED), alarmed, NOW)) == [{"blue": 9000, "green": 1000}]

    def test_with_a_promotion_it_is_still_one_step(self) -> None:
        both = replace(self.FORCED, promote=ANN)

        assert weights(at_10(orders=both)) == [{"blue": 5000, "green": 5000}]


class TestPause:
    def test_a_bake_stands_still_at_once(self) -> None:
        paused = at_10(orders=orders(pause=ANN), since=NOW - 60)

        assert (phase(paused), paused.kind, weights(paused)) == (Phase.PAUSED, "paused", [])

    def test_before_the_first_step_it_stands_still_after_the_rehearsal(self) -> None:
        assert phase(decide(rehearsed(orders=orders(pause=ANN)), seen(), NOW)) is Phase.PAUSED

    def paused(self, **changes: Any) -> Head:
        return baking(phase=Phase.PAUSED, phase_since=NOW - 60, orders=orders(pause=ANN), **changes)

    def test_weights_that_are_ours_do_not_end_it(self) -> None:
        assert phase(decide(self.paused(), seen(AT_10, **READY), NOW)) is Phase.PAUSED

    def test_harm_does(self) -> None:
        judged = seen(AT_10, rows=tuple(row((500, 400), (500, 0)) for _ in range(5)))

        assert phase(decide(self.paused(), judged, NOW)) is Phase.ROLLING_BACK

    def test_and_time_does(self) -> None:
        forgotten = replace(self.paused(), live=replace(self.paused().live, phase_since=NOW - HOLD - 1))

        assert phase(decide(forgotten, seen(AT_10), NOW)) is Phase.ROLLING_BACK

    def test_a_hold_counts_anew_after_it(self) -> None:
        resumed = baking(since=NOW - 3 * HOLD, orders=orders(held_from=NOW - 10))

        assert phase(decide(resumed, seen(AT_10, rows=()), NOW)) is Phase.BAKING


class TestBreachHeld:
    HELD = policy(on_breach=OnBreach.HOLD)
    WORSE = seen(AT_10, rows=minutes(*[row((1000, 20), (1000, 1))] * 10))
    BREACH = orders(breach=Breach(NOW - 60, "errors"))

    def test_harm_by_comparison_pages_and_holds_where_the_policy_says_so(self) -> None:
        held = at_10(facts=self.WORSE, policy=self.HELD)

        assert (held.kind, phase(held), weights(held)) == ("breach", Phase.BAKING, [])
        assert told(held) == ["shop: v2 is held: harm by comparison"]

    def test_it_is_recorded_once_and_goes_back_when_nobody_decides(self) -> None:
        old = orders(breach=Breach(NOW - HOLD - 1, "errors"))

        assert at_10(facts=self.WORSE, policy=self.HELD, orders=self.BREACH).kind is None
        assert phase(at_10(facts=self.WORSE, policy=self.HELD, orders=old)) is Phase.ROLLING_BACK

    def test_an_alarm_is_not_left_to_people(self) -> None:
        alarmed = seen(AT_10, alarms=quiet(green_errors="ALARM"))

        assert phase(at_10(facts=alarmed, policy=self.HELD, orders=self.BREACH)) is Phase.ROLLING_BACK

    def test_harm_that_is_not_seen_any_more_still_waits_for_a_word(self) -> None:
        waits = at_10(policy=self.HELD, orders=self.BREACH)
        soaks = decide(soaking(policy=self.HELD, orders=self.BREACH, since=NOW - 9000), seen(endpoint(0, 10_000)), NOW)

        assert (waits.kind, weights(waits), soaks.kind) == (None, [], None)
        assert "harm is not seen now (errors); `resume` goes on, `rollback` takes it back" in waits.because
