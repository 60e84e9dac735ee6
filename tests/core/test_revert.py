"""Going back: weights first and again, then whether stable is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.actions import Notify
from sluice.core.conditions import Hook, HookKind
from sluice.core.decide import decide
from sluice.core.head import Cleanup, Head
from sluice.core.observation import DELETED, HookAnswer, Observation
from sluice.core.rollout import Latch, Phase
from tests.builders import NOW, policy, release
from tests.core.facts import endpoint, quiet, seen, variant
from tests.core.rollouts import baking, phase, rolling_back, weights


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
