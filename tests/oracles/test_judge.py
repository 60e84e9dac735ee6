"""Others' arithmetic for the same things: scipy's distributions, savvi's sequential test."""

from __future__ import annotations

import math

import numpy
import pytest
from savvi.multinomial import Multinomial
from scipy import stats

from sluice.core.judge import quality
from sluice.core.judge.clearance import bernoulli
from sluice.core.judge.dispersion import Dispersion, Scatter
from sluice.core.judge.harm import WORSE, RateHarm
from sluice.core.judge.means import MeanFollower
from sluice.core.judge.pair import Pair, Ratios
from sluice.core.judge.prior import Prior
from sluice.core.judge.quality import SampleRatio
from sluice.core.observation import Moments
from sluice.core.policy import Bad
from tests.core.judge.minutes import REVENUE, study

SPLITS = [(50, 50), (70, 30), (3, 120), (0, 40), (1000, 1100)]


@pytest.mark.parametrize(("canary", "stable"), SPLITS)
@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.5])
def test_the_split_of_events_is_scipys_binomial(canary: int, stable: int, ratio: float) -> None:
    pair = Pair(1000, canary, 9000, stable)

    (gain,) = pair.log_odds(1.1, Ratios.of((ratio,)))

    null, other = pair.canary_part(1.1), pair.canary_part(1.1 * ratio)
    expected = stats.binom.logpmf(canary, canary + stable, other) - stats.binom.logpmf(canary, canary + stable, null)
    assert gain == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("events", [0, 3, 40])
def test_the_rail_is_scipys_bernoulli(events: int) -> None:
    expected = stats.binom.logpmf(events, 200, 0.3) - stats.binom.logpmf(events, 200, 0.05)

    (bad,), (fine,) = bernoulli(0.05, [0.3])
    assert events * bad + (200 - events) * fine == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("canary", "stable"), SPLITS[:-1])
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_sample_ratio_is_scipys_beta_binomial(
    canary: int, stable: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "MISMATCH_FACTOR", 1.0)

    found = math.log(SampleRatio(canary, stable).evidence(share))

    total = canary + stable
    mixture = stats.betabinom.logpmf(canary, total, 1.0, (1 - share) / share)
    assert found == pytest.approx(mixture - stats.binom.logpmf(canary, total, share), abs=1e-9)


@pytest.mark.parametrize(("canary", "stable"), SPLITS[:-1])
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_sample_ratio_is_savvis_sequential_one(
    canary: int, stable: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "MISMATCH_FACTOR", 1.0)
    test = Multinomial(alpha=0.001, theta_0=numpy.array([share, 1 - share]), k=1 / share)
    looks = SampleRatio()

    for _ in range(3):
        test.update(numpy.array([canary, stable]))
        looks.add(canary, stable)

        assert math.log(looks.evidence(share)) == pytest.approx(math.log(test.odds), abs=1e-6)


@pytest.mark.parametrize(("mean_c", "mean_s"), [(48.0, 50.0), (50.0, 50.0), (41.0, 50.0)])
@pytest.mark.parametrize("null", [0.97, 0.92])
def test_what_a_mean_says_is_scipys_normal(mean_c: float, mean_s: float, null: float) -> None:
    """D = mean_c - null mean_s is normal around (r - null) mean_s, with the variance of both means."""
    follower = MeanFollower.of("revenue", REVENUE, study(metrics={"revenue": REVENUE}))
    canary, stable = (Moments(n, n * m, n * (m * m + 900)) for n, m in ((400, mean_c), (3600, mean_s)))

    x, y, shifts, squares = follower._gains(canary, stable, 900.0, null, (0.9, 0.8))

    spread = math.sqrt(900 / 400 + null**2 * 900 / 3600)
    for other, a, b in zip((0.9, 0.8), shifts, squares, strict=True):
        difference, law = mean_c - null * mean_s, stats.norm(scale=spread)
        expected = law.logpdf(difference - (other - null) * mean_s) - law.logpdf(difference)
        assert x * a + y * b == pytest.approx(expected, abs=1e-9)


def test_harm_is_the_prior_over_its_beginnings_of_scipys_likelihoods() -> None:
    """M by its definition: the average over every grid ratio and every minute harm may begin in, weighed by the prior."""
    pairs = [Pair(500, 3, 500, 2), Pair(400, 6, 600, 3), Pair(500, 4, 500, 5), Pair(300, 9, 700, 4)]
    harm, prior = RateHarm.of(Bad.HIGH, math.inf, 2), Prior(2)
    for step, pair in enumerate(pairs):
        harm.add(pair, 1.1, 2.0, min(step // 2, 1))
    weights = [prior.next(min(step // 2, 1)) for step in range(len(pairs))]

    def nats(pair: Pair, ratio: float) -> float:
        total = pair.canary_events + pair.stable_events
        law = [stats.binom(total, pair.canary_part(r)).logpmf(pair.canary_events) for r in (1.1 * ratio, 1.1)]
        return float(law[0] - law[1]) / 2.0

    whole = 0.0
    for ratio in WORSE:
        for begins, weight in enumerate(weights):
            whole += weight * math.exp(sum(nats(pair, ratio) for pair in pairs[begins:])) / len(WORSE)

    assert harm.value == pytest.approx(whole + 1 - sum(weights), rel=1e-9)


def test_the_dispersion_is_scipys_pearson_statistic() -> None:
    """Of each minute against the split of the minutes before; z^2 is the chi-square of a table of two cells."""
    pairs = [Pair(500, 9, 500, 4), Pair(500, 1, 500, 6), Pair(500, 5, 500, 5)]
    dispersion, total = Dispersion(Scatter(2.0)), 0.0
    for pair in pairs:
        events, q = pair.canary_events + pair.stable_events, pair.canary_part(dispersion.ratio())
        total += stats.chisquare([pair.canary_events, pair.stable_events], [events * q, events * (1 - q)]).statistic
        dispersion.add(pair, 2.0)

    assert dispersion.scatter.squares == pytest.approx(total, rel=1e-9)
