"""Others' arithmetic for the same things: scipy's distributions, savvi's sequential test."""

from __future__ import annotations

import math

import numpy
import pytest
from savvi.multinomial import Multinomial
from scipy import stats

from sluice.core.judge import quality
from sluice.core.judge.clearance import bernoulli
from sluice.core.judge.pair import Pair, Ratios
from sluice.core.judge.quality import SampleRatio

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
