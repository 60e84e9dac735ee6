"""The oracle: knows the metric, the size of the effect, when it begins and how the counts are dispersed. Nobody can be sooner.

Its evidence is the likelihood ratio of that very effect against none, with all of the budget: 1/0.05, no cap, no mixture.
"""

from __future__ import annotations

import numpy as np

from benchmarks.judge.cases import Case
from benchmarks.judge.record import Recorded
from benchmarks.judge.rivals import first_row
from sluice.forecast.arrays import Floats, Whole
from sluice.forecast.latency import LatencyShape
from sluice.forecast.world import Nature

_NEED = np.log(20.0)


def oracle(case: Case, nature: Nature, seen: Recorded) -> Whole:
    """The row in which the oracle would take the canary back, -1 where never."""
    n_c, n_s = seen.n
    (e_c, e_s), factor, phi = _what(case, nature, seen)
    strength = np.array([case.effect.strength(at) for at in range(n_c.shape[1])])
    r = 1 + (factor - 1) * strength
    below = np.maximum(n_c + n_s, 1e-12)
    nats = (e_c * np.log(r) - (e_c + e_s) * np.log(np.maximum(n_c * r + n_s, 1e-12) / below)) / phi
    return first_row(np.cumsum(nats, axis=1) >= _NEED)


def _what(case: Case, nature: Nature, seen: Recorded) -> tuple[tuple[Floats, Floats], float, float]:
    """The counts that show the effect best, its factor on them, and their dispersion."""
    effect, shape = case.effect, LatencyShape()
    if "errors" in effect.rates:
        return seen.errors, float(effect.rates["errors"]), 2 * nature.cluster - 1
    if "kpi" in effect.rates:
        return seen.kpi, float(effect.rates["kpi"]), 1.0
    tau = np.array([shape.quantile(0.99)])
    one = np.ones(1)
    usual, slow = shape.over(tau, one * effect.latency), shape.over(tau, one * effect.latency * effect.slow_factor)
    over = (1 - effect.slow_share) * usual + effect.slow_share * slow
    return seen.over_p99, float(over[0] / 0.01), 1.0
