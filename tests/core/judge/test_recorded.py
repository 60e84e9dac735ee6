"""Latencies from the application's histogram: judged like any others, and only while it has the requests that CloudWatch counts."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.histogram import Histogram
from sluice.core.judge import Finding, Judgement, Verdict, Word
from sluice.core.observation import Row, SlotMinute
from tests.builders import errors, latency
from tests.core.judge.minutes import judged, minute, slow, study, usual

OWN = Histogram("Shop", "AnswerTime", 5_000, 2_000_000, "fallback")
PLAIN = tuple(replace(step, prove={}) for step in study().steps)
POLICY = study(metrics={"errors": errors(), "latency": latency(histogram=OWN)}, steps=PLAIN)


def recorded(side: SlotMinute, part: float = 1.0) -> SlotMinute:
    """The same latencies from a histogram that has `part` of the answers."""
    tail = side.tails["latency"]
    return replace(side, tails={"latency": replace(tail, answered=tail.trials / part if part else 500.0)})


def rows(factor: float, canary_part: float = 1.0, stable_part: float = 1.0, count: int = 30) -> list[Row]:
    return [
        minute(i, recorded(slow(3000, factor, rail=0.0005), canary_part), recorded(usual(3000), stable_part))
        for i in range(count)
    ]


def of_latency(judgement: Judgement) -> Finding:
    (found,) = (finding for finding in judgement.findings if finding.metric == "latency")
    return found


def test_a_canary_that_answers_more_slowly_is_taken_back_and_who_counted_it_is_said() -> None:
    judgement = judged(POLICY, rows(4.0))

    assert judgement.verdict is Verdict.ROLL_BACK
    assert judgement.because.startswith("latency over 1.3x stable's p90 as the application recorded it: ")


def test_where_cloudwatch_counts_that_is_said_too() -> None:
    judgement = judged(POLICY, [minute(i, slow(3000, 1.0), usual(3000)) for i in range(20)])

    assert " as CloudWatch counted it: " in of_latency(judgement).numbers


def test_a_histogram_that_misses_requests_holds_with_both_numbers_and_judges_nothing() -> None:
    judgement = judged(POLICY, rows(4.0, canary_part=0.8))

    assert judgement.verdict is Verdict.HOLD
    assert not judgement.is_incident, "doubtful data never ends in a rollback by itself"
    assert judgement.because == (
        "latency not compared: in the last 5 min the application recorded 15,000 latencies of canary, and CloudWatch counts 18,750 "
        "answered requests (AnswerTime_n against Invocations less errors): one for each answer is needed"
    )
    evidence = of_latency(judgement).evidence
    assert evidence is not None
    assert evidence.minutes == 0


def test_so_does_one_that_has_more_than_there_were() -> None:
    judgement = judged(POLICY, rows(1.0, stable_part=1.25))

    assert "recorded 15,000 latencies of stable, and CloudWatch counts 12,000 answered" in judgement.because


def test_a_rail_is_not_crossed_by_latencies_of_other_requests() -> None:
    crossing = [minute(i, recorded(slow(500, 1.0, rail=0.5), 0.5), recorded(usual(500))) for i in range(10)]

    assert judged(POLICY, crossing).verdict is Verdict.HOLD
    assert judged(POLICY, [replace(row, canary=recorded(row.canary)) for row in crossing]).is_hard


def test_a_difference_of_a_tenth_is_a_minutes_edge() -> None:
    assert of_latency(judged(POLICY, rows(1.0, canary_part=0.92))).word is Word.CLEARED


def test_harm_that_was_shown_before_stays_harm() -> None:
    later = [replace(row, at=row.at + 30 * 60) for row in rows(1.0, canary_part=0.5)]

    assert judged(POLICY, [*rows(4.0), *later]).verdict is Verdict.ROLL_BACK


def test_once_both_agree_again_it_is_judged_again() -> None:
    later = [replace(row, at=row.at + 10 * 60) for row in rows(1.0, count=20)]

    found = of_latency(judged(POLICY, [*rows(1.0, canary_part=0.5, count=10), *later]))

    assert found.word is Word.CLEARED
    assert found.evidence is not None
    assert 10 < found.evidence.minutes < 20


def test_minutes_of_an_earlier_step_do_not_count_against_the_next() -> None:
    first = [replace(row, step=1) for row in rows(1.0, canary_part=0.5, count=10)]
    second = [replace(row, at=row.at + 600, step=2) for row in rows(1.0, count=1)]

    assert judged(POLICY, first).verdict is Verdict.HOLD
    assert of_latency(judged(POLICY, [*first, *second])).word is Word.CLEARED


def test_the_minute_in_which_the_weight_changes_is_not_checked() -> None:
    changing = [replace(row, is_change=True, canary_parts=None) for row in rows(1.0, canary_part=0.5, count=2)]

    assert of_latency(judged(POLICY, changing)).word is Word.CLEARED


def test_a_histogram_that_nobody_records_is_named() -> None:
    def bare(side: SlotMinute) -> SlotMinute:
        return replace(side, tails={"latency": replace(side.tails["latency"], over={})})

    judgement = judged(POLICY, [minute(i, bare(slow(500, 1.0)), bare(usual(500))) for i in range(10)])

    assert of_latency(judgement).numbers == (
        "not compared: requests are seen, but CloudWatch does not count them over any limit, nor does AnswerTime of the application "
        "(no trimmed counts, or no latencies of stable in the hour before)"
    )


def test_after_promotion_it_holds_nothing_up() -> None:
    soak = [minute(i, recorded(slow(500, 1.0), 0.5), step=3) for i in range(10)]

    assert judged(POLICY, soak).verdict is Verdict.ADVANCE
