"""Which margins on latency and on outcomes a traffic cannot rule out in time, from means alone. Errors are `estimate`'s.

Uses the judge's own increments, on counts that are exactly what is expected of a release that is as good as stable. `sluice forecast`
simulates, and is right where both differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from sluice.core.histogram import EDGES_A_DOUBLING
from sluice.core.judge.clearance import NEED, healthy
from sluice.core.judge.comparison import first_dispersion, gain_cap
from sluice.core.judge.harm import factor
from sluice.core.judge.pair import Pair, Ratios
from sluice.core.policy import Bad, LatencyMetric, LevelMetric, MeanMetric, Policy, RateMetric, Step
from sluice.core.weights import WHOLE

OUTCOME_RATE = 0.05
"""Of outcomes that are good when they are many, such as conversions."""
STEEPNESS = 4
"""Of latencies: log-logistic, P(over x) = 1 / (1 + x^4) with the median as unit, so p99 is 3.2 medians. As in `sluice.forecast`."""
SPREAD = 1.0
"""Of a mean's observations: their standard deviation, in means."""
_LEARNT, _PRIOR, _ORDINARY = 20, 10, 1.3
"""Minutes and noise from which the dispersion comes by the time it matters, as in `estimate`."""
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Unproven:
    """A margin that is not ruled out: of `minutes` that can be judged within the step's longest bake it would need more.

    `assumed` says what good times are taken to be.
    """

    step: int
    metric: str
    margin: float
    minutes: int
    assumed: str


def unproven(policy: Policy, rps: float) -> Iterator[Unproven]:
    """Each margin on a latency, an outcome or a mean that so much traffic does not rule out; `rps` is all of the endpoint's."""
    for index, step in enumerate(policy.steps):
        for name, margin in sorted(step.prove.items()):
            metric = policy.metrics[name]
            if isinstance(metric, LevelMetric) or (isinstance(metric, RateMetric) and metric.terms.bad is Bad.HIGH):
                continue
            minutes = _judged_minutes(policy, metric, step)
            parts = _parts(policy, metric, margin, step.weight_parts / WHOLE, rps * _MINUTE)
            if not _is_proven(parts, minutes):
                yield Unproven(index, name, margin, minutes, _assumed(metric))


def _judged_minutes(policy: Policy, metric: RateMetric | LatencyMetric | MeanMetric, step: Step) -> int:
    """Whole minutes of the longest bake that a look at its end can judge."""
    late = policy.judge.data_lag_seconds + metric.terms.lag_seconds
    settle = policy.judge.settle_seconds if isinstance(metric, LatencyMetric) else 0
    return max(0, (step.bake_max_seconds - late - settle) // _MINUTE - 1)


def _is_proven(parts: list[tuple[float, list[float]]], minutes: int) -> bool:
    """Whether the weighted mean of exp(minutes x nats) reaches the need by then."""
    return sum(w * sum(factor(minutes * nat) for nat in nats) / len(nats) for w, nats in parts) >= NEED


def _parts(
    policy: Policy, metric: RateMetric | LatencyMetric | MeanMetric, margin: float, share: float, requests: float
) -> list[tuple[float, list[float]]]:
    """(weight, nats a minute for each alternative) of everything that the metric's proof is the mean of."""
    canary, stable = requests * share, requests * (1 - share)
    match metric:
        case LatencyMetric():
            pairs = [(w, _slow(metric, margin, q, canary, stable)) for q, w in metric.quantiles.items() if w > 0]
            return [(w, _nats(policy, metric, pair, 1.0)) for w, pair in pairs]
        case RateMetric():
            pair = Pair(canary, canary * OUTCOME_RATE, stable, stable * OUTCOME_RATE)
            return [(1.0, _nats(policy, metric, pair, margin))]
        case MeanMetric():
            return [(1.0, _nats_of_mean(policy, metric, margin, canary, stable))]
        case _:
            assert_never(metric)


def _slow(metric: LatencyMetric, margin: float, quantile: str, canary: float, stable: float) -> Pair:
    """Requests over stable's quantile, and over the margin times it, rounded down where the application counts."""
    part = 1 - int(quantile.removeprefix("p")) / 100
    if metric.histogram is not None:
        margin = 2 ** (math.floor(EDGES_A_DOUBLING * math.log2(margin) + 1e-6) / EDGES_A_DOUBLING)
    beyond = 1 / (1 + (1 / part - 1) * margin**STEEPNESS)
    return Pair(canary, canary * beyond, stable, stable * part)


def _nats(policy: Policy, metric: RateMetric | LatencyMetric, pair: Pair, margin: float) -> list[float]:
    most, phi = gain_cap(policy, metric.terms), _dispersion(policy, metric.terms.bad)
    grid = Ratios.of(tuple(ratio / margin for ratio in healthy(margin, metric.terms.bad)))
    return [min(gain, most) for gain in pair.log_odds(margin, grid, phi)]


def _nats_of_mean(policy: Policy, metric: MeanMetric, margin: float, canary: float, stable: float) -> list[float]:
    """With the mean as unit: (D mu - mu^2 / 2) / V, one observation a request."""
    phi = _dispersion(policy, metric.terms.bad, mean=True)
    squared = phi * SPREAD**2 * (1 / canary + margin**2 / stable)
    shifts = [ratio - margin for ratio in healthy(margin, metric.terms.bad)]
    return [min(((1 - margin) * mu - mu**2 / 2) / squared, gain_cap(policy, metric.terms)) for mu in shifts]


def _dispersion(policy: Policy, bad: Bad, *, mean: bool = False) -> float:
    return (_PRIOR * first_dispersion(policy, bad, mean=mean) + _LEARNT * _ORDINARY) / (_PRIOR + _LEARNT)


def _assumed(metric: RateMetric | LatencyMetric | MeanMetric) -> str:
    match metric:
        case LatencyMetric():
            return "a p99 of 3.2 medians"
        case RateMetric():
            return f"{100 * OUTCOME_RATE:g} % {metric.events} of {metric.trials} in good times, one of these a request"
        case MeanMetric():
            return "one observation a request, that scatters by its own mean"
        case _:
            assert_never(metric)
