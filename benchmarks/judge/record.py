"""One world recorded on the fixed schedule, so that every judge sees the same minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.judge.cases import BAKE_MAX, LATENCY, MINUTES, PLAIN_LATENCY, RULES, SHARES, Case, rates
from sluice.forecast.arrays import Floats, Whole
from sluice.forecast.minutes import MetricMinute, Minute
from sluice.forecast.vector_judge import VectorJudge
from sluice.forecast.world import Base, Incident, Nature, World

_MARGINS = np.array([m if m is not None else 1.0 for m in LATENCY.margins])


@dataclass(frozen=True, slots=True)
class Recorded:
    """Minutes for the judge, the same minutes in a rival's terms as [runs, minutes], and the harm done in each.

    `n`, `errors`, `kpi`, `over_p90`, `over_p99`, `over_2p99` are (canary, stable) pairs; stable's over_2p99 is not known.
    """

    minutes: list[Minute]
    n: tuple[Floats, Floats]
    errors: tuple[Floats, Floats]
    kpi: tuple[Floats, Floats]
    over_p50: tuple[Floats, Floats]
    over_p90: tuple[Floats, Floats]
    over_p99: tuple[Floats, Floats]
    over_2p99: Floats
    harmed: Floats


def steps_by_minute() -> tuple[Whole, Whole]:
    """The step of each minute, and how long it has lasted."""
    step = np.repeat(np.arange(len(BAKE_MAX)), BAKE_MAX)
    since = np.concatenate([np.arange(minutes) for minutes in BAKE_MAX])
    return step.astype(np.int64), since.astype(np.int64)


def record(case: Case, rps: float, nature: Nature, runs: int, seed: int) -> Recorded:
    """Run one world on the fixed schedule."""
    chance = np.random.default_rng(seed)
    incident = Incident(chance.uniform(5, 90, runs), np.full(runs, 12.0)) if case.incident else None
    world = World(Base(rps, rates(case)), nature, runs, chance, case.effect, incident)
    step, since = steps_by_minute()
    minutes, plain, harmed = [], [], []
    for at in range(MINUTES):
        world.begin_minute()
        where, lasted = np.full(runs, step[at]), np.full(runs, since[at])
        n_c, n_s = world.requests(at, np.full(runs, SHARES[step[at]]))
        metrics = {
            rule.name: (
                world.latency(rule, _MARGINS[where], at, lasted, n_c, n_s)
                if rule.is_latency
                else world.rate(rule, at, n_c, n_s)
            )
            for rule in RULES.metrics
        }
        minutes.append(Minute(where, lasted, metrics))
        plain.append(world.latency(PLAIN_LATENCY, np.full(runs, 2.0), at, lasted, n_c, n_s))
        harmed.append(world.harmed)
    return _arrays(minutes, plain, np.stack(harmed, axis=1))


def _arrays(minutes: list[Minute], plain: list[MetricMinute], harmed: Floats) -> Recorded:
    def rate(name: str) -> tuple[Floats, Floats]:
        seen = [minute.metrics[name].harm[0] for minute in minutes]
        return _stack([s.e_c for s in seen]), _stack([s.e_s for s in seen])

    def over(part: int) -> tuple[Floats, Floats]:
        return _stack([p.harm[part].e_c for p in plain]), _stack([p.harm[part].e_s for p in plain])

    n = [minute.metrics["errors"].harm[0] for minute in minutes]
    return Recorded(
        minutes,
        (_stack([s.n_c for s in n]), _stack([s.n_s for s in n])),
        rate("errors"),
        rate("kpi"),
        over(0),
        over(1),
        over(2),
        _stack([p.proof[2].e_c for p in plain]),
        harmed,
    )


def _stack(columns: list[Floats]) -> Floats:
    return np.stack(columns, axis=1)


def this_spec(seen: Recorded) -> Whole:
    """The row in which Sluice's judge is done with the canary, -1 where never."""
    judge = VectorJudge(RULES, seen.harmed.shape[0])
    first = np.full(seen.harmed.shape[0], -1, dtype=np.int64)
    for at, minute in enumerate(seen.minutes):
        ruling = judge.minute(minute)
        first = np.where((first < 0) & (ruling.crossed | ruling.railed), at, first)
    return first
