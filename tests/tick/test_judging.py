"""What a policy can ask of the judge, each through the real tick: what comes of it is what the rollout does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sluice.core.head import Outcome
from sluice.core.histogram import Histogram
from sluice.core.observation import Counts, Row, SlotMinute
from sluice.core.policy import Bad, LatencyMetric, OnInconclusive, Policy, RateMetric, Step
from sluice.core.rollout import Phase
from sluice.core.rows import Reading
from sluice.sim.traffic import Traffic
from sluice.sim.world import World
from sluice.submit import submit
from tests.builders import errors, latency, policy, step, submission, terms
from tests.worlds import adopted_world

LAST = Step(10_000, 0, 0, OnInconclusive.HOLD)


@pytest.fixture
def world() -> World:
    return adopted_world()


@dataclass
class Told:
    """The minutes there are, and what `more` adds to those of a slot: (slot, minute, requests) to fields of a SlotMinute."""

    traffic: Traffic
    more: Callable[[str, int, float], Mapping[str, Any]]

    def rows(self, reading: Reading) -> tuple[Row, ...]:
        return tuple(
            replace(row, canary=self._side("green", row.at, row.canary), stable=self._side("blue", row.at, row.stable))
            for row in self.traffic.rows(reading)
        )

    def _side(self, slot: str, at: int, side: SlotMinute) -> SlotMinute:
        counts = side.rates.get("errors")
        more = self.more(slot, at, counts.trials) if counts else {}
        return replace(side, **{key: {**getattr(side, key), **value} for key, value in more.items()})

    def quantiles(
        self, endpoint: str, slot: str, metrics: Mapping[str, LatencyMetric], since: int, until: int
    ) -> Mapping[str, Mapping[str, float]]:
        return self.traffic.quantiles(endpoint, slot, metrics, since, until)


def rolled_out(world: World, made: Policy) -> Outcome:
    """What came of a release under this policy."""
    submit(world.ports, submission(policy=made))
    world.run(lambda: live_of(world) is None)
    outcome = world.store.head("shop").outcome
    assert outcome is not None
    return outcome


def live_of(world: World) -> Any:
    return world.store.head("shop").live


def weights(world: World) -> list[int]:
    return [detail["green"] for _, name, detail in world.calls if name == "set_weights"]


def events(world: World) -> list[Any]:
    return list(world.store.events("shop"))


def accuracy(**changes: Any) -> RateMetric:
    return errors(rail=None, namespace="Shop", terms=terms(0.97, 0.5, bad=Bad.LOW, **changes))


def judged_by(metric: RateMetric, **changes: Any) -> Policy:
    return policy(**{"metrics": {"errors": errors(), "accuracy": metric}, **changes})


class TestSegments:
    @staticmethod
    def labels(slot: str, at: int, trials: float) -> Mapping[str, Any]:
        """A tenth of the requests is from `de`, where the canary is right half as often; elsewhere it makes up for that."""
        de, us = trials / 10, trials * 9 / 10
        right = {"de": de * 0.9, "us": us * 0.9} if slot == "blue" else {"de": de * 0.45, "us": us * 0.95}
        by = {"de": Counts(de, right["de"]), "us": Counts(us, right["us"])}
        return {"rates": {"accuracy": Counts(trials, sum(right.values()))}, "segments": {"accuracy": by}}

    @pytest.mark.parametrize(("segment", "ends"), [("country", Phase.ROLLED_BACK), (None, Phase.SETTLED)])
    def test_harm_to_one_country_is_seen_where_the_policy_asks(
        self, world: World, segment: str | None, ends: Phase
    ) -> None:
        world.metrics = Told(world.traffic, self.labels)

        outcome = rolled_out(world, judged_by(accuracy(segment=segment)))

        assert outcome.phase is ends, outcome.because
        assert ("accuracy" in outcome.because) == (ends is Phase.ROLLED_BACK)


class TestLateLabels:
    def test_labels_that_come_an_hour_late_take_a_release_back_that_was_promoted_meanwhile(self, world: World) -> None:
        def labels(slot: str, at: int, trials: float) -> Mapping[str, Any]:
            known = at <= world.now - 3600
            right = 0.9 if slot == "blue" else 0.5
            return {"rates": {"accuracy": Counts(trials, trials * right)}} if known else {}

        world.metrics = Told(world.traffic, labels)

        outcome = rolled_out(world, judged_by(accuracy(lag_seconds=3600), soak_seconds=4 * 3600))

        phases = [event.kind for event in events(world)]
        assert "promoted" in phases or "soaking" in phases, phases
        assert outcome.phase is Phase.ROLLED_BACK
        assert "accuracy 50.0 % (" in outcome.because
        assert world.store.head("shop").champion.release.name == "v1"


class TestInconclusive:
    """A margin that this traffic cannot rule out within the bake."""

    @staticmethod
    def steps(then: OnInconclusive) -> tuple[Step, ...]:
        return (replace(step(10, 300, 900, then), prove={"errors": 1.2}), LAST)

    @pytest.mark.parametrize(
        ("then", "ends", "says"),
        [
            (OnInconclusive.ADVANCE, Phase.SETTLED, ""),
            (OnInconclusive.HOLD, Phase.ROLLED_BACK, "held for"),
            (OnInconclusive.ROLLBACK, Phase.ROLLED_BACK, "1.2x not ruled out"),
            (OnInconclusive.PAUSE, Phase.ROLLED_BACK, "held for"),
        ],
    )
    def test_what_becomes_of_it_is_what_the_policy_says(
        self, world: World, then: OnInconclusive, ends: Phase, says: str
    ) -> None:
        world.traffic.error_rate = {"blue": 0.002, "green": 0.002}

        outcome = rolled_out(world, policy(steps=self.steps(then), metrics={"errors": errors()}, max_hold_seconds=900))

        assert outcome.phase is ends, outcome.because
        assert says in outcome.because
        asked = [notice for notice in world.notices if "is held: inconclusive after" in notice.subject]
        assert len(asked) == (then is OnInconclusive.PAUSE), "only a pause asks people, and once"

    def test_min_samples_is_never_waived(self, world: World) -> None:
        world.traffic.requests = 60

        outcome = rolled_out(
            world, policy(steps=self.steps(OnInconclusive.ADVANCE), min_samples=5000, max_hold_seconds=900)
        )

        assert outcome.phase is Phase.ROLLED_BACK
        assert max(weights(world)) == 1000


class TestEarlyAdvance:
    @pytest.mark.parametrize(("requests", "most_minutes"), [(600_000, 12), (6000, 60)])
    def test_a_step_ends_as_soon_as_its_margin_is_proven(self, world: World, requests: int, most_minutes: int) -> None:
        world.traffic.requests, world.traffic.error_rate = requests, {"blue": 0.002, "green": 0.002}
        first = replace(step(10, 300, 3600, OnInconclusive.ADVANCE), prove={"errors": 1.6})

        rolled_out(world, policy(steps=(first, LAST), metrics={"errors": errors()}))

        raised = [at for at, name, detail in world.calls if name == "set_weights" and detail["green"]]
        minutes = (raised[1] - raised[0]) / 60
        assert most_minutes / 2 < minutes + 3 <= most_minutes + 5


def test_a_holdback_keeps_something_to_compare_with_until_the_last_step(world: World) -> None:
    """Errors that are far from every limit begin at 95 %: only the twentieth that stable still serves gives them away."""
    world.traffic.error_rate = {"blue": 0.002}

    def errors_begin(slot: str, at: int, trials: float) -> Mapping[str, Any]:
        live = live_of(world)
        late = slot == "green" and live is not None and live.canary_parts >= 9500
        return {"rates": {"errors": Counts(trials, trials * (0.012 if late else 0.002))}}

    world.metrics = Told(world.traffic, errors_begin)
    made = policy(steps=(step(50), step(95, 1200, 1800), LAST), metrics={"errors": errors()})

    outcome = rolled_out(world, made)

    assert outcome.phase is Phase.ROLLED_BACK
    assert max(weights(world)) == 9500
    assert " against 0.2 % (" in outcome.because


def test_an_observed_metric_shows_what_it_would_have_done_and_does_nothing(world: World) -> None:
    def labels(slot: str, at: int, trials: float) -> Mapping[str, Any]:
        return {"rates": {"accuracy": Counts(trials, trials * (0.9 if slot == "blue" else 0.5))}}

    world.metrics = Told(world.traffic, labels)

    outcome = rolled_out(world, judged_by(accuracy(observe=True)))

    assert outcome.phase is Phase.SETTLED
    shown = [
        finding
        for event in events(world)
        for finding in event.facts.get("findings", ())
        if finding["metric"] == "accuracy" and finding["word"] == "harmful"
    ]
    assert shown
    assert all(finding["observed"] and "only observed" in finding["numbers"] for finding in shown)


def test_a_burning_error_budget_holds_and_is_a_shared_incident(world: World) -> None:
    """2 % errors on both slots: below the rail of 5 %, and twenty times what the objective allows."""
    made = policy(metrics={"errors": errors(slo=0.999)}, steps=(step(10, 1200, 3600), LAST))
    submit(world.ports, submission(policy=made))
    world.run(lambda: (live := live_of(world)) is not None and live.phase is Phase.BAKING)
    world.traffic.error_rate = {"blue": 0.02, "green": 0.02}

    world.run(lambda: "incident" in [event.kind for event in events(world)])

    (held,) = (event for event in events(world) if event.kind == "incident")
    assert "errors the endpoint burns its error budget" in held.because
    assert live_of(world).phase is Phase.BAKING

    world.run(lambda: live_of(world) is None)
    outcome = world.store.head("shop").outcome
    assert outcome.phase is Phase.ROLLED_BACK
    assert "a shared incident lasted 15 min" in outcome.because


class TestRecordedLatency:
    """CloudWatch answers neither trimmed counts nor percentiles; the application keeps a histogram."""

    OWN = Histogram("Shop", "AnswerTime", 1_000, 2_000_000, "fallback")

    def made(self, histogram: Histogram | None) -> Policy:
        patient = (step(10, 1200, 3600), step(50, 900, 3600), LAST)
        return policy(
            metrics={"errors": errors(), "latency": latency(histogram=histogram, rail=None)},
            steps=patient,
            max_hold_seconds=900,
        )

    @pytest.fixture(autouse=True)
    def _uncounted(self, world: World) -> None:
        world.traffic.counts_latencies = False

    def test_a_slower_release_is_taken_back_by_what_the_application_recorded(self, world: World) -> None:
        world.traffic.p90_us["green"] = 60_000.0

        outcome = rolled_out(world, self.made(self.OWN))

        assert outcome.phase is Phase.ROLLED_BACK
        assert "as the application recorded it: " in outcome.because

    def test_an_equal_one_goes_out(self, world: World) -> None:
        assert rolled_out(world, self.made(self.OWN)).phase is Phase.SETTLED

    def test_an_application_that_records_half_of_it_holds_the_release(self, world: World) -> None:
        world.traffic.recorded_part["green"] = 0.5

        outcome = rolled_out(world, self.made(self.OWN))

        assert outcome.phase is Phase.ROLLED_BACK
        assert "latencies of canary, and CloudWatch counts" in outcome.because
        assert max(weights(world)) == 1000, "never beyond the first step"
