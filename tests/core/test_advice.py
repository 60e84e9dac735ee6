"""Warnings about a policy that is allowed: each says where, with the numbers behind it."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.advice import advice
from sluice.core.policy import OnInconclusive
from tests.builders import policy, step

LAST = policy().steps[-1]


def test_an_ordinary_policy_with_enough_traffic_is_not_warned_about() -> None:
    assert advice(policy()) == ()
    assert advice(policy(), rps=100) == ()


def test_a_listed_alarm_is_absolute() -> None:
    assert advice(policy(alarms=("queue-is-long",))) == (
        "alarms[0]: queue-is-long is absolute: in an incident that stable shares it takes the canary back and quarantines it, "
        "although the canary is not to blame",
    )


def test_a_single_step_judges_nothing() -> None:
    (said,) = advice(policy(steps=(LAST,)))

    assert said.startswith("steps: the only step is 100, so all traffic moves at once")


def test_limits_that_pass_before_anything_is_known() -> None:
    assert advice(policy(steps=(step(10, 60, 180), step(50, 120, 600), LAST), soak_seconds=60)) == (
        "soak: 1 min is over before the first minute is known (3 min, with data_lag): only alarms watch it",
        "steps[0].bake.max: 3 min may pass before one whole minute is known (4 min, with data_lag), whatever the traffic",
        "steps[1].bake.min: 2 min has no effect: nothing is known before 3 min (data_lag and one minute)",
    )


def test_a_step_that_only_a_hold_lets_see_enough() -> None:
    said = advice(policy(steps=(step(10), LAST), metrics={}), rps=0.5)

    assert said == (
        "steps[0]: at 10 % of 0.5 requests/s the 100 requests needed on each side take up to 37 min, "
        "but bake.max is 15 min: it holds until then",
    )


def test_a_step_that_never_sees_enough_is_taken_back() -> None:
    (held,) = advice(policy(steps=(step(10), LAST), metrics={}), rps=0.01)
    (strict,) = advice(policy(steps=(step(10, then=OnInconclusive.ROLLBACK), LAST), metrics={}), rps=0.01)

    assert held.endswith("but bake.max is 15 min: it holds and is taken back after 135 min (bake.max and max_hold)")
    assert strict.endswith("but bake.max is 15 min: it is taken back")


def test_a_percentile_of_too_few_requests_is_not_compared() -> None:
    assert advice(policy(steps=(step(10), LAST)), rps=10) == (
        "steps[0]: at 10 % of 10 requests/s the backup alarm on latency compares nothing: the smaller side has 60 requests a minute, "
        "and a p90 needs 100",
    )


def test_a_margin_that_traffic_cannot_rule_out_is_told_with_what_then_happens() -> None:
    said = {}
    for then in OnInconclusive:
        unproven = replace(step(10, then=then), prove={"errors": 2.5})
        *_, said[then] = advice(policy(steps=(unproven, LAST)), rps=50)
    told = "steps[0].prove: 10 % of 50 requests/s does not rule out the margin on errors within bake.max (15 min), with 0.2 % errors in good times: "

    assert said == {
        OnInconclusive.ADVANCE: told + "a good release goes on without that proof",
        OnInconclusive.HOLD: told + "a good release is held",
        OnInconclusive.ROLLBACK: told + "a good release is taken back",
        OnInconclusive.PAUSE: told + "a good release waits for a person",
    }
    assert advice(policy(steps=(replace(step(10), prove={"errors": 2.5}), LAST)), rps=5000) == ()
