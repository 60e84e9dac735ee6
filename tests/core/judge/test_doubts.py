"""Data that cannot be judged holds the rollout and says why; it never takes the canary back."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sluice.core.judge import Judgement, Verdict
from sluice.core.judge.quality import SampleRatio, moments_fault
from sluice.core.observation import Counts, Moments, Row, SlotMinute, Tail
from sluice.core.policy import Bad
from tests.builders import errors, latency, terms
from tests.core.judge.minutes import REVENUE, counted, judged, minute, steady, study

METRICS = {
    "errors": errors(),
    "latency": latency(),
    "revenue": replace(REVENUE, terms=terms(0.97, 0.0, bad=REVENUE.terms.bad)),
    "conversion": errors(rail=None, namespace="Shop", terms=terms(1.1, 0.0)),
}
QUIET = tuple(replace(step, prove={}) for step in study().steps)
PLAIN = study(metrics={"errors": errors()}, steps=QUIET)
POLICY = study(metrics=METRICS, steps=QUIET)
HEALTHY = steady(10, (500, 1), (500, 1))


def held(rows: list[Row]) -> Judgement:
    judgement = judged(POLICY, rows)

    assert judgement.verdict is Verdict.HOLD, judgement.findings
    assert not judgement.is_incident, "a doubt about the data must not end in a rollback"
    return judgement


@pytest.mark.parametrize(
    ("side", "sentence"),
    [
        pytest.param(counted(500, 700), "errors of canary: 700 events of 500 trials", id="more events than trials"),
        pytest.param(counted(500, -1), "errors of canary: -1 events is negative", id="negative"),
        pytest.param(counted(math.nan, 1), "errors of canary: nan trials is no number", id="nan"),
        pytest.param(counted(1e16, 1), "errors of canary: 1e+16 trials is absurd", id="absurd"),
        pytest.param(
            SlotMinute(tails={"latency": Tail(5, {"p50x1.3": 9})}), "latency of canary: p50x1.3: 9 events", id="tail"
        ),
        pytest.param(
            SlotMinute(tails={"latency": Tail(math.inf, {})}), "latency of canary: inf trials is no number", id="trials"
        ),
        pytest.param(
            SlotMinute(means={"revenue": Moments(10, 100, 1)}),
            "revenue of canary: sum 100 and sumsq 1 of 10 cannot be",
            id="moments",
        ),
        pytest.param(SlotMinute(means={"revenue": Moments(-1, 1, 1)}), "count -1, sumsq 1 is negative", id="count"),
        pytest.param(SlotMinute(means={"revenue": Moments(1, math.nan, 1)}), "sum nan is no number", id="sum"),
        pytest.param(SlotMinute(means={"revenue": Moments(10, -1e200, 5)}), "sum -1e+200 is absurd", id="huge sum"),
        pytest.param(SlotMinute(levels={"gpu": math.nan}), "gpu of canary: level nan is no number", id="level"),
        pytest.param(
            SlotMinute(segments={"errors": {"de": Counts(1, 2)}}), "errors de of canary: 2 events of 1", id="segment"
        ),
    ],
)
def test_impossible_numbers_are_named_and_not_judged(side: SlotMinute, sentence: str) -> None:
    judgement = held([*HEALTHY, minute(10, side, counted(500, 1))])

    assert "quality 1 impossible number: " in judgement.because
    assert sentence in judgement.because


def test_squares_of_microseconds_are_large_and_possible() -> None:
    second = Moments(100_000, 100_000 * 1e6, 100_000 * 1.1e12)

    assert moments_fault(second) is None


def test_two_impossible_numbers_are_counted() -> None:
    judgement = held([*HEALTHY, minute(10, counted(500, 700), counted(500, -1))])

    assert (
        "quality 2 impossible numbers: errors of canary: 700 events of 500 trials; errors of stable"
        in judgement.because
    )


def test_what_was_no_number_at_the_edge_is_named_too() -> None:
    assert (
        "errors of blue: trials is nan"
        in held([*HEALTHY, minute(10, faults=("errors of blue: trials is nan",))]).because
    )


def test_an_impossible_minute_long_ago_holds_nothing() -> None:
    rows = [minute(0, counted(500, 700), counted(500, 1)), *steady(10, (500, 1), (500, 1), first=1)]

    assert judged(PLAIN, rows).verdict is Verdict.ADVANCE


def test_a_split_that_is_not_the_weights_is_named() -> None:
    judgement = held(steady(10, (500, 1), (1000, 2)))

    assert judgement.because.startswith(
        "split the canary got 33.3 % of 15,000 requests at a weight of 50.0 %, evidence"
    )


def test_a_split_begins_anew_with_the_weight() -> None:
    skewed = [replace(row, canary_parts=4000) for row in steady(10, (500, 1), (1000, 2))]

    assert judged(PLAIN, [*skewed, *steady(10, (500, 1), (500, 1), first=10)]).verdict is Verdict.ADVANCE


def test_a_minute_in_which_the_weight_changed_is_no_split() -> None:
    rows = [replace(row, is_change=True) for row in steady(10, (500, 1), (1000, 2))]

    assert "split" not in judged(POLICY, rows).because


def test_silence_of_the_canary_is_named() -> None:
    judgement = held([minute(i, None, counted(500, 1)) for i in range(5)])

    assert "split no canary requests in 5 min, 2,500 expected" in judgement.because


def test_silence_that_was_expected_is_none() -> None:
    rows = [minute(i, None, counted(1, 0), step=0) for i in range(5)]

    assert judged(POLICY, rows).verdict is Verdict.CONTINUE


def test_outcomes_of_a_canary_that_was_not_called_are_named() -> None:
    rows = [minute(i, counted(20, 1, "conversion"), counted(0, 0)) for i in range(5)]

    assert "conversion 100 trials of a canary that had no requests" in held(rows).because


class TestTheSampleRatio:
    def test_what_the_weight_gives_is_no_evidence(self) -> None:
        ratio = SampleRatio(5_000, 495_000)

        assert ratio.evidence(0.01) < 1

    def test_nothing_is_no_evidence(self) -> None:
        assert SampleRatio().evidence(0.5) == 1

    def test_all_on_one_side_is(self) -> None:
        assert SampleRatio(200, 0).evidence(0.5) > 1000
        assert SampleRatio(0, 200).evidence(0.5) > 1000


class TestUnserved:
    """Outcomes are reported of a canary that SageMaker never counted a request of."""

    OUTCOMES = errors(rail=None, namespace="Shop", terms=terms(0.97, 0.5, bad=Bad.LOW))
    POLICY = study(
        metrics={"errors": errors(), "accuracy": OUTCOMES}, steps=tuple(replace(s, prove={}) for s in study().steps)
    )

    def rows(self, requests: float, stable: float = 3000) -> list[Row]:
        canary = SlotMinute({"errors": Counts(requests, 0), "accuracy": Counts(3000, 1500)})
        beside = SlotMinute({"errors": Counts(stable, 6), "accuracy": Counts(3000, 2700)})
        return [minute(i, canary, beside, canary_parts=None) for i in range(30)]

    def test_they_are_no_harm_of_its_own(self) -> None:
        assert judged(self.POLICY, self.rows(0)).verdict is not Verdict.ROLL_BACK

    def test_one_request_makes_them_its_own(self) -> None:
        assert judged(self.POLICY, self.rows(1)).verdict is Verdict.ROLL_BACK

    def test_so_does_the_silence_of_both_which_is_cloudwatchs(self) -> None:
        assert judged(self.POLICY, self.rows(0, stable=0)).verdict is Verdict.ROLL_BACK


def test_the_floor_counts_the_endpoints_requests_and_no_outcomes() -> None:
    many = errors(rail=None, namespace="Shop", terms=terms(1.1, 0.0))
    rows = [
        minute(i, SlotMinute({"errors": Counts(10, 0), "clicks": Counts(900, 1)}), canary_parts=None) for i in range(3)
    ]

    judgement = judged(study(metrics={"errors": errors(), "clicks": many}, min_samples=100), rows)

    assert "samples 30 canary and 0 stable requests of 100 needed" in judgement.because
