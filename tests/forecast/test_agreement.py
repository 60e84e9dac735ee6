"""The judge over arrays and the tick's own judge say the same, minute by minute, to 1e-9: evidence, dispersion, proof, rails, blame."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from sluice.core.judge import Run, judge
from sluice.core.judge.latency import LatencyFollower
from sluice.core.judge.level import LevelFollower
from sluice.core.judge.means import MeanFollower
from sluice.core.judge.rate import RateFollower
from sluice.core.observation import Row
from sluice.core.policy import Policy
from sluice.forecast.forecast import base_of
from sluice.forecast.from_policy import judged, rules_of
from sluice.forecast.gauges import Gauges
from sluice.forecast.mean_judge import MeanJudge
from sluice.forecast.metric_judge import MetricJudge
from sluice.forecast.minutes import Minute
from sluice.forecast.rollouts import sample
from sluice.forecast.rows import row_of
from sluice.forecast.segment_judge import SegmentJudge
from sluice.forecast.vector_judge import Ruling, VectorJudge
from sluice.forecast.world import Effect, Incident, Nature, World
from tests.forecast.policies import with_everything, with_kpi

START = 1_767_600_000
ROLLOUTS = 4
COMPARABLE = 1e12
"""Beyond this evidence both judges only keep it finite, each in its own way."""


def lagging() -> Policy:
    policy = with_kpi()
    late = policy.metrics["conversion"]
    return replace(
        policy, metrics={**policy.metrics, "conversion": replace(late, terms=replace(late.terms, lag_seconds=300))}
    )


def observing() -> Policy:
    policy = with_kpi()
    errors = policy.metrics["errors"]
    return replace(
        policy, metrics={**policy.metrics, "errors": replace(errors, terms=replace(errors.terms, observe=True))}
    )


def recorded(policy: Policy, world: World, steps: np.ndarray) -> list[Minute]:
    """Minutes of rollouts whose step is given for each minute, [rollouts, minutes]."""
    rules, gauges = rules_of(policy), Gauges.beside(world)
    shares = np.array([step.weight_parts / 10_000 for step in policy.steps])
    since = np.zeros(ROLLOUTS, dtype=np.int64)
    minutes = []
    for at in range(steps.shape[1]):
        step = steps[:, at]
        since = np.where(at > 0, np.where(step == steps[:, max(at - 1, 0)], since + 1, 0), 0)
        world.begin_minute()
        minutes.append(sample(rules, world, gauges, at, (step, since), world.requests(at, shares[step])))
    return minutes


def random_steps(policy: Policy, minutes: int, chance: np.random.Generator) -> np.ndarray:
    """Each rollout enters its later steps at minutes of its own."""
    count = len(judged(policy))
    starts = np.sort(chance.integers(1, minutes, (ROLLOUTS, count - 1)), axis=1)
    return (np.arange(minutes)[None, :, None] >= starts[:, None, :]).sum(axis=2)


def close(first: float, second: float) -> bool:
    if min(first, second) > COMPARABLE:
        return True
    return bool(np.isclose(first, second, rtol=1e-9, atol=1e-9))


WORLDS = {
    "nothing wrong": (Effect(), 200.0, 0.002, None),
    "hardly any traffic": (Effect(), 1.0, 0.002, None),
    "no error ever": (Effect(), 20.0, 1e-12, None),
    "errors double": (Effect({"errors": 2.0}), 200.0, 0.01, None),
    "half of all fail from minute 20": (Effect({"errors": 50.0}, begins=20), 20.0, 0.01, None),
    "slower": (Effect(latency=1.6), 50.0, 0.002, None),
    "a slow tail": (Effect(slow_share=0.05, slow_factor=5.0), 50.0, 0.002, None),
    "people buy less": (Effect({"conversion": 0.85}), 200.0, 0.002, None),
    "only a few are hurt": (Effect({"accuracy": 20.0}, smallest_segment_only=True), 500.0, 0.002, None),
    "people pay less, and cost more": (Effect(means={"revenue": 0.7, "cost": 1.3}), 200.0, 0.002, None),
    "saturated from minute 10": (Effect(levels={"saturation": 1.3}, begins=10), 5.0, 0.002, None),
    "an incident": (Effect(), 100.0, 0.002, (10, 15)),
}


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        *(pytest.param(name, with_everything(), id=name) for name in WORLDS),
        pytest.param("people buy less", lagging(), id="people buy less, late"),
        pytest.param("an incident", lagging(), id="an incident, and late outcomes"),
        pytest.param("half of all fail from minute 20", observing(), id="errors are only observed"),
        pytest.param("errors double", observing(), id="errors double, and are only observed"),
    ],
)
def test_arrays_and_rows_agree_minute_by_minute(name: str, policy: Policy) -> None:
    effect, rps, rate, incident = WORLDS[name]
    chance = np.random.default_rng(len(name))
    hits = Incident(*(np.full(ROLLOUTS, float(value)) for value in incident)) if incident else None
    base = base_of(policy, rps, {"errors": rate})
    world = World(base, Nature(), ROLLOUTS, chance, effect, hits)
    minutes = recorded(policy, world, random_steps(policy, 45, chance))

    over_arrays = VectorJudge(rules_of(policy), ROLLOUTS)
    runs = [Run.of(policy) for _ in range(ROLLOUTS)]
    for at, minute in enumerate(minutes):
        ruling = over_arrays.minute(minute)
        for i, run in enumerate(runs):
            run.read([row_of(policy, minute, i, START + 60 * at)])
            assert_same(over_arrays, ruling, i, run, f"rollout {i}, minute {at}")


def test_the_new_kinds_speak_in_the_worlds_that_hurt_them() -> None:
    """What is compared above is more than evidence that never moved."""
    for name, metric in (("people pay less, and cost more", "revenue"), ("people pay less, and cost more", "cost"),
                         ("only a few are hurt", "accuracy")):  # fmt: skip
        assert run_of(name).metrics[metric].odds.max() > 20, f"{metric} in {name!r}"
    assert run_of("saturated from minute 10").levels["saturation"].fired.all()


def run_of(name: str) -> VectorJudge:
    effect, rps, rate, _ = WORLDS[name]
    policy, chance = with_everything(), np.random.default_rng(3)
    world = World(base_of(policy, rps, {"errors": rate}), Nature(), ROLLOUTS, chance, effect)
    arrays = VectorJudge(rules_of(policy), ROLLOUTS)
    for minute in recorded(policy, world, random_steps(policy, 40, chance)):
        arrays.minute(minute)
    return arrays


def assert_same(arrays: VectorJudge, ruling: Ruling, i: int, run: Run, where: str) -> None:
    assert close(float(ruling.odds[i]), run.evidence), f"{where}: {ruling.odds[i]} against {run.evidence}"
    assert bool(ruling.crossed[i]) == (run.blamed is not None), where
    for follower in run.followers:
        if isinstance(follower, LevelFollower):
            level = arrays.levels[follower.name]
            assert bool(level.fired[i]) == follower.crossed, f"{where}: {follower.name}"
            assert bool(level.beyond[i]) == follower.is_beyond, f"{where}: {follower.name}"
            continue
        judge_of = arrays.metrics[follower.name]
        assert close(float(judge_of.odds[i]), follower.value), f"{where}: M of {follower.name}"
        if isinstance(follower, MeanFollower):
            assert isinstance(judge_of, MeanJudge)
            if follower.proof is not None:
                assert close(float(judge_of.proof[i]), follower.proof), f"{where}: K of {follower.name}"
                assert bool(judge_of.cleared[i]) == follower.cleared, f"{where}: {follower.name} cleared"
            assert close(float(judge_of.dispersion.phi[i]), follower.scatter.phi()), f"{where}: phi of {follower.name}"
            continue
        if isinstance(follower, RateFollower | LatencyFollower):
            proof = follower.whole.proof if isinstance(follower, RateFollower) else follower.proof
            if proof is not None and judge_of.rule.enforced:
                assert close(float(judge_of.proof[i]), proof), f"{where}: K of {follower.name}"
                assert bool(judge_of.cleared[i]) == follower.cleared, f"{where}: {follower.name} cleared"
            rail = arrays.rails.get(follower.name)
            if rail is not None and follower.rail is not None:
                assert close(float(rail.mixture.odds[i]), follower.rail.mixture.value), (
                    f"{where}: rail of {follower.name}"
                )
                assert bool(rail.fired[i]) == follower.rail.is_crossed, f"{where}: rail of {follower.name}"
        if isinstance(follower, RateFollower):
            whole = judge_of.whole if isinstance(judge_of, SegmentJudge) else judge_of
            assert isinstance(whole, MetricJudge)
            assert close(float(whole.parts[0].dispersion.phi[i]), follower.whole.comparison.dispersion.phi()), where


@pytest.mark.parametrize("name", ["nothing wrong", "errors double", "an incident"])
def test_reading_on_equals_reading_anew(name: str) -> None:
    """The incremental form: the rows in pieces give what all of them give at once."""
    effect, rps, rate, _ = WORLDS[name]
    policy, chance = with_kpi(), np.random.default_rng(11)
    world = World(base_of(policy, rps, {"errors": rate}), Nature(), ROLLOUTS, chance, effect)
    rows: list[Row] = [
        row_of(policy, minute, 0, START + 60 * at)
        for at, minute in enumerate(recorded(policy, world, random_steps(policy, 60, chance)))
    ]
    run = Run.of(policy)

    for start, end in pairwise((0, 1, 7, 30, 60)):
        run.read(rows[start:end])
        anew = Run.of(policy).read(rows[:end])
        assert close(run.evidence, anew.evidence)
        assert run.judgement() == judge(policy, rows[:end])
