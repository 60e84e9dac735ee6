"""Promoted: what is still obeyed, and when it settles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.decide import decide
from sluice.core.head import Cleanup
from sluice.core.policy import AfterSoak
from sluice.core.rollout import Phase
from tests.builders import NOW, policy
from tests.core.facts import endpoint, minutes, quiet, row, seen
from tests.core.rollouts import phase, soaking


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
