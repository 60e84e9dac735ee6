"""Steps up: shifting, baking, and standing still when a person interferes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.actions import Notify, SetWeights
from sluice.core.conditions import OnBreach
from sluice.core.decide import decide
from sluice.core.decision import Decision
from sluice.core.head import Head
from sluice.core.observation import AlarmFacts
from sluice.core.policy import IncidentThen, OnInconclusive, SharedIncident
from sluice.core.rollout import Phase, Shift
from tests.builders import NOW, policy, started, step
from tests.core.facts import endpoint, minutes, quiet, row, seen
from tests.core.rollouts import GREEN, HEALTHY, PREPARED, baking, phase, weights


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
