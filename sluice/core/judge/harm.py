"""Evidence of harm: e-processes against "the canary is no worse than tolerated", valid at every look (Ville's inequality).

Source: shared/judge.md, "Harm e-process" and "Means". An e-process is at most 1 in expectation while the null holds, whatever is
seen before, so P(it ever reaches 1/a) <= a. Unit of every increment: nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sluice.core.judge.pair import Pair, Ratios, Said
from sluice.core.judge.prior import Prior
from sluice.core.policy import Bad, Tolerance

WORSE = (1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 9.0, 14.0, 25.0, 60.0)
"""How many times the tolerated ratio harm may be."""
LESS = tuple(1 / g for g in (1.01, 1.02, 1.03, 1.05, 1.08, 1.12, 1.18, 1.27, 1.4, 1.7, 2.5))
_FORGET = 0.98
_PRIOR_TRIALS = 500
_PRIOR_EVENTS = 1
_MOST_TOLERATED = 7.0
"""However rare stable's events: seven times as many are never tolerated for the sake of an absolute allowance."""
SHOWN_SHARE = 0.1
"""What a metric without a share is shown with."""
_RAMP_MINUTES = 0.7
"""The mixture needs about so long to find the alternative that fits."""
_EARLY = 0.15
_MOST = 1e150
_MOST_NATS = 345.0
"""About ln(_MOST): floats end there, evidence was enough long before."""


def alternatives(bad: Bad) -> tuple[float, ...]:
    """The grid g_j, in multiples of what is tolerated."""
    return WORSE if bad is Bad.HIGH else LESS


def cap(budget: float, share: float, sustain_seconds: int) -> float:
    """c, the most nats one minute may prove: ln(1 / (.15 alpha share)) / (sustain - .7), sustain in minutes.

    So no comparison takes a canary back before about `sustain` minutes that agree. 2.5 at 5 %, a share of .4, and 3 minutes.
    """
    return math.log(1 / (_EARLY * budget * (share or SHOWN_SHARE))) / (sustain_seconds / 60 - _RAMP_MINUTES)


@dataclass(slots=True)
class Baseline:
    """Stable's rate as earlier minutes had it: p_s = (B_E + 1) / (B_n + 500), forgetting 2 % a minute."""

    events: float = 0.0
    trials: float = 0.0

    def rate(self) -> float:
        return (self.events + _PRIOR_EVENTS) / (self.trials + _PRIOR_TRIALS)

    def add(self, trials: float, events: float) -> None:
        self.trials = _FORGET * self.trials + trials
        self.events = _FORGET * self.events + events


def tolerated(tolerate: Tolerance, bad: Bad, stable_rate: float) -> float:
    """r0: the ratio that is never punished. The absolute allowance becomes a ratio by stable's rate; at most 7, at least 1/7."""
    allowance = tolerate.absolute / stable_rate
    if bad is Bad.HIGH:
        return min(_MOST_TOLERATED, max(tolerate.ratio, 1 + allowance))
    return max(1 / _MOST_TOLERATED, min(tolerate.ratio, 1 - allowance))


def factor(nats: float) -> float:
    """exp, with an end: beyond it nothing is decided any more."""
    return math.exp(min(nats, _MOST_NATS))


@dataclass(slots=True)
class Mixture:
    """M = mean over j of R_j + (1 - sum of w), where R_j <- (R_j + w_t) exp(l_j): harm of any size, begun at any minute."""

    prior: Prior
    runs: list[float]
    value: float = 1.0
    """M."""

    @classmethod
    def over(cls, count: int, later_steps: int) -> Mixture:
        return cls(Prior(later_steps), [0.0] * count)

    def add(self, said: Said | None, step: int, most: float = _MOST_NATS) -> None:
        """One minute; `said` is l_j for each alternative before the cap, None when the minute says nothing.

        This is the innermost loop of the judge.
        """
        w, runs, exp = self.prior.next(step), self.runs, math.exp
        if said is None:
            self.runs = runs = [run + w for run in runs]
        else:
            x, y, firsts, seconds = said
            self.runs = runs = [
                (run + w) * exp(gain if (gain := x * a + y * b) < most else most)
                for run, a, b in zip(runs, firsts, seconds, strict=True)
            ]
        total = sum(runs)
        if total > _MOST:
            self.runs = [min(run, _MOST) for run in runs]
            total = sum(self.runs)
        self.value = total / len(runs) + 1 - self.prior.spent


@dataclass(slots=True)
class RateHarm:
    """The e-process of one rate. Null: rate_c <= r0 rate_s where high is bad, >= where low is."""

    bad: Bad
    most_gain: float
    mixture: Mixture
    grid: Ratios

    @classmethod
    def of(cls, bad: Bad, most_gain: float, later_steps: int, grid: Ratios | None = None) -> RateHarm:
        grid = grid or Ratios.of(alternatives(bad))
        return cls(bad, most_gain, Mixture.over(len(grid), later_steps), grid)

    def add(self, pair: Pair, ratio: float, phi: float, step: int) -> None:
        """One judged minute: l_j = min((E_c ln(q_{r0 g_j} / q_{r0}) + E_s ln((1 - q_{r0 g_j}) / (1 - q_{r0}))) / phi, c)."""
        self.mixture.add(pair.said(ratio, self.grid, phi), step, self.most_gain)

    @property
    def value(self) -> float:
        return self.mixture.value
