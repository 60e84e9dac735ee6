"""What the judge says of rows: rails, comparison, proof, shared incidents, and what is only observed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.judge import Judgement, Verdict, Word, judge
from sluice.core.judge.latency import thresholds
from sluice.core.judge.wording import evidence
from sluice.core.observation import Counts, Row, SlotMinute
from sluice.core.policy import Bad, LevelMetric, LevelRail
from tests.builders import errors, latency, terms
from tests.core.judge.minutes import (
    REVENUE,
    judged,
    minute,
    minutes_until_rollback,
    only,
    slow,
    spent,
    steady,
    study,
    usual,
    words,
)

ERRORS = {"errors": errors(terms=terms(1.10, 1.0, absolute=0.0002))}
ERRORS_ONLY = study(metrics=ERRORS)


class TestRails:
    """judge.md: fires after about 7 requests if all fail, 24 at 50 %, 150 at 20 %."""

    @pytest.mark.parametrize(("failing", "requests"), [(1.0, 7), (0.5, 24), (0.2, 150)])
    def test_it_fires_after_as_many_requests_as_the_study_says(self, failing: float, requests: int) -> None:
        few = [
            minute(0, SlotMinute({"errors": Counts(n, failing * n)}), usual(500))
            for n in (requests / 2, requests * 1.7)
        ]

        before, after = (judged(ERRORS_ONLY, [row]) for row in few)

        assert before.verdict is not Verdict.ROLL_BACK, before.because
        assert (after.verdict, after.is_hard) == (Verdict.ROLL_BACK, True), after.because

    def test_the_first_minute_counts(self) -> None:
        assert minutes_until_rollback(ERRORS_ONLY, steady(3, (500, 250), (500, 1))) == 1

    def test_what_stable_shares_is_no_crossing(self) -> None:
        judgement = judged(ERRORS_ONLY, steady(30, (500, 45), (500, 40)))

        assert judgement.verdict is Verdict.HOLD
        assert judgement.is_incident
        assert judgement.because == (
            "errors stable itself is over its rail of 5.0 % and 2x: 9.0 % (225 of 2,500) against 8.0 % (200 of 2,500)"
        )

    def test_when_everything_fails_on_both_the_canary_is_not_to_blame(self) -> None:
        judgement = judged(ERRORS_ONLY, steady(5, (3000, 3000), (9000, 9000)))

        assert judgement.is_incident, judgement.because

    def test_an_incident_that_begins_in_the_minute_of_a_step_is_not_the_canarys(self) -> None:
        """Before the step the canary had few requests, after it many: most of its minute lies in the incident."""
        before, after = steady(5, (150, 0), (2850, 0), step=0), steady(3, (750, 750), (2250, 2250), step=1, first=6)
        begins = replace(steady(1, (180, 120), (2700, 370), step=1, first=5)[0], is_change=True, canary_parts=None)

        judgement = judged(ERRORS_ONLY, [*before, begins, *after])

        assert judgement.is_incident, judgement.because

    def test_a_rail_that_was_crossed_stays_crossed(self) -> None:
        rows = steady(2, (500, 250), (500, 1)) + steady(60, (500, 1), (500, 1), first=2)

        assert judged(ERRORS_ONLY, rows).verdict is Verdict.ROLL_BACK

    def test_without_control_only_the_limit_itself_is_left(self) -> None:
        judgement = judged(ERRORS_ONLY, [minute(i, SlotMinute({"errors": Counts(500, 100)}), step=3) for i in range(3)])

        assert judgement.verdict is Verdict.ROLL_BACK
        assert judgement.because.startswith("errors 20.0 % (300 of 1,500), over its rail of 5.0 % and 2x, evidence 1,0")

    @pytest.mark.parametrize(("silent", "back"), [(0, False), (4, False), (5, True)])
    def test_where_stable_is_silent_for_five_minutes_so_is_the_rails_comparison(self, silent: int, back: bool) -> None:
        """Errors that both had before: nobody can tell whose they are now, and then the stable model serves."""
        both = steady(10, (500, 300), (500, 300))
        alone = [minute(10 + i, SlotMinute({"errors": Counts(500, 300)})) for i in range(silent)]

        assert (judged(ERRORS_ONLY, [*both, *alone]).verdict is Verdict.ROLL_BACK) == back

    def test_after_promotion_a_healthy_release_is_clear(self) -> None:
        judgement = judged(study(), [minute(i, slow(500, 1.0), None, step=3) for i in range(10)])

        assert judgement.verdict is Verdict.ADVANCE
        assert judgement.because.startswith("errors 0 % (0 of 2,500); latency not compared: no stable traffic; samples")

    def test_latency_has_one_too(self) -> None:
        rows = [minute(i, slow(500, 1.0, rail=0.3), usual(500)) for i in range(3)]

        judgement = judged(study(), rows)

        assert judgement.is_hard
        assert judgement.because.startswith(
            "latency over 3x stable's p99: 30.0 % (450 of 1,500) against 0.05 % (1 of 1,500)"
        )


class TestLevels:
    GPU = LevelMetric("level", "/aws/sagemaker/Endpoints", "GPU", LevelRail(90, 180), terms(1.0, 0.0))

    def levels(self, *pairs: tuple[float | None, float | None], metric: LevelMetric = GPU) -> Judgement:
        def side(level: float | None) -> SlotMinute:
            return SlotMinute({"requests": Counts(500, 0)}, levels={} if level is None else {"gpu": level})

        rows = [minute(i, side(canary), side(stable)) for i, (canary, stable) in enumerate(pairs)]
        return judged(only("gpu", metric), rows)

    @pytest.mark.parametrize(("over_own_p99", "is_harm"), [(0.01, True), (0.28, False)])
    def test_a_canary_is_slow_only_as_far_as_stable_is_not(self, over_own_p99: float, is_harm: bool) -> None:
        """12 % over three times stable's old p99: too slow beside what stable was, not beside an incident that slows stable, too."""
        stable = usual(500)
        tail = stable.tails["latency"]
        slowed = replace(stable, tails={"latency": replace(tail, over={**tail.over, "p99x1": 500 * over_own_p99})})
        made = study(metrics={**ERRORS, "latency": latency(terms=terms(1.3, 0.0))})
        rows = [minute(i, slow(500, 1.0, rail=0.12), slowed) for i in range(10)]

        assert judged(made, rows).is_hard == is_harm

    def test_the_rail_reads_stable_over_its_own_p99_also_where_nothing_else_does(self) -> None:
        metric = replace(latency(), quantiles={"p50": 1.0, "p90": 0.0, "p99": 0.0})

        assert thresholds(metric, None).stable == (("p50", 1.0), ("p99", 3.0), ("p99", 1.0))

    def test_beyond_it_for_so_long_is_harm(self) -> None:
        judgement = self.levels((80, 50), (95, 50), (95, 50), (95, 50))

        assert judgement.verdict is Verdict.ROLL_BACK
        assert judgement.because == "gpu was above 90 for 3 min and stable was not"

    def test_a_break_begins_it_anew(self) -> None:
        judgement = self.levels((95, 50), (95, 50), (None, 50), (95, 50))

        assert judgement.verdict is Verdict.ADVANCE
        assert "gpu 95, rail above 90 for 3 min" in judgement.because

    def test_stable_beyond_it_too_is_an_incident(self) -> None:
        assert self.levels(*[(95, 95)] * 3).is_incident

    def test_low_may_be_bad(self) -> None:
        free = replace(self.GPU, rail=LevelRail(10, 120), terms=terms(1.0, 0.0, bad=Bad.LOW))

        assert self.levels((5, 50), (5, 50), metric=free).because == "gpu was below 10 for 2 min and stable was not"

    def test_nothing_seen_is_said(self) -> None:
        assert "gpu not seen" in self.levels((None, None)).because


class TestComparison:
    def test_an_error_rate_that_doubles_is_harm_that_names_its_numbers(self) -> None:
        rows = steady(40, (3000, 24), (3000, 12))

        judgement = judged(ERRORS_ONLY, rows)

        assert (judgement.verdict, judgement.is_hard) == (Verdict.ROLL_BACK, False)
        assert judgement.because == (
            "errors 0.8 % (912 of 114,000) against 0.4 % (456 of 114,000), 2.00x (1.54x to 2.59x), evidence 28 of 20 needed"
        )

    def test_it_takes_about_as_many_minutes_as_the_policy_says_however_gross(self) -> None:
        gross = study(metrics={"errors": errors(rail=None, terms=terms(1.1, 1.0))})

        took = minutes_until_rollback(gross, steady(20, (3000, 600), (3000, 6)))

        assert took is not None
        assert took - gross.judge.warmup_seconds // 60 in (2, 3), (
            "sustain is 3 min; the prior's first minute weighs more"
        )

    def test_what_is_tolerated_is_never_punished(self) -> None:
        rows = steady(400, (30_000, 132), (30_000, 120))

        assert judged(ERRORS_ONLY, rows).verdict is not Verdict.ROLL_BACK

    def test_nothing_is_compared_in_the_warm_up(self) -> None:
        judgement = judged(ERRORS_ONLY, steady(2, (3000, 60), (3000, 3)))

        assert judgement.findings[0].evidence is not None
        assert judgement.findings[0].evidence.minutes == 0

    def test_the_largest_part_of_the_evidence_is_to_blame(self) -> None:
        rows = [minute(i, slow(3000, 4.0), usual(3000)) for i in range(30)]

        judgement = judged(study(), rows)

        assert judgement.because.startswith("latency over 1.3x stable's p")
        assert "against" in judgement.because

    def test_latency_is_not_compared_before_it_settled_after_each_step(self) -> None:
        rows = [minute(i, slow(3000, 4.0, 2.0), usual(3000), step=i // 5) for i in range(10)]

        judgement = judged(study(), rows)

        (found,) = (f.evidence for f in judgement.findings if f.metric == "latency")
        assert found is not None
        assert found.minutes == 0

    def test_fewer_outcomes_are_harm_where_low_is_bad(self) -> None:
        sold = errors(rail=None, terms=terms(0.99, 1.0, bad=Bad.LOW))
        rows = steady(40, (3000, 240), (3000, 300))

        assert judged(study(metrics={"errors": sold}), rows).verdict is Verdict.ROLL_BACK

    def test_a_mean_that_falls_is_harm(self) -> None:
        rows = [minute(i, spent(400, 45), spent(400, 50)) for i in range(30)]

        judgement = judged(only("revenue", REVENUE), rows)

        assert judgement.verdict is Verdict.ROLL_BACK
        assert judgement.because.startswith("revenue 45 (mean of 11,200) against 50 (mean of 11,200), 0.90x (0.8")

    def test_a_healthy_mean_is_clear_and_says_so_from_the_first_minute(self) -> None:
        made = only("revenue", REVENUE)

        assert words(judged(made, [minute(0, spent(400, 50), spent(400, 50))]))["revenue"] == Word.CLEARED
        assert "revenue nothing" not in judged(made, []).because

    def test_a_mean_without_control_is_not_compared(self) -> None:
        judgement = judged(only("revenue", REVENUE), [minute(i, spent(400, 50), step=3) for i in range(3)])

        assert "revenue not compared: no stable traffic" in judgement.because


class TestProof:
    def test_a_margin_that_is_not_ruled_out_keeps_the_step(self) -> None:
        judgement = judged(ERRORS_ONLY, steady(5, (300, 1), (300, 1)))

        assert judgement.verdict is Verdict.CONTINUE
        assert "1.6x not ruled out: evidence" in judgement.because

    def test_enough_of_the_same_clears_it(self) -> None:
        assert judged(ERRORS_ONLY, steady(30, (30_000, 60), (30_000, 60))).verdict is Verdict.ADVANCE

    def test_so_does_the_absence_of_any_error(self) -> None:
        assert judged(ERRORS_ONLY, steady(30, (30_000, 0), (30_000, 0))).verdict is Verdict.ADVANCE

    def test_each_step_has_to_be_proven_anew(self) -> None:
        rows = steady(30, (3000, 6), (27_000, 54), step=1) + steady(3, (300, 1), (300, 1), first=30)

        assert judged(ERRORS_ONLY, rows).verdict is Verdict.CONTINUE

    def test_a_step_without_a_row_has_proven_nothing_and_has_no_samples(self) -> None:
        judgement = judge(ERRORS_ONLY, steady(30, (3000, 6), (27_000, 54), step=1), step=2)

        assert judgement.verdict is Verdict.CONTINUE
        assert words(judgement) == {"errors": "unproven", "samples": "unproven"}

    def test_latency_is_proven_by_the_margins_own_threshold(self) -> None:
        made = study(metrics={"errors": errors(), "latency": latency()})
        rows = [minute(i, slow(30_000, 0.5), usual(30_000)) for i in range(30)]

        judgement = judged(made, rows)

        assert words(judgement)["latency"] == Word.CLEARED

    def test_an_outcome_is_proven_from_below(self) -> None:
        sold = errors(rail=None, terms=terms(0.99, 1.0, bad=Bad.LOW))
        made = study(
            metrics={"errors": sold},
            steps=tuple(replace(step, prove={"errors": 0.9} if step.prove else {}) for step in study().steps),
        )

        assert words(judged(made, steady(30, (30_000, 3000), (30_000, 3000))))["errors"] == Word.CLEARED

    def test_a_mean_is_proven_too(self) -> None:
        made = only("revenue", REVENUE)
        made = replace(made, steps=tuple(replace(step, prove={"revenue": 0.9}) for step in made.steps))
        few = [minute(i, spent(40, 50, 100), spent(40, 50, 100)) for i in range(4)]

        assert words(judged(made, few))["revenue"] == Word.UNPROVEN
        many = [minute(i, spent(4000, 50), spent(4000, 50)) for i in range(30)]
        assert words(judged(made, many))["revenue"] == Word.CLEARED


class TestObserved:
    def test_an_observed_metric_shows_harm_and_enforces_nothing(self) -> None:
        watched = errors(terms=terms(1.1, 1.0, observe=True))

        judgement = judged(study(metrics={"errors": watched}), steady(40, (3000, 24), (3000, 12)))

        assert judgement.verdict is Verdict.ADVANCE
        assert judgement.findings[-1].word is Word.HARMFUL
        assert judgement.findings[-1].numbers.endswith("needed, only observed")

    def test_a_metric_without_a_share_is_only_shown(self) -> None:
        made = study(metrics={**ERRORS, "latency": latency(terms=terms(1.3, 0.0), rail=None)}, steps=_unproven())
        rows = [minute(i, slow(3000, 4.0), usual(3000)) for i in range(30)]

        assert judged(made, rows).verdict is Verdict.ADVANCE


def test_silence_is_not_health() -> None:
    rows = steady(5, (500, 0), (500, 0)) + [minute(5 + i, None, usual(500), canary_parts=None) for i in range(3)]

    judgement = judged(ERRORS_ONLY, rows)

    assert judgement.verdict is Verdict.CONTINUE
    assert judgement.because == "errors not seen: no canary requests in the last 3 minutes"


def test_silence_before_the_first_count_is_not_called_the_last_minutes() -> None:
    rows = [minute(i, None, usual(500), canary_parts=None) for i in range(2)]

    assert "errors not seen: no canary requests counted so far" in judged(ERRORS_ONLY, rows).because


def test_what_is_needed_is_written_as_what_was_counted() -> None:
    many = judged(replace(ERRORS_ONLY, min_samples=100_000), steady(5, (500, 0), (500, 0)))

    assert many.because.endswith("samples 2,500 canary and 2,500 stable requests of 100,000 needed")
    assert evidence(2_000_000, 1000) == "evidence 2,000,000 of 1,000 needed"


def test_no_row_yet_is_said() -> None:
    judgement = judge(study(), [])

    assert judgement.verdict is Verdict.CONTINUE
    assert words(judgement) == {"errors": "unproven", "latency": "unproven", "samples": "unproven"}


def test_an_empty_judgement_says_so() -> None:
    assert Judgement(Verdict.CONTINUE, ()).because == "nothing is judged"


def test_a_minute_without_requests_is_no_rate() -> None:
    assert judged(ERRORS_ONLY, steady(5, (0, 0), (0, 0))).verdict is Verdict.CONTINUE


def test_stable_may_be_missing() -> None:
    rows: list[Row] = [minute(i, SlotMinute({"errors": Counts(500, 1)}), canary_parts=None) for i in range(5)]

    assert judged(ERRORS_ONLY, rows).verdict is Verdict.CONTINUE


def _unproven() -> tuple:
    return tuple(replace(step, prove={}) for step in study().steps)
