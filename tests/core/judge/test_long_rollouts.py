"""Late labels, segments, missing minutes, soaks, error budgets; and a memory that changes no answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.judge import Judgement, Run, Verdict, judge
from sluice.core.judge.latency import thresholds
from sluice.core.judge.memory import RECENT_ROWS, Memory
from sluice.core.observation import Counts, Moments, Row, SlotMinute, Tail
from sluice.core.policy import Bad
from tests.builders import errors, latency, terms
from tests.core.judge.minutes import REVENUE, counted, judged, minute, only, slow, steady, study, usual, words

PLAIN = tuple(replace(step, prove={}) for step in study().steps)


def labelled(count: float, correct: float, **segments: tuple[float, float]) -> SlotMinute:
    by = {value: Counts(*pair) for value, pair in segments.items()}
    return SlotMinute(
        {"requests": Counts(500, 0), "accuracy": Counts(count, correct)}, segments={"accuracy": by} if by else {}
    )


class TestLateLabels:
    POLICY = only(
        "accuracy",
        errors(rail=None, namespace="Shop", terms=terms(0.99, 1.0, bad=Bad.LOW, lag_seconds=3600)),
        steps=PLAIN,
    )
    BAD = tuple(minute(i, labelled(3000, 2100), labelled(3000, 2700)) for i in range(20))
    PROMOTED = tuple(minute(20 + i, SlotMinute({"requests": Counts(500, 0)}), step=3) for i in range(60))

    def test_labels_younger_than_the_lag_are_not_judged(self) -> None:
        assert judged(self.POLICY, self.BAD).verdict is Verdict.ADVANCE

    def test_older_ones_take_the_release_back_even_after_promotion(self) -> None:
        judgement = judged(self.POLICY, [*self.BAD, *self.PROMOTED])

        assert judgement.verdict is Verdict.ROLL_BACK
        assert judgement.because.startswith("accuracy 70.0 % (")

    def test_what_is_proven_late_is_proven_for_its_own_step_only(self) -> None:
        steps = tuple(replace(step, prove={"accuracy": 0.9} if i < 3 else {}) for i, step in enumerate(PLAIN))
        good = [minute(i, labelled(3000, 2700), labelled(27_000, 24_300), step=1) for i in range(70)]
        rows = [*good, *(replace(row, at=good[-1].at + 60 * (1 + i), step=2) for i, row in enumerate(good[:5]))]

        judgement = judged(replace(self.POLICY, steps=steps), [replace(row, canary_parts=None) for row in rows])

        assert "0.9x not ruled out: evidence 0.0 of 20 needed" in judgement.because


class TestSegments:
    ACCURACY = errors(rail=None, terms=terms(0.99, 1.0, bad=Bad.LOW, segment="country"))
    POLICY = only("accuracy", ACCURACY, steps=PLAIN)

    def test_harm_to_one_segment_is_seen_though_the_whole_looks_well(self) -> None:
        rows = [
            minute(
                i,
                labelled(3300, 2900, de=(300, 150), us=(3000, 2750)),
                labelled(3300, 2900, de=(300, 270), us=(3000, 2630)),
            )
            for i in range(40)
        ]

        run = Run.of(self.POLICY).read(rows)

        assert run.judgement().verdict is Verdict.ROLL_BACK
        assert (
            Run.of(
                only("accuracy", replace(self.ACCURACY, terms=replace(self.ACCURACY.terms, segment=None)), steps=PLAIN)
            )
            .read(rows)
            .judgement()
            .verdict
            is Verdict.ADVANCE
        )

    def test_so_many_segments_are_judged_and_no_more(self) -> None:
        by = {f"s{i:02}": (10, 9) for i in range(15)}
        rows = [minute(i, labelled(150, 135, **by), labelled(150, 135, **by), step=1 + i // 2) for i in range(4)]

        run = Run.of(self.POLICY).read(rows)

        (follower,) = (f for f in run.followers if f.name == "accuracy")
        assert sorted(follower.segments) == [f"s{i:02}" for i in range(10)]

    def test_a_segment_that_is_on_one_side_only_says_nothing(self) -> None:
        rows = [minute(i, labelled(500, 450, de=(10, 9)), labelled(500, 450)) for i in range(5)]

        assert judged(self.POLICY, rows).verdict is Verdict.ADVANCE


class TestMissing:
    def test_a_minute_that_is_missing_altogether_is_one_without_data(self) -> None:
        made = study(metrics={"errors": errors()})
        rows = steady(20, (3000, 6), (3000, 6))
        holed = [*rows[:7], *rows[9:]]
        empty = [
            replace(row, canary=SlotMinute(), stable=SlotMinute()) if i in (7, 8) else row for i, row in enumerate(rows)
        ]

        assert judged(made, holed) == judged(made, empty)

    def test_a_minute_that_comes_again_says_nothing_new(self) -> None:
        rows = steady(20, (3000, 24), (3000, 12))

        assert judged(study(), [*rows[:12], *rows[5:12], *rows[12:]]) == judged(study(), rows)

    def test_latency_that_was_not_counted_over_its_thresholds_is_not_compared(self) -> None:
        side = SlotMinute({"errors": Counts(500, 1)}, {"latency": Tail(500, {})}, p90_us={"latency": 20_000.0})
        quiet = replace(side, tails={"latency": Tail(0, {})})

        judgement = judged(study(steps=PLAIN), [minute(i, quiet if i % 2 else side, side) for i in range(10)])

        assert (
            "latency not compared: requests are seen, but CloudWatch does not count them over any limit"
            in judgement.because
        )

    def test_latency_whose_limits_are_counted_later_is_compared_from_then_on(self) -> None:
        bare = SlotMinute({"errors": Counts(3000, 6)}, {"latency": Tail(3000, {})})
        rows = [minute(i, bare, bare) if i < 8 else minute(i, slow(3000, 1.0), usual(3000)) for i in range(20)]

        judgement = judged(study(steps=PLAIN), rows)

        (numbers,) = (found.numbers for found in judgement.findings if found.metric == "latency")
        assert numbers.startswith("over 1.3x stable's p")

    def test_latency_without_any_latencies_is_just_not_compared_yet(self) -> None:
        side = SlotMinute({"errors": Counts(500, 1)})

        judgement = judged(study(steps=PLAIN), [minute(i, side, side) for i in range(10)])

        assert "latency not compared yet" in judgement.because

    def test_a_margin_that_was_not_counted_is_proven_with_what_was(self) -> None:
        def without(row: Row) -> Row:
            tail = row.canary.tails["latency"]
            over = {name: count for name, count in tail.over.items() if not name.endswith("x1.41")}
            return replace(row, canary=replace(row.canary, tails={"latency": Tail(tail.trials, over)}))

        rows = [without(minute(i, slow(3000, 0.5), usual(3000))) for i in range(30)]

        (found,) = (f.evidence for f in judged(study(), rows).findings if f.metric == "latency")
        assert found is not None
        assert (found.proof or 0) > 20

    def test_what_is_proven_stays_as_it_was_proven(self) -> None:
        rows = [minute(i, slow(3000, 0.5), usual(3000)) for i in range(60)]

        looks = judged(study(), rows[:40]), judged(study(), [*rows, *steady(20, (3000, 9), (3000, 3), first=60)])

        early, late = (found for look in looks for found in look.findings if found.metric == "errors")
        assert early.evidence is not None
        assert late.evidence is not None
        assert early.evidence.proof == late.evidence.proof
        assert words(looks[1])["errors"] == "cleared"

    def test_a_mean_of_nothing_is_not_compared(self) -> None:
        side = SlotMinute({"requests": Counts(500, 0)}, means={"revenue": Moments(100, -500, 10_000)})

        judgement = judged(only("revenue", REVENUE, steps=PLAIN), [minute(i, side, side) for i in range(10)])

        assert "revenue not compared yet" in judgement.because

    def test_an_outcome_that_nobody_reports_is_said(self) -> None:
        made = only("accuracy", errors(rail=None, namespace="Shop", terms=terms(1.1)), steps=PLAIN)
        rows = [minute(i, counted(500, 0, "requests"), counted(500, 0, "requests")) for i in range(10)]

        judgement = judged(made, rows)

        assert judgement.because == "accuracy not seen: nothing was reported of the canary"


def test_the_p90_is_shown_to_people() -> None:
    def with_p90(side: SlotMinute, value: float) -> SlotMinute:
        return replace(side, p90_us={"latency": value})

    rows = [minute(i, with_p90(slow(500, 1.0), 21_000), with_p90(usual(500), 20_000)) for i in range(8)]

    (found,) = (f for f in judged(study(), rows).findings if f.metric == "latency")
    assert found.numbers.startswith("p90 21 ms against 20 ms, over 1.3x stable's p")


def test_a_latency_without_a_rail_and_margin_counts_over_fewer_thresholds() -> None:
    bare = latency(rail=None, quantiles={"p50": 1.0, "p90": 0.0, "p99": 0.0})

    rows = [minute(i, slow(3000, 1.0), usual(3000)) for i in range(8)]
    assert "latency" in words(judged(study(metrics={"errors": errors(), "latency": bare}), rows))
    assert thresholds(bare, None).canary == (("p50", 1.3),)
    assert thresholds(latency(), 1.41).stable == (("p50", 1.0), ("p90", 1.0), ("p99", 1.0), ("p99", 3.0))


def test_the_minute_in_which_the_weight_changes_counts_for_no_floor_and_no_settling() -> None:
    made = study(min_samples=100, steps=PLAIN)
    rows = [replace(row, is_change=i == 0) for i, row in enumerate(steady(1, (500, 1), (500, 1)))]

    assert judged(made, rows).because.startswith(
        "samples none yet: no whole minute of this step is known, 100 requests needed"
    )


def test_an_error_budget_that_burns_holds() -> None:
    made = study(metrics={"errors": errors(rail=None, slo=0.999)}, steps=PLAIN)

    judgement = judged(made, steady(30, (500, 10), (500, 10)))

    assert judgement.verdict is Verdict.HOLD
    assert judgement.is_incident
    assert judgement.because == "errors the endpoint burns its error budget 20.0 times too fast over 60 min and 5 min"


class TestMemory:
    POLICY = study()
    ROWS = tuple(minute(i, slow(3000, 1.0 + i / 100), usual(3000)) for i in range(120))

    def fresh(self, rows: tuple[Row, ...]) -> Judgement:
        return Run.of(self.POLICY).read(rows).judgement()

    def test_row_by_row_it_says_what_reading_everything_anew_says(self) -> None:
        memory = Memory()

        for count in range(0, 120, 7):
            assert memory.judge(self.POLICY, self.ROWS[:count]) == self.fresh(self.ROWS[:count])

    @pytest.mark.parametrize("changed", [5, 100])
    def test_a_minute_that_changed_later_is_read_anew(self, changed: int) -> None:
        memory = Memory()
        memory.judge(self.POLICY, self.ROWS)
        late = replace(self.ROWS[changed], canary=slow(9000, 3.0))
        rows = (*self.ROWS[:changed], late, *self.ROWS[changed + 1 :])

        assert memory.judge(self.POLICY, rows) == self.fresh(rows)

    def test_another_policy_is_another_rollout(self) -> None:
        memory, other = Memory(), study(metrics={"errors": errors()})
        memory.judge(self.POLICY, self.ROWS)

        assert memory.judge(other, self.ROWS) == Run.of(other).read(self.ROWS).judgement()
        assert len(memory.reads) == 2

    @pytest.mark.parametrize(("late", "read_rows"), [(False, 1), (True, 1 + RECENT_ROWS)])
    def test_only_what_is_new_is_read_or_the_last_half_hour_if_it_changed(
        self, late: bool, read_rows: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        memory, read = Memory(), []
        memory.judge(self.POLICY, self.ROWS[:-1])
        wrapped = Run._read
        monkeypatch.setattr(Run, "_read", lambda run, row: (read.append(row), wrapped(run, row)))
        before = replace(self.ROWS[-9], canary=slow(9000, 3.0)) if late else self.ROWS[-9]

        memory.judge(self.POLICY, (*self.ROWS[:-9], before, *self.ROWS[-8:]))

        assert len(read) == read_rows  # one more has settled, which is read where the last half hour is

    def test_the_evidence_of_all_together_can_be_asked(self) -> None:
        run = Run.of(study(judge=replace(self.POLICY.judge, dispersion=1.5))).read(self.ROWS[:5])

        assert run.evidence == pytest.approx(1, abs=0.5)

    def test_it_is_what_the_judge_asks(self) -> None:
        assert judge(self.POLICY, self.ROWS) == judge(self.POLICY, list(self.ROWS)) == self.fresh(self.ROWS)
