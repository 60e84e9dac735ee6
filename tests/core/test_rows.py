"""Which minutes are read, over which thresholds, and what weight each of them had."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.observation import Row, SlotMinute
from sluice.core.rollout import Phase, Rollout, Shift
from sluice.core.rows import MOST_SECONDS, asked, limits, placed, reading, seen_applied
from tests.builders import policy, started, step

AT = 1_800_000_000 // 60 * 60
PAST = {"latency": {"p50": 10_000.0, "p90": 20_000.0, "p99": 40_000.0}}


def baking(**changes: object) -> Rollout:
    steps = (replace(step(10), prove={"latency": 2.0}), *policy().steps[1:])
    fields = {"phase": Phase.BAKING, "step": 0, "first_exposure_at": AT + 10, "quantiles": PAST, **changes}
    rollout = started(policy=policy(steps=steps), **fields).live
    assert rollout is not None
    return rollout


def test_the_first_whole_minute_is_the_first_row_and_young_ones_wait() -> None:
    wanted = reading(baking(), AT + 400)

    assert wanted is not None
    assert (wanted.canary, wanted.stable) == ("green", "blue")
    assert (wanted.since, wanted.until) == (AT + 60, AT + 240)


def test_nothing_is_read_before_there_is_a_minute() -> None:
    assert reading(baking(), AT + 100) is None
    assert reading(baking(first_exposure_at=None), AT + 400) is None
    assert reading(baking(phase=Phase.SHIFTING), AT + 400) is None


def test_a_long_soak_does_not_read_for_ever() -> None:
    wanted = reading(baking(phase=Phase.SOAKING, step=2), AT + 30 * 86400)

    assert wanted is not None
    assert wanted.until - wanted.since == MOST_SECONDS


def test_thresholds_are_stables_past_times_what_is_tolerated_and_to_be_proven() -> None:
    found = limits(baking())["latency"]

    assert found.stable == {"p50x1": 10_000.0, "p90x1": 20_000.0, "p99x1": 40_000.0, "p99x3": 120_000.0}
    assert found.canary["p90x1.3"] == 26_000.0
    assert found.canary["p90x2"] == 40_000.0
    assert limits(baking(quantiles={})) == {}
    assert "p90x2" not in limits(baking(step=-1))["latency"].canary


def test_rows_that_were_placed_before_are_the_same_and_others_are_placed_anew() -> None:
    rows = tuple(Row(AT + 60 * i, SlotMinute(), SlotMinute(), faults=("late",)) for i in range(3))
    shifts = (Shift(1, 1000, AT + 30, AT + 40),)
    first = placed(rows[:2], shifts)

    again = placed((*rows[:1], replace(rows[1], faults=()), rows[2]), shifts)

    assert again[0] is first[0]
    assert [row.faults for row in again] == [("late",), (), ("late",)]
    assert placed(rows, ()) == rows
    assert placed(rows, shifts)[2] == replace(rows[2], step=1, canary_parts=1000)


def test_a_minute_has_the_weight_that_was_live_throughout() -> None:
    shifts = asked((), 0, 1000, AT + 10)
    shifts = seen_applied(shifts, 0, 1000, AT + 40)
    shifts = asked(shifts, 1, 5000, AT + 130)
    rows = tuple(Row(AT + 60 * i, SlotMinute(), SlotMinute()) for i in range(-1, 4))

    before, first, whole, changing, after = placed(rows, shifts)

    assert (before.step, before.canary_parts, before.is_change) == (0, None, False)
    assert (first.step, first.canary_parts, first.is_change) == (0, None, True)
    assert (whole.step, whole.canary_parts, whole.is_change) == (0, 1000, False)
    assert (changing.step, changing.canary_parts) == (1, None)
    assert after.is_change, "not seen applied yet"


def test_a_weight_that_came_back_after_a_person_changed_it_is_a_shift_of_its_own() -> None:
    shifts = (Shift(0, 1000, AT, AT + 20),)

    assert seen_applied(shifts, 0, 1000, AT + 600) == (*shifts, Shift(0, 1000, AT + 600, AT + 600))
