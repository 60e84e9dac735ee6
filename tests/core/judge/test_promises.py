"""What the judge promises of whole rollouts: a bound on false rollbacks, published cases, and what must change nothing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sluice.core.judge import Run, Verdict
from sluice.core.judge.harm import RateHarm, cap
from sluice.core.judge.pair import Pair
from sluice.core.judge.rails import Rail
from sluice.core.observation import Counts, Row, SlotMinute
from sluice.core.policy import Bad
from tests.builders import errors, latency, terms
from tests.core.judge.minutes import counted, judged, minute, minutes_until_rollback, slow, steady, study, usual

PLAIN = tuple(replace(step, prove={}) for step in study().steps)


def binomial(rng: random.Random, trials: int, part: float) -> int:
    return sum(rng.random() < part for _ in range(trials))


class TestVille:
    """P(ever M >= 1 / a) <= a on the boundary of the null, whatever the number of looks. Seeds are fixed, so nothing here can flake."""

    ROLLOUTS, MINUTES = 200, 60

    def test_a_harm_process_crosses_no_more_often_than_promised(self) -> None:
        rng, crossed = random.Random(1), 0
        for _ in range(self.ROLLOUTS):
            harm, most = RateHarm.of(Bad.HIGH, 50.0, 2), 0.0
            for i in range(self.MINUTES):
                events = 12
                canary = binomial(rng, events, Pair(100, 0, 300, 0).canary_part(1.1))
                harm.add(Pair(100, canary, 300, events - canary), 1.1, 1.0, i // 20)
                most = max(most, harm.value)
            crossed += most >= 20

        assert crossed / self.ROLLOUTS <= 0.05
        assert crossed > 0, "a test of a bound that nothing comes near tests nothing"

    def test_the_cap_only_makes_it_rarer(self) -> None:
        rng, crossed = random.Random(2), 0
        for _ in range(self.ROLLOUTS):
            harm, most = RateHarm.of(Bad.LOW, cap(0.05, 1.0, 180), 0), 0.0
            for _ in range(self.MINUTES):
                canary = binomial(rng, 40, Pair(100, 0, 100, 0).canary_part(0.99))
                harm.add(Pair(100, canary, 100, 40 - canary), 0.99, 1.0, 0)
                most = max(most, harm.value)
            crossed += most >= 20

        assert crossed / self.ROLLOUTS <= 0.05

    def test_a_rail_crosses_no_more_often_than_promised(self) -> None:
        rng, crossed = random.Random(3), 0
        for _ in range(self.ROLLOUTS):
            rail = Rail.of(0.05, 2.0, 2)
            for _ in range(self.MINUTES):
                rail.add(Pair(30, binomial(rng, 30, 0.05), 100, 0), 0)
            crossed += rail.is_crossed

        assert crossed / self.ROLLOUTS <= 0.001


class TestPublishedCases:
    """Four canaries that people reported to a judge by ranks (kayenta #780, #426; spinnaker #5622, #6278), which passed them."""

    def counts(self, canary: list[int], stable: list[int], trials: int = 1000) -> list[Row]:
        pairs = zip(canary, stable, strict=True)
        return [minute(i, counted(trials, c), counted(trials, s)) for i, (c, s) in enumerate(pairs)]

    def test_seven_of_ten_minutes_a_hundred_times_as_bad(self) -> None:
        judgement = judged(study(steps=PLAIN), self.counts([100] * 7 + [1] * 3, [1] * 10))

        assert judgement.verdict is Verdict.ROLL_BACK

    def test_four_errors_against_none_are_too_few_to_say(self) -> None:
        judgement = judged(study(), self.counts([0, 1, 2, 1, 0, 0], [0] * 6))

        assert judgement.verdict is Verdict.CONTINUE, "neither harmful nor proven harmless"

    def test_three_hundred_and_seven_errors_against_none(self) -> None:
        judgement = judged(study(steps=PLAIN), self.counts([30, 31] * 5 + [2], [0] * 11))

        assert judgement.verdict is Verdict.ROLL_BACK

    def test_a_wider_spread_around_the_same_median(self) -> None:
        def wide(row: Row) -> Row:
            tail = row.canary.tails["latency"]
            over = {name: tail.trials * 0.5 if name.startswith("p50") else tail.trials * 0.25 for name in tail.over}
            over["p99x3"] = tail.trials * 0.001
            return replace(row, canary=replace(row.canary, tails={"latency": replace(tail, over=over)}))

        rows = [wide(minute(i, slow(1000, 1.0), usual(1000))) for i in range(30)]
        judgement = judged(study(), rows)

        assert judgement.verdict is Verdict.ROLL_BACK
        assert judgement.because.startswith("latency over 1.3x stable's p99")


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_metrics_changes_nothing(seed: int) -> None:
    names = ["errors", "latency", "conversion", "safety"]
    kinds = {
        "errors": errors(terms=terms(1.1, 0.3)),
        "latency": latency(terms=terms(1.3, 0.3)),
        "conversion": errors(rail=None, namespace="Shop", terms=terms(0.99, 0.2, bad=Bad.LOW)),
        "safety": errors(namespace="Shop", terms=terms(1.2, 0.2)),
    }
    rng = random.Random(seed)

    def side(row: SlotMinute) -> SlotMinute:
        more = {name: Counts(500, rng.randint(10, 30)) for name in ("conversion", "safety")}
        return replace(row, rates={**row.rates, **more})

    rows = [minute(i, side(slow(500, rng.uniform(0.8, 1.6))), side(usual(500))) for i in range(25)]
    shuffled = rng.sample(names, len(names))

    first = judged(study(metrics=kinds), rows)

    assert judged(study(metrics={name: kinds[name] for name in shuffled}), rows) == first


@pytest.mark.parametrize("count", [2, 5])
def test_minutes_with_equal_rates_prove_the_same_merged_or_split(count: int) -> None:
    """The likelihood of a split is additive: what N equal minutes say before the cap, one minute with N times the counts says."""
    merged, split = RateHarm.of(Bad.HIGH, 1e9, 0), RateHarm.of(Bad.HIGH, 1e9, 0)
    one, all_in_one = Pair(1000, 4, 3000, 8), Pair(1000 * count, 4 * count, 3000 * count, 8 * count)
    for _ in range(count):
        split.add(one, 1.1, 2.0, 0)
    merged.add(all_in_one, 1.1, 2.0, 0)

    grid = [gain * count for gain in one.log_odds(1.1, split.grid)]
    assert all_in_one.log_odds(1.1, merged.grid) == pytest.approx(grid, abs=1e-9)
    assert split.value == pytest.approx(merged.value, rel=0.5), "only when harm began is shared out differently"


def test_a_metric_without_a_share_changes_no_verdict_and_no_evidence() -> None:
    plain = study(metrics={"errors": errors(terms=terms(1.1, 1.0))})
    shown = study(metrics={**plain.metrics, "latency": latency(rail=None, terms=terms(1.3, 0.0))}, steps=PLAIN)
    rows = [minute(i, slow(3000, 3.0), usual(3000)) for i in range(40)]

    without, having = Run.of(replace(plain, steps=PLAIN)).read(rows), Run.of(shown).read(rows)

    assert having.evidence == without.evidence
    assert having.judgement().verdict is without.judgement().verdict is Verdict.ADVANCE


@pytest.mark.parametrize("seed", range(3))
def test_two_alike_are_left_alone_and_a_shared_incident_is_nobodys_fault(seed: int) -> None:
    rng = random.Random(seed)

    def counts(trials: int, part: float) -> tuple[float, float]:
        return trials, sum(rng.random() < part for _ in range(trials))

    def rate(i: int) -> float:
        return 0.2 if 40 <= i < 60 else 0.002

    rows = [minute(i, counted(*counts(300, rate(i))), counted(*counts(300, rate(i)))) for i in range(120)]

    assert minutes_until_rollback(study(metrics={"errors": errors(terms=terms(1.1, 1.0))}), rows) is None


@pytest.mark.parametrize(("errors_now", "at_most"), [(0.05, 6), (0.5, 1)])
def test_harm_is_seen_as_soon_as_the_study_says(errors_now: float, at_most: int) -> None:
    """judge.md: 1 to 5 % in 5 minutes after the warm-up's two, half of all in one; 500 requests a second."""
    rows = steady(30, (300, 300 * errors_now), (29_700, 297), step=0)

    took = minutes_until_rollback(study(metrics={"errors": errors(terms=terms(1.1, 0.5))}), rows)

    assert took is not None
    assert took <= at_most
