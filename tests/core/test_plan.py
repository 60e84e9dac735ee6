"""The plan of a policy: spans, exposure, and whether a step sees enough, by hand-computed numbers."""

from __future__ import annotations

import pytest

from sluice.core.plan import Assumptions, Blocked, Plan, Reach, Span, evidence_seconds, plan, reach, rps_needed
from sluice.core.policy import AfterSoak, OnInconclusive, Rollback
from sluice.core.weights import WHOLE
from tests.builders import policy, step

LAST = policy().steps[-1]
ONE_STEP = policy(steps=(step(10, 300, 900), LAST))
CALL, UPDATE = Span(10, 20), Span(600, 1200)


def planned(rps: float | None = None, made=ONE_STEP) -> Plan:
    return plan(made, Assumptions(rps, UPDATE, CALL))


def test_the_first_step_starts_after_the_slot_is_built_and_the_rollback_rehearsed() -> None:
    made = planned()

    assert made.prepared == Span(600, 1200 + 30), "looked at every 30 s while the slot is built"
    assert made.rehearsed == Span(600 + 5 + 10, 1230 + 120 + 20 + 30), "at most the target, a no-op call and a look"
    assert made.steps[0].starts == made.rehearsed


def test_without_traffic_given_a_step_lasts_from_bake_min_to_bake_max_and_exposure_is_not_guessed() -> None:
    made = planned()

    first, last = made.steps
    assert first.watched == Span(300, 900 + 60)
    assert first.reach is Reach.UNKNOWN
    assert (first.exposed, made.exposed) == (None, None)
    assert last.starts == made.rehearsed + Span(10 + 300, 25 + 960)
    assert made.promoted == last.starts + Span(10, 25)
    assert made.settled == made.promoted + Span(3600, 3600 + 300)


def test_a_bake_that_is_shorter_than_the_metrics_delay_lasts_until_one_minute_is_known() -> None:
    made = planned(made=policy(steps=(step(10, 60, 120), LAST)))

    assert made.steps[0].watched == Span(180, 180 + 60)


def test_with_traffic_a_step_lasts_until_its_evidence_is_there() -> None:
    made = planned(rps=2.5)

    assert evidence_seconds(ONE_STEP, 0.1, 2.5) == Span(120 + 7 * 60, 120 + 8 * 60), "100 requests at 15 a minute"
    assert made.steps[0].watched == Span(540, 600 + 60)
    assert made.steps[0].exposed == Span((540 + 10) // 4, 172), "0.25 requests/s until the next weights serve"
    assert made.exposed == made.steps[0].exposed


def test_the_quieter_side_decides_when_there_is_enough() -> None:
    assert evidence_seconds(ONE_STEP, 0.95, 10) == Span(120 + 4 * 60, 120 + 5 * 60), "30 stable requests a minute"


def test_a_minute_that_holds_exactly_enough_is_enough() -> None:
    assert evidence_seconds(policy(min_samples=60), 0.1, 10).earliest == 120 + 60


def test_a_canary_needs_what_a_rate_needs_even_if_the_policy_asks_for_less() -> None:
    assert planned(made=policy(min_samples=1)).steps[0].needs == 50


@pytest.mark.parametrize(
    ("rps", "expected"),
    [(None, Reach.UNKNOWN), (100, Reach.BAKE_MIN), (2.5, Reach.BAKE_MAX), (0.5, Reach.HOLDING), (0.01, Reach.NEVER)],
)
def test_whether_a_step_sees_enough(rps: float | None, expected: Reach) -> None:
    assert reach(ONE_STEP, ONE_STEP.steps[0], rps) is expected


def test_a_step_that_goes_back_on_inconclusive_is_never_held() -> None:
    strict = policy(steps=(step(10, 300, 900, OnInconclusive.ROLLBACK), LAST))

    made = planned(0.5, strict)

    assert made.steps[0].reach is Reach.NEVER
    assert made.steps[0].watched == Span(900, 960), "taken back at bake.max"


def test_a_step_that_never_sees_enough_ends_the_way_and_says_how_long_it_was_held() -> None:
    made = planned(0.01, policy(steps=(step(10), step(50), LAST)))

    first, second, last = made.steps
    assert made.stuck == 1
    assert first.watched == Span(900 + 7200, 900 + 7200 + 60)
    assert (second.starts, second.watched, second.exposed, last.starts) == (None, None, None, None)
    assert (made.promoted, made.settled, made.restore_settled) == (None, None, None)
    assert made.exposed == first.exposed, "what it cost until it was taken back"


def test_a_later_step_can_be_the_one_that_is_stuck() -> None:
    made = planned(0.1, policy(steps=(step(50), step(99), LAST), max_hold_seconds=3600))

    assert made.steps[0].reach is Reach.HOLDING
    assert made.stuck == 2, "1 % of the requests stay on stable, and that is too few"


def test_the_way_back_is_one_weight_call_until_settled_and_a_whole_rollout_after() -> None:
    made = planned(rps=100)

    assert made.restore_live == CALL
    assert made.restore_settled == made.promoted


def test_a_persons_way_back_after_settling_builds_nothing_where_the_slot_stayed_warm() -> None:
    warm = planned(made=policy(after_soak=AfterSoak.STANDBY))
    given_up = planned(made=policy(after_soak=AfterSoak.RETIRE))
    rehearsal = Span(warm.rehearsed.earliest - warm.prepared.earliest, warm.rehearsed.latest - warm.prepared.latest)

    assert warm.restore_kept == Span(0, 30) + rehearsal + CALL + Span(0, 5)
    assert given_up.restore_kept == given_up.rehearsed + CALL + Span(0, 5)


def test_the_longest_way_holds_every_step_to_its_limit() -> None:
    made = planned()

    assert made.longest == made.rehearsed.latest + (20 + 5) + (900 + 7200 + 60) + (20 + 5)


def test_the_rehearsal_may_take_as_long_as_the_policy_allows() -> None:
    slow = planned(made=policy(rollback=Rollback(600, 900, 86400)))

    assert slow.rehearsed.latest - planned(made=policy()).rehearsed.latest == 480


def test_the_traffic_a_step_needs_is_the_one_with_which_it_surely_sees_enough() -> None:
    needed = rps_needed(ONE_STEP, 0.1, 900)

    assert needed == pytest.approx(100 / (0.1 * 12 * 60)), "15 minutes less 2 of delay and one that is cut off"
    assert evidence_seconds(ONE_STEP, 0.1, needed).latest <= 900
    assert evidence_seconds(ONE_STEP, 0.1, needed * 0.9).latest > 900


def test_no_traffic_helps_a_bake_that_is_over_before_anything_is_known() -> None:
    assert rps_needed(ONE_STEP, 0.1, 239) is None
    assert rps_needed(ONE_STEP, 0.1, 240) is not None


def test_a_policy_of_one_step_exposes_nothing_before_promotion() -> None:
    made = planned(10, policy(steps=(LAST,)))

    assert made.exposed == Span(0, 0)
    assert made.promoted == made.rehearsed + Span(10, 25)


def test_scaling_that_is_kept_may_block_a_way_back_at_the_highest_judged_weight() -> None:
    kept = plan(policy(), Assumptions(rps=10, scaling_kept=True)).blocked
    highest = policy().steps[-2].weight_parts

    assert plan(policy(), Assumptions()).blocked is None
    assert kept == Blocked(30 * 60 + 30, highest, round((30 * 60 + 30) * 10 * highest / WHOLE))
    unknown = plan(policy(), Assumptions(scaling_kept=True)).blocked
    assert unknown is not None
    assert unknown.exposed is None


def test_a_policy_of_one_step_has_everything_at_stake_while_blocked() -> None:
    blocked = plan(policy(steps=(policy().steps[-1],)), Assumptions(scaling_kept=True)).blocked

    assert blocked is not None
    assert blocked.weight_parts == WHOLE
