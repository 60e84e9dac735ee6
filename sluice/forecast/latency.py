"""Latency as the judge sees it: how many requests took longer than each threshold. Log-logistic, with an optional slow share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sluice.forecast.arrays import Floats
from sluice.forecast.minutes import Exposed, MetricMinute
from sluice.forecast.rules import Rule

QUANTILES = (0.5, 0.9, 0.99)
RAIL_QUANTILE = 0.99


@dataclass(frozen=True, slots=True)
class LatencyShape:
    """Median 1 (only ratios matter) and a power-law tail: P(over x) = 1 / (1 + x^steepness). At 4, p99 is 3.2 medians."""

    steepness: float = 4.0

    def quantile(self, p: float) -> float:
        return float((p / (1 - p)) ** (1 / self.steepness))

    def over(self, threshold: Floats, speed: Floats) -> Floats:
        """Share of requests over `threshold` when everything takes `speed` times as long."""
        return np.asarray(1 / (1 + (threshold / speed) ** self.steepness))


@dataclass(frozen=True, slots=True)
class Side:
    """One side's minute: its requests, how much longer everything takes, and a share that takes `slow_factor` times that."""

    requests: Floats
    speed: Floats
    slow_share: float = 0.0
    slow_factor: float = 1.0


def over_thresholds(
    chance: np.random.Generator, shape: LatencyShape, rule: Rule, margin: Floats, canary: Side, stable: Side
) -> MetricMinute:
    """Counts over stable's usual quantiles (stable) and over tolerated and to-be-proven multiples of them (canary)."""
    taus = [np.full_like(margin, shape.quantile(p)) for p in rule.quantiles]
    versus = rule.rail.versus_stable if rule.rail else 3.0
    far = shape.quantile(RAIL_QUANTILE) * versus * np.ones_like(margin)
    harm = [tau * rule.tolerate_ratio for tau in taus]
    proof = [tau * margin for tau in taus]
    p99 = np.full_like(margin, shape.quantile(RAIL_QUANTILE))
    is_judged = RAIL_QUANTILE in rule.quantiles
    over_c = _nested(chance, shape, [*harm, *proof, far], canary)
    over_s = _nested(chance, shape, [*taus, far, *([] if is_judged else [p99])], stable)
    k, n_c, n_s = len(taus), canary.requests, stable.requests
    usual = over_s[rule.quantiles.index(RAIL_QUANTILE) if is_judged else k + 1]
    return MetricMinute(
        harm=tuple(Exposed(n_c, n_s, over_c[i], over_s[i]) for i in range(k)),
        proof=tuple(Exposed(n_c, n_s, over_c[k + i], over_s[i]) for i in range(k)),
        rail=Exposed(n_c, n_s, over_c[2 * k], over_s[k]),
        usual=Exposed(n_c, n_s, np.zeros_like(n_c), usual),
    )


def _nested(chance: np.random.Generator, shape: LatencyShape, thresholds: list[Floats], side: Side) -> list[Floats]:
    """Counts over each threshold, from one and the same set of requests: over a higher one only who is over the lower ones."""
    order = sorted(range(len(thresholds)), key=lambda i: float(thresholds[i].mean()))
    counts: list[Floats] = [side.requests] * len(thresholds)
    among, before = side.requests.astype(np.int64), np.ones_like(side.requests)
    for i in order:
        share = share_over(shape, thresholds[i], side)
        among = chance.binomial(among, np.minimum(share / before, 1.0))
        counts[i], before = among.astype(float), np.minimum(share, before)
    return counts


def share_over(shape: LatencyShape, threshold: Floats, side: Side) -> Floats:
    """The share of the side's requests that take longer than the threshold."""
    usual = shape.over(threshold, side.speed)
    if side.slow_share == 0:
        return usual
    slow = shape.over(threshold, side.speed * side.slow_factor)
    return (1 - side.slow_share) * usual + side.slow_share * slow
