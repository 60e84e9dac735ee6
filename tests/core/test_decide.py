"""Decisions phase by phase, as values: these facts, that answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.actions import EnsureConfig, Notify, SetAlarm, SetInstances, SetWeights, UpdateEndpoint
from sluice.core.conditions import Hook, HookKind, OnBreach
from sluice.core.decide import decide
from sluice.core.decision import Decision
from sluice.core.head import Cleanup, Head
from sluice.core.observation import DELETED, AlarmFacts, ArtifactFacts, HookAnswer, Observation, SmokeFacts, Variant
from sluice.core.policy import AfterSoak, IncidentThen, OnInconclusive, SharedIncident
from sluice.core.prepare import update_was_refused
from sluice.core.rollout import Latch, Phase, Prepared, Rehearsal, Shift
from tests.builders import NOW, policy, release, started, step
from tests.core.facts import CONFIGURED, endpoint, minutes, quiet, row, seen, variant

GREEN = "sluice/sluice/test/shop/green/errors"
HEALTHY = minutes(*[row((500, 0), (500, 0))] * 5)


def weights(decision: Decision) -> list[dict[str, int]]:
    return [dict(action.parts) for action in decision.actions if isinstance(action, SetWeights)]


def phase(decision: Decision) -> Phase | None:
    return decision.next.live.phase if decision.next.live else None


def preparing(**changes: Any) -> Head:
    return started(phase=Phase.PREPARING, **changes)


PREPARED = Prepared("model", "wanted", NOW - 60, None)
ON_WANTED = endpoint(config_name="wanted")


def baking(step_index: int = 0, since: int = NOW - 400, **changes: Any) -> Head:
    parts = policy().steps[step_index].weight_parts
    fields = {
        "phase": Phase.BAKING,
        "step": step_index,
        "canary_parts": parts,
        "applied_at": since,
        "phase_since": since,
        "first_exposure_at": since - 20,
        "call_before": since - 10,
        **changes,
    }
    return started(**fields)


def soaking(**changes: Any) -> Head:
    made = baking(2, phase=Phase.SOAKING, **changes)
    assert made.live is not None
    return replace(made, champion=replace(made.champion, slot="green", release=made.live.release))


def rolling_back(**changes: Any) -> Head:
    latch = Latch(NOW - 30, "alarm:x", "alarm went off", True, None)
    fields = {"phase": Phase.ROLLING_BACK, "phase_since": NOW - 30, "canary_parts": 0, "latch": latch, **changes}
    return baking(1, **fields)


def test_a_pending_rollout_begins_to_prepare() -> None:
    assert phase(decide(started(), seen(), NOW)) is Phase.PREPARING


class TestPreparing:
    def test_a_changed_artifact_ends_it(self) -> None:
        decision = decide(preparing(), seen(artifacts=ArtifactFacts(("the artifact of v2 was changed",))), NOW)

        assert phase(decision) is Phase.ROLLING_BACK
        assert "the artifact of v2 was changed" in decision.because
        assert weights(decision) == [], "no raise was ever asked for: there is nothing to take back"
        assert decision.next.quarantine == ()

    def test_a_slot_that_never_comes_ends_it(self) -> None:
        late = preparing(phase_since=NOW - 91 * 60)

        assert (
            "was not ready after 90 min: endpoint is Updating"
            in decide(late, seen(endpoint(status="Updating")), NOW).because
        )

    def test_a_busy_endpoint_is_waited_for(self) -> None:
        decision = decide(preparing(), seen(endpoint(status="SystemUpdating")), NOW)

        assert (decision.kind, decision.actions) == (None, ())

    def test_the_configuration_is_read_first(self) -> None:
        assert decide(preparing(), seen(), NOW).kind is None

    def test_the_new_slot_is_asked_for_at_weight_zero(self) -> None:
        facts = seen(endpoint(green=None), configured={"blue": CONFIGURED["blue"]})

        decision = decide(preparing(), facts, NOW)

        config = next(action for action in decision.actions if isinstance(action, EnsureConfig))
        assert [(v.slot, v.weight, v.model_name == "model-v1") for v in config.variants] == [
            ("blue", 1, True),
            ("green", 0, False),
        ]
        assert UpdateEndpoint("shop", config.name) in decision.actions
        assert decision.next.live.prepared == Prepared(
            config.variants[1].model_name, config.name, NOW, None, "model-v1"
        )

    def test_a_third_slot_is_kept_as_it_is(self) -> None:
        facts = endpoint(green=None)
        facts = replace(facts, variants={**facts.variants, "spare": variant(0)})
        configured = {"blue": CONFIGURED["blue"], "spare": CONFIGURED["green"], "old": CONFIGURED["green"]}

        decision = decide(preparing(), seen(facts, configured=configured), NOW)

        config = next(action for action in decision.actions if isinstance(action, EnsureConfig))
        assert [(v.slot, v.weight) for v in config.variants] == [("blue", 1), ("green", 0), ("spare", 0)]

    def test_an_endpoint_without_the_stable_slot_is_refused(self) -> None:
        facts = replace(endpoint(), variants={"other": variant(1)})

        assert (
            "endpoint has no variant 'blue' (found: other)"
            in decide(preparing(), seen(facts, configured={}), NOW).because
        )

    def test_a_slot_that_takes_traffic_is_not_free(self) -> None:
        decision = decide(preparing(), seen(endpoint(5000, 5000), configured=CONFIGURED), NOW)

        assert "it is not free" in decision.because

    def test_an_update_that_was_never_made_is_asked_for_again(self) -> None:
        facts = seen(endpoint(last_modified_at=NOW - 3600), configured=CONFIGURED)

        decision = decide(preparing(prepared=PREPARED), facts, NOW)

        assert decision.because == "the update was never made: asking again"
        assert any(isinstance(action, UpdateEndpoint) for action in decision.actions)

    def test_an_update_refused_by_a_busy_endpoint_is_asked_for_anew(self) -> None:
        assert update_was_refused(preparing(prepared=PREPARED), NOW).next.live.prepared.update_asked_at is None
        assert update_was_refused(preparing(), NOW).next.live.prepared is None

    def test_a_silent_fallback_is_noticed(self) -> None:
        facts = seen(endpoint(failure_reason="health check failed"), configured=CONFIGURED)

        decision = decide(preparing(prepared=PREPARED), facts, NOW)

        assert "fell back to configuration bootstrap instead of wanted: health check failed" in decision.because

    def test_weights_that_were_not_kept_end_it(self) -> None:
        decision = decide(preparing(prepared=PREPARED), seen(endpoint(5000, 5000, config_name="wanted")), NOW)

        assert "not all on blue" in decision.because

    def test_weights_that_another_slot_got_end_it_too(self) -> None:
        """Also where the canary has none: stable must have everything before anything begins."""
        variants = {"blue": variant(5000), "green": variant(0), "fallback": variant(5000)}

        decision = decide(preparing(prepared=PREPARED), seen(replace(ON_WANTED, variants=variants)), NOW)

        assert "not all on blue" in decision.because

    def test_missing_instances_are_asked_for_once_and_waited_for(self) -> None:
        facts = replace(ON_WANTED, variants={"blue": variant(10_000), "green": variant(0, instances=1)})
        head = preparing(prepared=PREPARED, instances=3)

        asked = decide(head, seen(facts), NOW)
        waiting = replace(facts, variants={**facts.variants, "green": Variant(0, 0, 1, 3)})

        assert SetInstances("shop", "green", 3) in asked.actions
        assert decide(head, seen(waiting), NOW).actions == ()

    def test_the_smoke_test_decides_whether_it_is_rehearsed(self) -> None:
        head = preparing(prepared=PREPARED)

        assert decide(head, seen(ON_WANTED), NOW).kind is None
        assert "smoke test failed: HTTP 500" in decide(head, seen(ON_WANTED, smoke=SmokeFacts("HTTP 500")), NOW).because
        passed = decide(head, seen(ON_WANTED, smoke=SmokeFacts(None)), NOW)
        assert phase(passed) is Phase.REHEARSING
        assert passed.next.live.prepared.smoke_passed_at == NOW

    def test_a_smoke_test_passed_before_is_not_repeated(self) -> None:
        tested = replace(PREPARED, smoke_passed_at=NOW - 5)

        assert phase(decide(preparing(prepared=tested), seen(ON_WANTED), NOW)) is Phase.REHEARSING


class TestRehearsing:
    def head(self, asked: int, answered: int | None, **changes: Any) -> Head:
        fields = {"phase": Phase.REHEARSING, "phase_since": NOW - asked, "prepared": PREPARED, **changes}
        when = NOW - asked
        return started(rehearsal=Rehearsal(GREEN, when, None if answered is None else when + answered), **fields)

    def test_a_rehearsal_that_was_lost_is_set_off_again(self) -> None:
        decision = decide(self.head(10, None), seen(), NOW)

        assert [action.name for action in decision.actions if isinstance(action, SetAlarm)] == [GREEN]

    def test_a_rehearsal_under_way_is_waited_for(self) -> None:
        assert decide(self.head(10, None), seen(alarms=quiet(green_errors="ALARM")), NOW).actions == ()

    def test_no_answer_within_the_target_ends_it(self) -> None:
        assert "did not answer within 2 min" in decide(self.head(121, None), seen(), NOW).because

    def test_an_answer_over_the_target_ends_it(self) -> None:
        assert "the rollback path took 150 s, target 120 s" in decide(self.head(160, 150), seen(), NOW).because

    def test_the_alarm_is_put_back_before_the_first_step(self) -> None:
        firing = {**quiet(), GREEN: AlarmFacts(GREEN, "ALARM", NOW - 30)}

        decision = decide(self.head(30, 5), seen(alarms=firing), NOW)

        assert [action.state for action in decision.actions if isinstance(action, SetAlarm)] == ["OK"]

    @pytest.mark.parametrize(
        ("states", "why"),
        [
            ({"blue_errors": "ALARM"}, "the canary has had no traffic yet"),
            ({"green_latency": None}, "does not exist: cannot judge"),
            ({"green_latency": "INSUFFICIENT_DATA"}, "has not been evaluated yet"),
        ],
    )
    def test_the_first_step_waits_for_every_alarm(self, states: dict[str, str | None], why: str) -> None:
        facts = seen(alarms=quiet(**states))

        assert why in decide(self.head(30, 5), facts, NOW).because
        late = decide(self.head(700, 5), facts, NOW)
        assert phase(late) is Phase.ROLLING_BACK

    def test_the_first_step_waits_for_the_endpoint(self) -> None:
        assert decide(self.head(30, 5), seen(endpoint(status="Updating")), NOW).kind is None

    def test_the_first_step_is_a_raise_with_a_time_limit(self) -> None:
        decision = decide(self.head(30, 5), seen(), NOW)

        assert SetWeights("shop", {"blue": 9000, "green": 1000}, NOW + 10) in decision.actions
        assert decision.next.live.first_exposure_at == NOW

    def test_the_first_step_asks_for_missing_instances_once(self) -> None:
        head = self.head(30, 5, instances=3)
        asked = Variant(0, 0, 1, 3)
        waiting = replace(endpoint(), variants={**endpoint().variants, "green": asked})

        assert SetInstances("shop", "green", 3) in decide(head, seen(), NOW).actions
        assert decide(head, seen(waiting), NOW).actions == ()

    def test_a_rehearsal_that_was_not_recorded_is_begun(self) -> None:
        assert decide(started(phase=Phase.REHEARSING), seen(), NOW).next.live.rehearsal is not None


class TestShifting:
    def head(self, step_index: int = 1, since: int = NOW - 20, **changes: Any) -> Head:
        before = policy().steps[step_index - 1].weight_parts if step_index else 0
        raised = {"call_before": since + 10, "applied_at": None, "raised_from": before}
        return baking(step_index, since, phase=Phase.SHIFTING, **raised, **changes)

    def test_weights_that_are_seen_begin_the_bake(self) -> None:
        decision = decide(self.head(), seen(endpoint(5000, 5000)), NOW)

        assert (phase(decision), decision.next.live.applied_at) == (Phase.BAKING, NOW)

    def test_the_last_step_promotes(self) -> None:
        decision = decide(self.head(2), seen(endpoint(0, 10_000)), NOW)

        assert phase(decision) is Phase.SOAKING
        assert decision.next.champion.release.name == "v2"
        assert [old.name for old in decision.next.previous] == ["v1"]

    def test_an_endpoint_in_motion_is_waited_for(self) -> None:
        assert decide(self.head(), seen(endpoint(9000, 1000, status="Updating")), NOW).kind is None

    def test_a_call_that_may_still_land_is_waited_for(self) -> None:
        assert decide(self.head(since=NOW - 5), seen(endpoint(9000, 1000)), NOW).kind is None

    def test_a_lost_call_is_made_again_with_a_new_limit(self) -> None:
        decision = decide(self.head(), seen(endpoint(9000, 1000)), NOW)

        assert decision.kind == "raise_repeated"
        assert SetWeights("shop", {"blue": 5000, "green": 5000}, NOW + 10) in decision.actions

    def test_weights_that_are_neither_old_nor_new_pause(self) -> None:
        assert phase(decide(self.head(), seen(endpoint(7000, 3000)), NOW)) is Phase.PAUSED

    def test_a_weight_that_is_never_applied_goes_back(self) -> None:
        decision = decide(self.head(since=NOW - 601), seen(endpoint(9000, 1000)), NOW)

        assert "50 % was not applied within 10 min" in decision.because
        assert weights(decision) == [{"blue": 10_000, "green": 0}]

    def test_an_alarm_wins(self) -> None:
        decision = decide(self.head(), seen(endpoint(5000, 5000), alarms=quiet(green_errors="ALARM")), NOW)

        assert phase(decision) is Phase.ROLLING_BACK
        assert decision.next.quarantine[0].release_name == "v2"


class TestBaking:
    def test_it_holds_until_its_minimum_is_over(self) -> None:
        decision = decide(baking(since=NOW - 200), seen(endpoint(9000, 1000), rows=HEALTHY), NOW)

        assert decision.because.startswith(
            "holding 10 %: 3 min 20 s of 5 min passed; errors 0 % (0 of 1,500) against 0 %"
        )

    def test_it_advances_on_evidence(self) -> None:
        decision = decide(baking(), seen(endpoint(9000, 1000), rows=HEALTHY), NOW)

        assert (phase(decision), decision.next.live.canary_parts) == (Phase.SHIFTING, 5000)

    def test_it_waits_for_evidence_until_its_maximum(self) -> None:
        decision = decide(baking(), seen(endpoint(9000, 1000)), NOW)

        assert "not enough evidence yet" in decision.because

    @pytest.mark.parametrize(
        ("then", "phase_after"), [(OnInconclusive.ROLLBACK, Phase.ROLLING_BACK), (OnInconclusive.ADVANCE, Phase.BAKING)]
    )
    def test_the_floor_is_never_skipped(self, then: OnInconclusive, phase_after: Phase) -> None:
        steps = (step(10, 300, 900, then), *policy().steps[1:])

        decision = decide(baking(since=NOW - 901, policy=policy(steps=steps)), seen(endpoint(9000, 1000)), NOW)

        assert phase(decision) is phase_after
        assert "inconclusive after" in decision.because

    def test_a_proof_that_is_missing_may_be_waived(self) -> None:
        steps = (replace(step(10, 300, 900, OnInconclusive.ADVANCE), prove={"errors": 2.5}), *policy().steps[1:])
        head = baking(since=NOW - 901, policy=policy(steps=steps))
        few = minutes(*[row((50, 1), (50, 1))] * 5)

        decision = decide(head, seen(endpoint(9000, 1000), rows=few), NOW)

        assert (phase(decision), decision.next.live.canary_parts) == (Phase.SHIFTING, 5000)
        assert "under-powered after 15 min 1 s: errors" in decision.because

    def test_people_are_asked_once_where_the_policy_says_so(self) -> None:
        steps = (step(10, 300, 900, OnInconclusive.PAUSE), *policy().steps[1:])
        head = baking(since=NOW - 901, policy=policy(steps=steps))

        asked = decide(head, seen(endpoint(9000, 1000)), NOW)
        again = decide(asked.next, seen(endpoint(9000, 1000)), NOW + 60)
        late = decide(asked.next, seen(endpoint(9000, 1000)), NOW + 9000)

        assert (asked.kind, [type(action) for action in asked.actions]) == ("inconclusive", [Notify])
        assert (again.kind, again.actions) == (None, ())
        assert phase(late) is Phase.ROLLING_BACK

    @pytest.mark.parametrize(("errors", "phase_after"), [(20, Phase.BAKING), (200, Phase.ROLLING_BACK)])
    def test_only_harm_by_comparison_may_be_left_to_people(self, errors: int, phase_after: Phase) -> None:
        rows = minutes(*[row((1000, errors), (1000, 1))] * 10)
        head = baking(policy=policy(on_breach=OnBreach.HOLD))

        decision = decide(head, seen(endpoint(9000, 1000), rows=rows), NOW)

        assert phase(decision) is phase_after
        assert decision.kind == ("breach" if phase_after is Phase.BAKING else "rolling_back")

    def test_an_incident_that_only_the_judge_sees_holds(self) -> None:
        rows = minutes(*[row((500, 45), (500, 40))] * 5)

        decision = decide(baking(), seen(endpoint(9000, 1000), rows=rows), NOW)

        assert decision.kind == "incident"

    def test_data_that_cannot_be_judged_hold_and_are_no_incident(self) -> None:
        rows = minutes(*[row((500, 700), (500, 1))] * 5)

        decision = decide(baking(), seen(endpoint(9000, 1000), rows=rows), NOW)

        assert decision.kind is None
        assert decision.because.startswith("holding 10 %: the data cannot be judged: quality 1 impossible number: ")

    def test_a_hold_does_not_last_for_ever(self) -> None:
        decision = decide(baking(since=NOW - 9000), seen(endpoint(9000, 1000)), NOW)

        assert "without a decision" in decision.because
        assert phase(decision) is Phase.ROLLING_BACK

    def test_harm_goes_back(self) -> None:
        rows = minutes(*[row((500, 200), (500, 0))] * 3)

        decision = decide(baking(), seen(endpoint(9000, 1000), rows=rows), NOW)

        assert decision.next.live.latch.by == "judge"

    def test_harm_goes_back_even_while_the_endpoint_is_busy(self) -> None:
        rows = minutes(*[row((500, 200), (500, 0))] * 3)

        assert phase(decide(baking(), seen(endpoint(9000, 1000, "Updating"), rows=rows), NOW)) is Phase.ROLLING_BACK

    def test_a_busy_endpoint_is_not_stepped_on(self) -> None:
        decision = decide(baking(), seen(endpoint(9000, 1000, "SystemUpdating"), rows=HEALTHY), NOW)

        assert decision.because == "holding 10 %: endpoint is SystemUpdating"

    def test_a_persons_change_pauses_and_pages(self) -> None:
        decision = decide(baking(), seen(endpoint(2000, 8000), rows=HEALTHY), NOW)

        assert phase(decision) is Phase.PAUSED
        assert weights(decision) == []
        assert any(isinstance(action, Notify) for action in decision.actions)

    def test_an_alarm_that_cannot_be_evaluated_holds(self) -> None:
        alarms = {**quiet(), GREEN: AlarmFacts(GREEN, "OK", 0, "EVALUATION_FAILURE")}

        decision = decide(baking(), seen(endpoint(9000, 1000), alarms=alarms, rows=HEALTHY), NOW)

        assert "cannot be evaluated (EVALUATION_FAILURE): cannot judge" in decision.because

    def test_an_alarm_from_before_the_canary_had_traffic_holds(self) -> None:
        alarms = {**quiet(), GREEN: AlarmFacts(GREEN, "ALARM", NOW - 5000)}

        decision = decide(baking(), seen(endpoint(9000, 1000), alarms=alarms, rows=HEALTHY), NOW)

        assert "was in ALARM before the canary had traffic" in decision.because
        assert phase(decision) is Phase.BAKING

    def test_an_alarm_of_the_policys_own_list_goes_back(self) -> None:
        alarms = {**quiet(), "theirs": AlarmFacts("theirs", "ALARM", NOW)}
        head = baking(policy=policy(alarms=("theirs",)))

        assert "alarm theirs went off" in decide(head, seen(endpoint(9000, 1000), alarms=alarms), NOW).because

    def test_it_waits_for_capacity_before_it_raises_and_asks_for_none_while_the_canary_has_traffic(self) -> None:
        decision = decide(baking(instances=4), seen(endpoint(9000, 1000), rows=HEALTHY), NOW)

        assert (decision.kind, decision.actions) == (None, ())
        assert "has 1 of 4 instances" in decision.because

    def test_stables_own_alarm_is_an_incident_and_holds(self) -> None:
        facts = seen(endpoint(9000, 1000), alarms=quiet(blue_errors="ALARM"), rows=HEALTHY)

        began = decide(baking(), facts, NOW)
        lasting = decide(baking(incident_since=NOW - 60), facts, NOW)

        assert (began.kind, began.next.live.incident_since) == ("incident", NOW)
        assert "shared incident for 1 min" in lasting.because

    def test_an_incident_that_lasts_ends_as_the_policy_says(self) -> None:
        facts = seen(endpoint(9000, 1000), alarms=quiet(blue_errors="ALARM"), rows=HEALTHY)
        forever = policy(shared_incident=SharedIncident(IncidentThen.HOLD, 900))

        assert phase(decide(baking(incident_since=NOW - 900), facts, NOW)) is Phase.ROLLING_BACK
        assert phase(decide(baking(incident_since=NOW - 900, policy=forever), facts, NOW)) is Phase.BAKING

    def test_an_incident_that_passes_is_recorded(self) -> None:
        decision = decide(baking(incident_since=NOW - 60), seen(endpoint(9000, 1000), rows=HEALTHY), NOW)

        assert (decision.kind, decision.next.live.incident_since) == ("incident_over", None)


class TestPaused:
    def head(self, step_index: int = 1, since: int = NOW - 60) -> Head:
        return baking(step_index, since, phase=Phase.PAUSED)

    def test_it_waits_for_a_person(self) -> None:
        decision = decide(self.head(), seen(endpoint(7000, 3000)), NOW)

        assert (decision.kind, decision.actions) == (None, ())

    def test_it_goes_on_when_the_weights_are_ours_again(self) -> None:
        assert phase(decide(self.head(), seen(endpoint(5000, 5000)), NOW)) is Phase.BAKING
        promoted = decide(self.head(2), seen(endpoint(0, 10_000)), NOW).next
        assert (promoted.live.phase, promoted.champion.release.name) == (Phase.SOAKING, "v2"), (
            "paused before it was promoted"
        )
        again = replace(promoted, live=replace(promoted.live, phase=Phase.PAUSED))
        assert (
            decide(again, seen(endpoint(0, 10_000)), NOW).because == "the weights are ours again: the soak starts over"
        )

    def test_before_the_first_step_it_rehearses_again(self) -> None:
        """There is no step whose bake could begin."""
        head = started(phase=Phase.PAUSED, phase_since=NOW - 60, prepared=PREPARED)

        decision = decide(head, seen(endpoint()), NOW)

        assert phase(decision) is Phase.REHEARSING
        assert decision.next.live.rehearsal is None

    def test_a_canary_that_a_person_gave_everything_has_nobody_to_be_compared_with(self) -> None:
        facts = seen(endpoint(0, 10_000), alarms=quiet(green_errors_rail="ALARM"))

        decision = decide(self.head(), facts, NOW)

        assert phase(decision) is Phase.ROLLING_BACK

    def test_whoever_keeps_changing_the_weights_ends_it(self) -> None:
        head, pauses = baking(shifts=(Shift(0, 1000, NOW - 420, NOW - 400),)), 0
        while phase(Decision(head, "")) is Phase.BAKING and pauses < 100:
            head = decide(head, seen(endpoint(8000, 2000), rows=HEALTHY), NOW).next
            if phase(Decision(head, "")) is Phase.PAUSED:
                pauses += 1
                head = decide(head, seen(endpoint(9000, 1000)), NOW).next

        assert (pauses, phase(Decision(head, ""))) == (20, Phase.ROLLING_BACK)
        assert "somebody changed the weights 20 times and once more" in head.live.because

    def test_it_does_not_last_for_ever(self) -> None:
        assert "nobody decided" in decide(self.head(since=NOW - 7201), seen(endpoint(7000, 3000)), NOW).because

    def test_it_stays_armed(self) -> None:
        decision = decide(self.head(), seen(endpoint(7000, 3000), alarms=quiet(green_errors="ALARM")), NOW)

        assert phase(decision) is Phase.ROLLING_BACK


class TestSoaking:
    SERVING = endpoint(0, 10_000)

    def test_it_waits(self) -> None:
        assert "left" in decide(soaking(), seen(self.SERVING), NOW).because

    def test_it_looks_often_enough_not_to_be_taken_for_blind(self) -> None:
        brief = policy(rollback=replace(policy().rollback, max_blind_seconds=240))

        assert decide(soaking(policy=brief), seen(self.SERVING), NOW).wait_seconds == 120

    def test_the_rail_is_obeyed_without_control(self) -> None:
        decision = decide(soaking(), seen(self.SERVING, alarms=quiet(green_errors_rail="ALARM")), NOW)

        assert phase(decision) is Phase.ROLLING_BACK
        assert decision.next.champion.release.name == "v1"

    def test_stables_alarms_mean_nothing_without_its_traffic(self) -> None:
        decision = decide(soaking(since=NOW - 3600), seen(self.SERVING, alarms=quiet(blue_errors="ALARM")), NOW)

        assert decision.kind == "settled"

    def test_the_judge_goes_back_on_absolute_harm(self) -> None:
        rows = minutes(*[row((500, 200), None)] * 3, step=2)

        assert decide(soaking(), seen(self.SERVING, rows=rows), NOW).next.live.latch.by == "judge"

    def test_it_does_not_settle_while_the_data_cannot_be_judged(self) -> None:
        rows = minutes(*[row((500, 700), None)] * 3, step=2)

        assert phase(decide(soaking(since=NOW - 3600), seen(self.SERVING, rows=rows), NOW)) is Phase.SOAKING

    def test_a_persons_change_pauses(self) -> None:
        assert phase(decide(soaking(), seen(endpoint(5000, 5000)), NOW)) is Phase.PAUSED

    def test_it_does_not_settle_without_being_able_to_judge(self) -> None:
        facts = seen(self.SERVING, alarms=quiet(green_errors=None))

        assert phase(decide(soaking(since=NOW - 3600), facts, NOW)) is Phase.SOAKING
        assert phase(decide(soaking(since=NOW - 3600 * 5), facts, NOW)) is Phase.ROLLING_BACK

    def test_a_soak_that_started_over_holds_as_long_as_any_other(self) -> None:
        """A person interrupted it; its hold does not count from when the last step was applied."""
        facts = seen(self.SERVING, alarms=quiet(green_errors=None))

        held = decide(soaking(since=NOW - 3600 * 20, phase_since=NOW - 3600), facts, NOW)

        assert phase(held) is Phase.SOAKING

    @pytest.mark.parametrize(
        ("after", "cleanup"), [(AfterSoak.STANDBY, None), (AfterSoak.RETIRE, Cleanup("blue", NOW, None))]
    )
    def test_settling_keeps_or_gives_up_the_old_slot(self, after: AfterSoak, cleanup: Cleanup | None) -> None:
        decision = decide(soaking(since=NOW - 3600, policy=policy(after_soak=after)), seen(self.SERVING), NOW)

        assert decision.next.live is None
        assert decision.next.cleanup == cleanup


class TestRollingBack:
    def test_weights_are_asserted_again_until_they_are_seen(self) -> None:
        decision = decide(rolling_back(), seen(endpoint(5000, 5000)), NOW)

        assert weights(decision) == [{"blue": 10_000, "green": 0}]

    def test_a_busy_endpoint_is_asked_again_in_seconds(self) -> None:
        decision = decide(rolling_back(), seen(endpoint(5000, 5000, "Updating")), NOW)

        assert (decision.actions, decision.wait_seconds) == ((), 5)

    def test_it_watches_until_no_earlier_raise_can_land(self) -> None:
        in_flight = rolling_back(call_before=NOW + 5)

        assert "no earlier call can still land" in decide(in_flight, seen(endpoint()), NOW).because
        assert phase(decide(in_flight, seen(endpoint()), NOW + 25)) is Phase.VERIFYING

    def test_a_slot_that_does_not_exist_is_back_already(self) -> None:
        assert phase(decide(rolling_back(step=-1), seen(endpoint(green=None)), NOW)) is Phase.VERIFYING

    @pytest.mark.parametrize(("after", "ends"), [(60, False), (200, True)])
    def test_with_stables_slot_gone_there_is_nothing_to_go_back_to(self, after: int, ends: bool) -> None:
        """Somebody moved the endpoint to a configuration without it: people must hear of it now, not in half an hour."""
        facts = seen(replace(endpoint(), variants={"green": variant(1)}))

        decision = decide(rolling_back(), facts, NOW - 30 + after)

        assert (phase(decision) is None) is ends
        if ends:
            assert decision.next.outcome.phase is Phase.FAILED
            assert "endpoint has no variant 'blue' to go back to (found: green)" in decision.because

    def test_it_pages_when_it_is_overdue_and_keeps_trying(self) -> None:
        decision = decide(rolling_back(phase_since=NOW - 1801), seen(endpoint(5000, 5000)), NOW)

        assert decision.kind == "rollback_overdue"
        assert weights(decision) == [{"blue": 10_000, "green": 0}]

    def test_after_a_day_it_is_for_people(self) -> None:
        old = Latch(NOW - 90_000, "tick", "x", False, None)

        decision = decide(rolling_back(latch=old), seen(endpoint(5000, 5000, "Failed")), NOW)

        assert decision.next.outcome.phase is Phase.FAILED

    def test_an_endpoint_that_is_not_found_is_taken_back_without_a_call_and_looked_for_again(self) -> None:
        decision = decide(baking(), seen(endpoint(status=DELETED)), NOW)

        assert phase(decision) is Phase.ROLLING_BACK
        assert weights(decision) == []
        assert decision.next.quarantine == (), "nothing was seen of the release's doing"

    @pytest.mark.parametrize(("since", "ends"), [(120, False), (121, True)])
    def test_an_endpoint_that_stays_away_ends_the_rollout(self, since: int, ends: bool) -> None:
        latched = Latch(NOW - since, "tick", "x", False, None)

        decision = decide(rolling_back(latch=latched), seen(endpoint(status=DELETED)), NOW)

        assert (decision.next.live is None) is ends
        assert decision.next.outcome is None or decision.next.outcome.phase is Phase.FAILED

    def test_a_record_without_its_latch_still_goes_back(self) -> None:
        assert phase(decide(rolling_back(latch=None), seen(endpoint()), NOW)) is Phase.VERIFYING

    def test_a_second_cause_repeats_the_call_and_records_nothing(self) -> None:
        from sluice.core.revert import roll_back

        decision = roll_back(rolling_back(), NOW, "alarm:y", "again", harmful=True)

        assert decision.kind is None
        assert weights(decision) == [{"blue": 10_000, "green": 0}]

    def test_a_quarantine_list_forgets_what_ran_out(self) -> None:
        from sluice.core.head import Quarantine
        from sluice.core.revert import roll_back

        listed = replace(
            baking(), quarantine=(Quarantine("old", "v0", NOW - 1, "x"), Quarantine("kept", "v0", NOW + 9, "x"))
        )

        decision = roll_back(listed, NOW, "tick", "x", harmful=True)

        assert [entry.content for entry in decision.next.quarantine] == ["kept", release("v2").content]


class TestVerifying:
    def head(self, since: int = NOW - 10) -> Head:
        return rolling_back(phase=Phase.VERIFYING, phase_since=since)

    def test_healthy_stable_ends_it(self) -> None:
        decision = decide(self.head(), seen(endpoint()), NOW)

        assert decision.next.outcome.phase is Phase.ROLLED_BACK
        assert decision.next.cleanup == Cleanup("green", NOW + 3600, None)

    def hooked(self, *left: int, tries: int = 0) -> Head:
        hooks = (Hook(HookKind.HTTPS, "https://flags", 5, 1), Hook(HookKind.HTTPS, "https://other", 5, 0))
        made = rolling_back(phase=Phase.VERIFYING, phase_since=NOW - 10, policy=policy(on_rollback=hooks))
        latch = replace(made.live.latch, hooks_left=left, hook_tries=tries)
        return replace(made, live=replace(made.live, latch=latch))

    def test_hooks_are_called_once_the_weights_are_back(self) -> None:
        before = self.hooked()
        rolling = replace(before, live=replace(before.live, phase=Phase.ROLLING_BACK, call_before=None))
        back = decide(rolling, seen(endpoint()), NOW).next.live
        called = decide(
            self.hooked(0, 1), seen(endpoint(), hooks=(HookAnswer(True, "ok"), HookAnswer(True, "ok"))), NOW
        )

        assert (back.phase, back.latch.hooks_left) == (Phase.VERIFYING, (0, 1))
        assert (called.kind, called.next.live.latch.hooks_left) == ("hooks_called", ())
        assert called.because == "after the rollback: https://flags ok; https://other ok"

    def test_a_hook_that_fails_is_retried_then_told_and_never_in_the_way(self) -> None:
        fails = (HookAnswer(False, "gave no answer"), HookAnswer(False, "gave no answer"))
        first = decide(self.hooked(0, 1), seen(endpoint(), hooks=fails), NOW)
        last = decide(self.hooked(0, tries=1), seen(endpoint(), hooks=fails[:1]), NOW)

        assert first.next.live.latch.hooks_left == (0,), "the other one is tried once only"
        assert any(isinstance(action, Notify) for action in first.actions)
        assert last.next.live.latch.hooks_left == ()
        assert decide(self.hooked(), seen(endpoint()), NOW).next.live is None

    def test_traffic_on_the_canary_is_taken_away_again(self) -> None:
        assert weights(decide(self.head(), seen(endpoint(5000, 5000)), NOW)) == [{"blue": 10_000, "green": 0}]

    def test_unwell_stable_is_watched_and_then_paged(self) -> None:
        facts = seen(endpoint(), alarms=quiet(blue_errors_rail="ALARM"))

        assert "still fires" in decide(self.head(), facts, NOW).because
        late = decide(self.head(NOW - 901), facts, NOW)
        assert "but stable's alarm" in late.because
        assert late.next.live is None

    def test_people_are_woken_at_its_end_only_if_stable_is_not_well(self) -> None:
        def told(since: int, facts: Observation) -> list[tuple[str, str]]:
            actions = decide(self.head(since), facts, NOW).actions
            return [(action.severity.value, action.subject) for action in actions if isinstance(action, Notify)]

        ill = seen(endpoint(), alarms=quiet(blue_errors_rail="ALARM"))

        assert told(NOW - 10, seen(endpoint())) == [("ticket", "shop: v2 was rolled back")]
        assert told(NOW - 901, ill) == [("page", "shop: v2 was rolled back")]


def test_the_same_facts_give_the_same_answer() -> None:
    facts: Observation = seen(endpoint(9000, 1000), rows=HEALTHY)

    assert decide(baking(), facts, NOW) == decide(baking(), facts, NOW)
