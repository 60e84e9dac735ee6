"""A release of the past as rows to judge, where only CloudWatch remembers it: when the canary served, and which step each minute was.

Decides that from the split of the requests alone. Rollouts of Sluice's own are known better: their rows are archived.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sluice.core.judge.rate import counts_or_none
from sluice.core.observation import Row
from sluice.core.policy import LatencyMetric, Policy
from sluice.core.rows import Limits, limits_of
from sluice.core.weights import WHOLE

_NEVER_ALL = 1 - 1e-4
"""A few requests of stable in a minute that was meant to be all the canary's are stragglers, not an impossibility."""


@dataclass(frozen=True, slots=True)
class Past:
    """Which minutes of which endpoint, [since, until) in seconds, and which of its variants was what."""

    endpoint: str
    canary: str
    stable: str
    since: int
    until: int


def all_limits(policy: Policy, quantiles: Mapping[str, Mapping[str, float]]) -> dict[str, Limits]:
    """Thresholds of the latencies whose past is known, for the margins of every step at once."""
    margins = {name: [step.prove.get(name) for step in policy.steps] for name in policy.metrics}
    return {
        name: limits_of(metric, margins[name], quantiles[name])
        for name, metric in policy.metrics.items()
        if isinstance(metric, LatencyMetric) and name in quantiles
    }


def served(rows: Sequence[Row], requests: str) -> tuple[Row, ...]:
    """The rows from the first whole minute after the canary's first request to its last one. Empty: it never had any."""
    busy = [i for i, row in enumerate(rows) if _split(row, requests)[0] > 0]
    return tuple(rows[busy[0] + 1 : busy[-1] + 1]) if len(busy) > 1 else ()


def with_steps(policy: Policy, rows: Sequence[Row], requests: str) -> tuple[Row, ...]:
    """The rows with the steps that explain their split best, never falling. The minute in which one begins is one of change.

    Maximum likelihood: sum of n_c ln w + n_s ln(1 - w) over all minutes, the canary's requests being Bin(n, w). Weights stay unknown
    (`canary_parts`), so that nobody is blamed for a split that a policy of today never asked for.
    """
    steps = _likeliest([_log_likelihoods(policy, _split(row, requests)) for row in rows])
    before = [None, *steps]
    return tuple(
        replace(row, step=step, is_change=last is not None and step != last)
        for row, step, last in zip(rows, steps, before, strict=False)
    )


def _split(row: Row, requests: str) -> tuple[float, float]:
    found = (counts_or_none(side.rates.get(requests)) for side in (row.canary, row.stable))
    canary, stable = (counts.trials if counts is not None else 0.0 for counts in found)
    return canary, stable


def _log_likelihoods(policy: Policy, split: tuple[float, float]) -> list[float]:
    weights = [min(step.weight_parts / WHOLE, _NEVER_ALL) for step in policy.steps]
    return [split[0] * math.log(weight) + split[1] * math.log(1 - weight) for weight in weights]


def _likeliest(minutes: Sequence[Sequence[float]]) -> list[int]:
    """The never falling path through `minutes` (a number per step each) with the largest sum. Source: Viterbi (1967), without noise."""
    totals, came = [0.0] * len(minutes[0]), []
    for found in minutes:
        best = [max(range(step + 1), key=lambda before: totals[before]) for step in range(len(found))]
        totals = [totals[before] + value for before, value in zip(best, found, strict=True)]
        came.append(best)
    path = [max(range(len(totals)), key=lambda step: totals[step])]
    for best in reversed(came[1:]):
        path.append(best[path[-1]])
    return path[::-1]
