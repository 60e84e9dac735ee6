"""The estimate without simulation: what `up` says a policy can prove with the traffic that is expected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.begin import begin
from sluice.core.decision import live
from sluice.core.errors import BadInput
from sluice.core.estimate import estimate, headline, warnings
from sluice.core.policy import Bad, OnInconclusive, Policy, Step
from sluice.core.rollout import Estimate
from sluice.core.soak import _took
from tests.builders import NOW, errors, head, latency, policy, submission, terms


def proving(**margins: float) -> Policy:
    """1 % for 7 to 15 minutes, 50 % for 15 to 60, each of which has to prove `margins`."""
    first = Step(100, 420, 900, OnInconclusive.ADVANCE, prove=margins)
    second = Step(5000, 900, 3600, OnInconclusive.ADVANCE, prove=margins)
    return policy(steps=(first, second, Step(10_000, 0, 0, OnInconclusive.HOLD)))


def made(of: Policy, rps: float, rate: float = 0.002) -> Estimate:
    found = estimate(of, rps, rate)
    assert found is not None
    return found


def test_without_a_margin_a_step_lasts_its_shortest_bake() -> None:
    assert made(proving(), 500).minutes == 7 + 15
    assert made(proving(), 500).unproven == ()


def test_with_little_traffic_a_step_lasts_its_longest_bake_and_is_named() -> None:
    found = made(proving(errors=2.5), 20)

    assert found.unproven == (1,)
    assert 15 + 15 <= found.minutes <= 15 + 60
    assert list(warnings(proving(errors=2.5), found)) == [
        "step 1 (1 %) can prove nothing at 20 requests/s: its longest bake of 15 min is over before its margin on errors can be ruled out"
    ]


def test_more_traffic_proves_sooner_and_sees_less() -> None:
    few, more, many = (made(proving(errors=2.5), rps) for rps in (5, 50, 5000))

    assert few.minutes > more.minutes > many.minutes == 22
    assert few.smallest_increase is not None
    assert more.smallest_increase is not None
    assert many.smallest_increase is not None
    assert few.smallest_increase > more.smallest_increase > many.smallest_increase > 1.1, (
        "what is tolerated is never seen"
    )


def test_rare_errors_are_harder_to_see() -> None:
    rare, common = made(proving(), 50, 0.0005).smallest_increase, made(proving(), 50, 0.01).smallest_increase

    assert rare is not None
    assert common is not None
    assert rare > 2 * common


def test_next_to_no_traffic_sees_nothing() -> None:
    found = made(proving(), 0.01)

    assert found.smallest_increase is None
    assert "no error increase up to x50 is caught reliably" in headline(found)


def test_the_headline_says_how_long_and_what_is_caught() -> None:
    assert headline(Estimate(50, 0.002, 63, (), 1.66)) == (
        "at 50 requests/s a good release takes about 63 min of steps and error increases from x1.7 are caught in nine of ten cases "
        "(estimated; errors 0.2 % in good times)"
    )


@pytest.mark.parametrize(
    "nothing",
    [
        policy(metrics={"latency": latency()}),
        policy(metrics={"sales": errors(terms=terms(0.97, bad=Bad.LOW))}),
        policy(metrics={"errors": errors(terms=terms(1.1, share=0.0))}),
        policy(steps=(Step(10_000, 0, 0, OnInconclusive.HOLD),)),
    ],
    ids=["no rate", "no error rate", "only shown", "no judged step"],
)
def test_there_is_no_estimate_where_no_errors_are_compared(nothing: Policy) -> None:
    assert estimate(nothing, 50) is None


def test_a_submission_with_traffic_keeps_its_forecast() -> None:
    begun = begin(head(), submission(policy=proving(errors=2.5), rps=50.0), NOW)

    rollout = live(begun.next)
    assert rollout.forecast == estimate(rollout.policy, 50.0)
    assert begun.because.startswith("v2 was submitted against v1: blue to green; forecast: at 50 requests/s")


def test_without_traffic_or_errors_there_is_no_forecast() -> None:
    assert live(begin(head(), submission(), NOW).next).forecast is None
    assert (
        live(begin(head(), submission(policy=policy(metrics={"latency": latency()}), rps=5.0), NOW).next).forecast
        is None
    )


def test_what_the_steps_took_is_said_beside_the_forecast() -> None:
    rollout = live(begin(head(), submission(policy=proving(), rps=500.0), NOW).next)

    assert (
        _took(replace(rollout, first_exposure_at=NOW), NOW + 31 * 60) == " after 31 min of steps, 22 min were forecast"
    )
    assert _took(rollout, NOW) == ""
    assert _took(replace(rollout, forecast=None, first_exposure_at=NOW), NOW) == ""


@pytest.mark.parametrize("rps", [0.0, -1.0, float("inf"), float("nan")])
def test_traffic_that_is_none_is_refused(rps: float) -> None:
    with pytest.raises(BadInput, match=r"submission\.rps: must be above 0"):
        begin(head(), submission(rps=rps), NOW)
