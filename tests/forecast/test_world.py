"""The simulated world has the means, the noise and the calamities that it says it has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sluice.forecast.forecast import base_of
from sluice.forecast.from_policy import rules_of
from sluice.forecast.rules import Rule
from sluice.forecast.world import Base, Effect, Incident, Nature, RateBase, World
from tests.forecast.policies import with_kpi

QUIET = Nature(
    daily=0, cluster=1, identical=0, noise=0, outcome_noise=0, latency_noise=0, common=0, cold_latency=0, cold_errors=0
)
MANY = 4000


def rule(name: str) -> Rule:
    return next(rule for rule in rules_of(with_kpi()).metrics if rule.name == name)


def world(nature: Nature = QUIET, rate: float = 0.01, **more: object) -> World:
    rates = {"errors": RateBase(rate), "conversion": RateBase(0.1, cluster=1.0, is_outcome=True)}
    return World(Base(100.0, rates), nature, MANY, np.random.default_rng(5), **more)  # type: ignore[arg-type]


def a_minute(made: World, at: int = 30, share: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    made.begin_minute()
    n_c, n_s = made.requests(at, np.full(MANY, share))
    return n_c, n_s


def test_requests_are_routed_by_weight_and_vary_like_coins() -> None:
    canary, stable = a_minute(world())

    assert canary.mean() == pytest.approx(1200, rel=0.01)
    assert stable.mean() == pytest.approx(4800, rel=0.01)
    assert canary.var() == pytest.approx(1200, rel=0.1)


def test_a_quiet_world_is_binomial() -> None:
    made = world()
    n_c, n_s = a_minute(made)

    errors = made.rate(rule("errors"), 30, n_c, n_s).harm[0].e_s

    assert errors.mean() == pytest.approx(48, rel=0.02)
    assert errors.var() == pytest.approx(48, rel=0.1)


@pytest.mark.parametrize("burst", [1.5, 3.0])
def test_errors_in_bursts_keep_their_mean_and_are_as_dispersed_as_said(burst: float) -> None:
    made = world(replace(QUIET, cluster=burst))
    n_c, n_s = a_minute(made)

    errors = made.rate(rule("errors"), 30, n_c, n_s).harm[0].e_s

    assert errors.mean() == pytest.approx(48, rel=0.03)
    assert errors.var() / errors.mean() == pytest.approx(2 * burst - 1, rel=0.12)


def test_identical_variants_differ_by_no_more_than_said() -> None:
    made = world(replace(QUIET, identical=0.03), rate=0.5)
    n_c, n_s = a_minute(made)

    seen = made.rate(rule("errors"), 30, n_c, n_s).harm[0]
    difference = np.log((seen.e_c / seen.n_c) / (seen.e_s / seen.n_s))

    assert difference.mean() == pytest.approx(0, abs=0.002)
    assert 0.015 < difference.std() < 0.045, "uniform within 3 % plus the coins' own noise"


def test_noise_lasts_from_minute_to_minute() -> None:
    made = world(replace(QUIET, noise=0.3, persistence=0.8), rate=0.2)
    rates = []
    for at in range(30, 32):
        n_c, n_s = a_minute(made, at)
        seen = made.rate(rule("errors"), at, n_c, n_s).harm[0]
        rates.append(np.log(seen.e_s / seen.n_s))

    assert np.corrcoef(*rates)[0, 1] == pytest.approx(0.8, abs=0.05)


def test_an_incident_hits_both_sides_alike_and_only_while_it_lasts() -> None:
    made = world(incident=Incident(np.full(MANY, 10.0), np.full(MANY, 5.0)))
    shown = {}
    for at in (9, 12, 15):
        n_c, n_s = a_minute(made, at)
        seen = made.rate(rule("errors"), at, n_c, n_s).harm[0]
        shown[at] = (seen.e_c.sum() / seen.n_c.sum(), seen.e_s.sum() / seen.n_s.sum())

    assert shown[12] == pytest.approx((0.16, 0.16), rel=0.02)
    assert shown[9] == pytest.approx((0.01, 0.01), rel=0.05)
    assert shown[15] == pytest.approx((0.01, 0.01), rel=0.05)


def test_an_effect_is_on_the_canary_alone_and_its_harm_is_counted() -> None:
    made = world(effect=Effect({"errors": 3.0}))
    n_c, n_s = a_minute(made)

    seen = made.rate(rule("errors"), 30, n_c, n_s).harm[0]

    assert seen.e_c.sum() / seen.n_c.sum() == pytest.approx(0.03, rel=0.02)
    assert seen.e_s.sum() / seen.n_s.sum() == pytest.approx(0.01, rel=0.02)
    assert made.harmed == pytest.approx(0.02 * n_c)


def test_a_cold_start_wears_off_and_comes_back_with_the_next_step() -> None:
    made = world(replace(QUIET, cold_latency=1.0))
    shares = []
    for since in (0, 10, 0):
        n_c, n_s = a_minute(made)
        seen = made.latency(rule("latency"), np.full(MANY, 2.0), 30, np.full(MANY, since), n_c, n_s)
        shares.append(seen.harm[2].e_c.sum() / n_c.sum())

    assert shares[0] > 2 * shares[1]
    assert shares[2] == pytest.approx(shares[0], rel=0.05)


def test_latency_counts_over_a_higher_threshold_are_never_more() -> None:
    made = world()
    n_c, n_s = a_minute(made)

    seen = made.latency(rule("latency"), np.full(MANY, 1.41), 30, np.full(MANY, 9), n_c, n_s)

    assert (seen.harm[0].e_c >= seen.proof[0].e_c).all(), "1.30 against 1.41 times the median"
    assert (seen.harm[0].e_c >= seen.harm[1].e_c).all()
    assert seen.rail is not None
    assert (seen.harm[2].e_c >= seen.rail.e_c).all()
    assert seen.harm[2].e_s.sum() / n_s.sum() == pytest.approx(0.01, rel=0.05), "stable is over its p99 in 1 %"


def test_equal_seeds_give_equal_worlds() -> None:
    first, second = (
        a_minute(World(base_of(with_kpi(), 50, {}), Nature(), MANY, np.random.default_rng(3))) for _ in "12"
    )

    assert (first[0] == second[0]).all()
