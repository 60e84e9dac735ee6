"""From a submission to the first step: the slot is built, tried and rehearsed before any traffic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.actions import EnsureConfig, SetAlarm, SetInstances, SetWeights, UpdateEndpoint
from sluice.core.decide import decide
from sluice.core.head import Head
from sluice.core.observation import AlarmFacts, ArtifactFacts, SmokeFacts, Variant
from sluice.core.prepare import update_was_refused
from sluice.core.rollout import Phase, Prepared, Rehearsal
from tests.builders import NOW, started
from tests.core.facts import CONFIGURED, endpoint, quiet, seen, variant
from tests.core.rollouts import GREEN, ON_WANTED, PREPARED, phase, preparing, weights


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
