"""Margins on latency, outcomes and means that a traffic cannot rule out: the judge itself agrees on average minutes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.advice import advice
from sluice.core.estimate import estimate, warnings
from sluice.core.histogram import Histogram
from sluice.core.judge import Run, Word
from sluice.core.observation import Counts, Moments, Row, SlotMinute, Tail
from sluice.core.policy import Bad, LatencyMetric, MeanMetric, Metric, OnInconclusive, Policy, RateMetric, Step
from sluice.core.proofs import OUTCOME_RATE, STEEPNESS, unproven
from tests.builders import NOW, errors, latency, policy, terms

LAST = Step(10_000, 0, 0, OnInconclusive.HOLD)
CONVERSION = errors(rail=None, namespace="Shop", events="Sold", trials="Seen", terms=terms(0.99, 0.5, bad=Bad.LOW))
REVENUE = MeanMetric("mean", "Shop", "N", "S", "Q", terms(0.97, bad=Bad.LOW))


def proving(metric: Metric, margin: float, **changes: object) -> Policy:
    """One step of 10 % for up to half an hour."""
    step = replace(Step(1000, 600, 1800, OnInconclusive.ADVANCE, prove={"it": margin}), **changes)
    return policy(steps=(step, LAST), metrics={"errors": errors(), "it": metric})


def needed(made: Policy, highest: float = 1e6) -> float:
    """Requests a second from which on nothing is unproven."""
    low, high = 1e-2, highest
    while high / low > 1.01:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if list(unproven(made, middle)) else (low, middle)
    return high


def average(metric: Metric, margin: float, requests: float, *, is_canary: bool) -> SlotMinute:
    """A minute of a slot in which everything is as expected of an equal release."""
    match metric:
        case LatencyMetric():
            over = {"p99x3": 0.0}
            for q in metric.quantiles:
                part = 1 - int(q[1:]) / 100
                for ratio in (1.3, margin) if is_canary else (1.0,):
                    over[f"{q}x{ratio:g}"] = requests / (1 + (1 / part - 1) * ratio**STEEPNESS)
            more = {"tails": {"it": Tail(requests, over)}}
        case RateMetric():
            more = {"rates": {"it": Counts(requests, requests * OUTCOME_RATE)}}
        case _:
            more = {"means": {"it": Moments(requests, requests * 10, requests * 200)}}
    counts = Counts(requests, requests * 0.002)
    return SlotMinute(**{**more, "rates": {"errors": counts, **more.get("rates", {})}})


def is_proven(made: Policy, rps: float) -> bool:
    """By the judge, on the minutes that a look at the end of the longest bake knows."""
    metric, margin = made.metrics["it"], made.steps[0].prove["it"]
    sides = [average(metric, margin, rps * 60 * part, is_canary=part < 0.5) for part in (0.1, 0.9)]
    minutes = (made.steps[0].bake_max_seconds - made.judge.data_lag_seconds) // 60 - 1
    rows = [Row(NOW + 60 * i, *sides, canary_parts=None) for i in range(minutes)]
    (found,) = (f for f in Run.of(made).read(rows).judgement().findings if f.metric == "it")
    return found.word is Word.CLEARED


@pytest.mark.parametrize(
    ("metric", "margin"), [(latency(), 2.0), (latency(), 1.41), (CONVERSION, 0.9), (CONVERSION, 0.8), (REVENUE, 0.9)]
)
def test_the_judge_proves_from_about_that_traffic_on(metric: Metric, margin: float) -> None:
    made = proving(metric, margin)

    rps = needed(made)

    assert is_proven(made, 2 * rps)
    assert not is_proven(made, rps / 3)


def test_lint_and_up_name_step_metric_margin_and_what_then_happens() -> None:
    made = proving(CONVERSION, 0.95)

    (told,) = (line for line in advice(made, rps=30) if "prove" in line)
    assert told == (
        "steps[0].prove.it: 10 % of 30 requests/s does not rule out 0.95x within bake.max (30 min, of which 27 min can be judged), with "
        "5 % Sold of Seen in good times, one of these a request: a good release goes on without that proof"
    )
    estimated = estimate(made, 30)
    assert estimated is not None
    assert list(warnings(made, estimated)) == [
        "step 1 (10 %) cannot rule out 0.95x on it at 30 requests/s: 27 min of its longest bake of 30 min can be judged"
    ]
    assert not [line for line in advice(made, rps=30_000) if "prove" in line]


def test_latency_and_means_say_what_they_take_good_times_for() -> None:
    told = [
        " ".join(advice(proving(metric, margin), rps=0.3)) for metric, margin in ((latency(), 1.41), (REVENUE, 0.98))
    ]

    assert "(30 min, of which 22 min can be judged), with a p99 of 3.2 medians" in told[0], "settling is not judged"
    assert "with one observation a request, that scatters by its own mean" in told[1]


def test_labels_that_come_after_the_bake_prove_nothing_at_any_traffic() -> None:
    late = replace(CONVERSION, terms=replace(CONVERSION.terms, lag_seconds=3600))

    (found,) = unproven(proving(late, 0.9), 1e6)

    assert found.minutes == 0


def test_a_margin_below_the_histograms_first_edge_is_never_proven() -> None:
    own = latency(histogram=Histogram("Shop", "AnswerTime", 5_000, 2_000_000, "fallback"))

    assert list(unproven(proving(own, 1.14), 1e6))
    assert not list(unproven(proving(latency(), 1.14), 1e6))
    assert not list(unproven(proving(own, 1.2), 1e6))
