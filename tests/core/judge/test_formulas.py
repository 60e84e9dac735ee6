"""The formulas, each against numbers worked out by hand or against its definition."""

from __future__ import annotations

import math

import pytest

from sluice.core.judge.burn import Burn, Burning
from sluice.core.judge.clearance import RarityProof, RatioProof, healthy
from sluice.core.judge.dispersion import Dispersion, Scatter
from sluice.core.judge.harm import LESS, WORSE, Baseline, Mixture, RateHarm, alternatives, cap, factor, tolerated
from sluice.core.judge.interval import Interval, RatioInterval
from sluice.core.judge.means import effective
from sluice.core.judge.pair import Pair, Ratios
from sluice.core.judge.prior import Prior
from sluice.core.judge.rails import StableNow, stays_beyond
from sluice.core.judge.wording import evidence, percent, rate, times
from sluice.core.observation import Counts, Moments, Row, SlotMinute
from sluice.core.policy import Bad, Tolerance


class TestPrior:
    def test_all_of_it_is_never_spent(self) -> None:
        prior = Prior(later_steps=3)
        weights = [prior.next(min(i // 100, 3)) for i in range(20_000)]

        assert weights[0] == pytest.approx(0.4 + 0.3 / 181)
        assert weights[100] == pytest.approx(0.1 + 0.3 * 180 / (280 * 281))
        assert 0.99 < sum(weights) < 1
        assert prior.spent == pytest.approx(sum(weights))

    def test_a_policy_of_one_step_has_no_later_ones(self) -> None:
        prior = Prior(later_steps=0)

        assert [prior.next(0) > 0.3, prior.next(0) > 0.3] == [True, False]


class TestPair:
    def test_the_likelihood_is_the_binomial_one(self) -> None:
        pair = Pair(100, 7, 900, 12)

        (gain,) = pair.log_odds(1.1, Ratios.of((2.0,)))

        q0, q1 = 110 / 1010, 220 / 1120
        assert gain == pytest.approx(7 * math.log(q1 / q0) + 12 * math.log((1 - q1) / (1 - q0)), abs=1e-12)
        assert pair.canary_part(1.1) == pytest.approx(q0)


class TestTolerance:
    @pytest.mark.parametrize(
        ("tolerate", "bad", "rate", "expected"),
        [
            (Tolerance(1.1, 0.0002), Bad.HIGH, 0.01, 1.1),
            (Tolerance(1.1, 0.0002), Bad.HIGH, 0.0004, 1.5),
            (Tolerance(1.1, 0.0002), Bad.HIGH, 0.000001, 7.0),
            (Tolerance(0.99, 0.0), Bad.LOW, 0.1, 0.99),
            (Tolerance(0.99, 0.02), Bad.LOW, 0.1, 0.8),
            (Tolerance(0.99, 0.02), Bad.LOW, 0.01, 1 / 7),
        ],
    )
    def test_an_absolute_allowance_becomes_a_ratio(
        self, tolerate: Tolerance, bad: Bad, rate: float, expected: float
    ) -> None:
        assert tolerated(tolerate, bad, rate) == pytest.approx(expected)

    def test_the_baseline_forgets(self) -> None:
        baseline = Baseline()
        assert baseline.rate() == 1 / 500

        baseline.add(1000, 10)
        baseline.add(1000, 10)

        assert baseline.rate() == pytest.approx((0.98 * 10 + 10 + 1) / (0.98 * 1000 + 1000 + 500))


class TestHarm:
    def test_the_cap_is_two_and_a_half_nats_for_the_study(self) -> None:
        assert cap(0.05, 0.4, 180) == pytest.approx(2.526, abs=1e-3)
        assert cap(0.05, 0.0, 180) == cap(0.05, 0.1, 180)

    def test_one_minute_is_worth_what_the_formula_says(self) -> None:
        harm, pair = RateHarm.of(Bad.HIGH, 2.5, 2), Pair(1000, 9, 1000, 3)
        assert harm.value == 1

        harm.add(pair, 1.1, 2.0, 0)

        w = 0.4 + 0.3 / 181
        gains = [min(pair.log_odds(1.1, Ratios.of((g,)))[0] / 2.0, 2.5) for g in WORSE]
        assert harm.value == pytest.approx(w * sum(map(math.exp, gains)) / len(gains) + 1 - w, rel=1e-12)

    def test_a_minute_without_events_only_spends_the_prior(self) -> None:
        harm = RateHarm.of(Bad.LOW, 2.5, 2)

        harm.add(Pair(1000, 0, 1000, 0), 0.99, 2.0, 0)

        assert harm.value == pytest.approx(1)
        assert alternatives(Bad.LOW) == LESS

    def test_floats_have_an_end(self) -> None:
        mixture = Mixture.over(2, 0)

        for _ in range(5):
            mixture.add((1.0, 1.0, [1000.0, 0.0], [0.0, -1e6]), 0)

        assert mixture.value == pytest.approx(0.5e150)
        assert math.isfinite(factor(1e9))


class TestDispersion:
    def test_it_starts_from_the_prior(self) -> None:
        assert Scatter(2.0).phi() == 2.0
        assert Scatter(0.5).phi() == 1.0

    def test_independent_residuals_shrink_it(self) -> None:
        scatter = Scatter(2.0)
        for residual in (1.0, -1.0) * 20:
            scatter.add(residual, 2.0)

        assert scatter.phi() == pytest.approx((10 * 2 + 40) / 50)

    def test_residuals_that_follow_each_other_stretch_it(self) -> None:
        scatter = Scatter(2.0)
        for _ in range(11):
            scatter.add(1.0, 2.0)

        rho = 10 / (10 + 20)
        assert scatter.phi() == pytest.approx((20 + 11) / 21 * (1 + rho) / (1 - rho))

    def test_a_minute_whose_split_could_not_vary_teaches_nothing(self) -> None:
        dispersion = Dispersion(Scatter(2.0))

        dispersion.add(Pair(1e12, 1e12, 1e12, 0), 2.0)
        dispersion.add(Pair(1e12, 1e12, 1, 0), 2.0)

        assert dispersion.ratio() > 1e11
        assert dispersion.scatter.minutes == 1
        assert dispersion.scatter.last is None

    def test_one_wild_minute_is_winsorised(self) -> None:
        scatter = Scatter(2.0)
        scatter.add(1e6, 2.0)

        assert scatter.phi() == pytest.approx((20 + 32) / 11)

    def test_the_ratio_is_that_of_earlier_minutes_of_the_step(self) -> None:
        dispersion = Dispersion(Scatter(2.0))
        assert dispersion.ratio() == 1

        dispersion.add(Pair(100, 4, 900, 18), 2.0)
        assert dispersion.ratio() == pytest.approx(5 / (1 + 100 * 18 / 900))
        dispersion.add(Pair(100, 0, 900, 0), 2.0)
        assert dispersion.scatter.last is None

        dispersion.new_step()
        assert dispersion.ratio() == 1
        assert dispersion.scatter.minutes == 1


class TestClearance:
    def test_the_grid_is_what_lies_on_the_good_side(self) -> None:
        assert healthy(1.41, Bad.HIGH) == (0.5, 0.7, 0.85, 1.0, 1.15, 1.35)
        assert healthy(0.92, Bad.LOW) == (1.0, 1.15, 1.35, 1.6)
        assert healthy(0.4, Bad.HIGH) == (0.4 / 1.35,)
        assert healthy(2.0, Bad.LOW) == (2.7,)

    def test_the_evidence_is_the_mean_of_likelihood_ratios(self) -> None:
        proof, pair = RatioProof.of(2.5, Bad.HIGH, 2.5), Pair(1000, 3, 1000, 4)
        assert proof.value == 1

        proof.add(pair, 2.0)
        proof.add(Pair(1000, 0, 1000, 0), 2.0)

        gains = [min(pair.log_odds(2.5, Ratios.of((r / 2.5,)))[0] / 2, 2.5) for r in healthy(2.5, Bad.HIGH)]
        assert proof.value == pytest.approx(sum(map(math.exp, gains)) / len(gains))

    def test_no_error_in_enough_requests_is_a_proof_too(self) -> None:
        proof = RarityProof.of(5.0, 0.0002, 2.5)

        proof.add(2000, 0, 0.0001, 2.0)

        gains = [2000 * math.log((1 - 0.001 * f) / (1 - 0.001)) / 2 for f in (1 / 8, 1 / 4, 1 / 2)]
        assert proof.value == pytest.approx(sum(map(math.exp, gains)) / 3)


class TestInterval:
    def test_it_holds_the_truth_and_shrinks(self) -> None:
        spread = RatioInterval()
        widths = []
        for step in (0, 1):
            for _ in range(10):
                spread.add(Pair(1000, 20, 1000, 10), 1.0, step)
            found = spread.interval()
            assert found.high is not None
            assert found.low < 2 < found.high
            widths.append(found.high - found.low)

        assert widths[1] < widths[0]
        assert spread.interval().ratio == pytest.approx(2)

    def test_without_events_nothing_is_bounded(self) -> None:
        spread = RatioInterval()
        spread.add(Pair(1000, 0, 1000, 0), 1.0, 0)

        assert spread.interval() == Interval(None, 0.0, None)

    def test_it_is_worked_out_once_for_the_same_minutes(self) -> None:
        spread = RatioInterval()
        spread.add(Pair(1000, 20, 1000, 10), 1.0, 0)
        before = spread.interval()

        assert spread.interval() is before
        spread.add(Pair(1000, 20, 1000, 10), 1.0, 0)
        assert spread.interval() != before


class TestBurn:
    def row(self, trials: float, events: float) -> Row:
        return Row(0, SlotMinute({"errors": Counts(trials / 2, events)}), SlotMinute({"errors": Counts(trials / 2, 0)}))

    def burn(self, minutes: int, rate: float) -> Burn:
        burn = Burn("errors", 0.999)
        for _ in range(minutes):
            burn.read(self.row(1000, 1000 * rate))
        return burn

    def test_both_windows_have_to_burn(self) -> None:
        burn = self.burn(55, 0.02)
        assert burn.burning() == Burning(pytest.approx(20), 60, 5)

        for _ in range(5):
            burn.read(self.row(1000, 0))

        assert burn.burning() == Burning(pytest.approx(20 * 25 / 30), 360, 30), "the longer pair still does"

    def test_a_slow_burn_is_seen_by_the_longer_pair(self) -> None:
        assert self.burn(40, 0.008).burning() == Burning(pytest.approx(8), 360, 30)

    def test_a_minute_is_no_burn_and_few_requests_are_none(self) -> None:
        assert self.burn(4, 0.5).burning() is None
        quiet = Burn("errors", 0.999)
        for _ in range(5):
            quiet.read(self.row(8, 4))
        assert quiet.burning() is None


def test_stable_now_is_the_worse_of_its_last_row_and_its_last_five() -> None:
    now = StableNow()
    assert now.rate() == 0

    for trials, events in ((100, 10), (100, 0), (0, 0)):
        now.add(trials, events)

    assert now.rate() == pytest.approx(0.05)
    assert now.is_over(0.04)
    assert not now.is_over(0.05)


def test_a_level_that_was_never_seen_stays_nowhere() -> None:
    assert not stays_beyond([], 1, Bad.HIGH)


def test_many_zeros_are_few_observations() -> None:
    assert effective(Moments(100, 0, 0)) == 0
    assert effective(Moments(100, 100, 100)) == 100
    assert effective(Moments(100, 50, 2500)) == 1


def test_numbers_read_well() -> None:
    assert [percent(value) for value in (0.134, 0.00213, 0.0)] == ["13.4 %", "0.21 %", "0 %"]
    assert rate(0, 0) == "nothing"
    assert evidence(3.14159, 20) == "evidence 3.1 of 20 needed"
    assert evidence(1e300, 20) == "evidence 1,000,000,000 of 20 needed"
    assert times(Interval(2.0, 0.0, 3.0)) == ", 2.00x (0 to 3.00x)"
    assert times(Interval(2.0, 1.5, None)) == ", 2.00x (1.50x to any)"
