"""A forecast of a policy: a good release passes, a bad one does not, and less traffic sees less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sluice.core.policy import OnInconclusive
from sluice.forecast.forecast import Setting, WhatIf, base_of, fate, first_caught, forecast, rollouts, what_ifs
from sluice.forecast.rollouts import Ended
from sluice.forecast.world import Effect
from tests.forecast.policies import with_everything, with_kpi

POLICY = with_kpi()
SHORT = replace(POLICY, steps=(POLICY.steps[1], POLICY.steps[-1]))
"""10 % for 10 to 30 minutes, then all: where what is asked does not need a whole rollout."""


def at(rps: float, runs: int = 200) -> Setting:
    return Setting(base_of(POLICY, rps, {"errors": 0.01}), rollouts=runs, seed=7)


def test_a_good_release_is_promoted_within_45_minutes_at_500_requests_a_second() -> None:
    outcomes = rollouts(POLICY, at(500), WhatIf("good", Effect(), harmful=False))

    assert (outcomes.ended == Ended.PROMOTED).mean() >= 0.99
    found = fate(WhatIf("good", Effect(), harmful=False), outcomes)
    assert found.promoted_median is not None
    assert 32 <= found.promoted_median <= 45


def test_a_shared_incident_does_not_take_the_canary_back() -> None:
    outcomes = rollouts(POLICY, at(500), WhatIf("incident", Effect(), harmful=False, incident=True))

    assert not (outcomes.ended == Ended.SOFT).any()
    assert not (outcomes.ended == Ended.RAIL).any()


def test_half_of_all_requests_failing_is_over_within_minutes() -> None:
    found = fate(
        WhatIf("bad", Effect({"errors": 50.0}), True),
        rollouts(POLICY, at(500), WhatIf("bad", Effect({"errors": 50.0}), True)),
    )

    assert found.rolled_back == 1.0
    assert found.minutes_median == 3, "one minute of data and two until it arrives"


def test_more_harm_is_caught_sooner() -> None:
    medians = []
    for factor in (2.0, 3.0, 6.0):
        case = WhatIf("bad", Effect({"errors": factor}), True)
        medians.append(fate(case, rollouts(POLICY, at(100), case)).minutes_median or 1e9)

    assert medians == sorted(medians, reverse=True)


def test_at_one_request_a_second_little_is_proven_and_only_large_increases_are_caught() -> None:
    patient, tried = replace(SHORT, min_samples=5), [WhatIf("no difference", Effect(), False)]
    seen, more = forecast(patient, at(1, runs=240), tried), forecast(patient, at(500, runs=240), tried)

    assert seen.unproven[0] > 0.9
    assert more.unproven[0] < 0.6
    assert more.smallest_error_increase is not None
    assert seen.smallest_error_increase is None or seen.smallest_error_increase > 2 * more.smallest_error_increase


def test_inconclusive_steps_do_what_the_policy_says() -> None:
    strict = replace(
        POLICY,
        steps=tuple(replace(step, on_inconclusive=OnInconclusive.ROLLBACK) for step in POLICY.steps[:-1])
        + POLICY.steps[-1:],
    )
    outcomes = rollouts(strict, at(1, 50), WhatIf("good", Effect(), False))

    assert (outcomes.ended == Ended.INCONCLUSIVE).all()
    assert (outcomes.minutes <= 17).all(), "the first step's longest bake"


def test_the_effects_that_the_policy_declares_are_tried_and_missed_ones_named() -> None:
    tried = [case for case in what_ifs(POLICY) if case.declared]

    assert [case.name for case in tried] == ["errors x2 (declared)", "conversion x0.9 (declared)"]
    later = replace(POLICY, steps=POLICY.steps[1:])
    assert [fate.name for fate in forecast(later, at(5, 40), tried=tried).missed]
    assert not forecast(later, at(2000, 40), tried=tried).missed


def test_equal_seeds_give_equal_forecasts() -> None:
    tried = [WhatIf("no difference", Effect(), False)]

    first = forecast(SHORT, at(50, 60), tried)

    assert first == forecast(SHORT, at(50, 60), tried)
    assert first != forecast(SHORT, replace(at(50, 60), seed=8), tried)


def test_means_levels_and_segments_are_tried_and_taken_back_for() -> None:
    policy = with_everything()
    setting = Setting(base_of(policy, 500, {"errors": 0.01}), rollouts=100, seed=7)
    tried = {case.name: case for case in what_ifs(policy)}
    expected = {
        "accuracy x5 for the smallest of 4 segments": "accuracy",
        "revenue -10 %": None,
        "cost +10 %": "cost",
        "saturation a fifth beyond its limit": None,
        "revenue x0.8 (declared)": "revenue",
    }

    assert set(expected) <= set(tried)
    for name, metric in expected.items():
        outcomes = rollouts(policy, setting, tried[name])
        if metric is not None:
            blamed = max(outcomes.by_metric, key=lambda each: np.median(outcomes.by_metric[each]))
            assert fate(tried[name], outcomes).rolled_back > 0.7, name
            assert blamed == metric, f"{name} is told by its own metric"
    saturated = rollouts(policy, setting, tried["saturation a fifth beyond its limit"])
    assert (saturated.ended == Ended.RAIL).all()
    assert np.median(saturated.minutes) == 5 + 2, "five minutes beyond the limit, and two until they are known"


def test_every_kind_judged_makes_no_more_false_rollbacks() -> None:
    policy = with_everything()
    setting = Setting(base_of(policy, 500, {}), rollouts=200, seed=9)
    good = fate(WhatIf("good", Effect(), False), rollouts(policy, setting, WhatIf("good", Effect(), False)))

    assert good.rolled_back <= 0.01
    assert good.promoted > 0.95


@pytest.mark.parametrize(
    ("curve", "smallest"),
    [
        ((), None),
        (((1.1, 0.2), (2.0, 0.8)), None),
        (((1.1, 0.95),), 1.1),
        (((1.0, 0.0), (2.0, 0.9)), 2.0),
        (((1.0, 0.8), (4.0, 1.0)), 2.0),
    ],
)
def test_the_smallest_increase_is_where_the_curve_reaches_90_percent(
    curve: tuple[tuple[float, float], ...], smallest: float | None
) -> None:
    assert first_caught(curve) == (smallest if smallest is None else pytest.approx(smallest))
