"""One stream of minutes compared: harm, proof, dispersion and interval of a rate, of one of its segments, or of one quantile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sluice.core.judge.clearance import RatioProof
from sluice.core.judge.dispersion import HIGH_DISPERSION, LOW_DISPERSION, Dispersion, Scatter
from sluice.core.judge.harm import RateHarm, cap
from sluice.core.judge.interval import RatioInterval
from sluice.core.judge.pair import Pair, Ratios
from sluice.core.observation import Row
from sluice.core.policy import Bad, Policy, Terms
from sluice.core.weights import WHOLE


class Placed(NamedTuple):
    """A row, and where it stands: minutes since the first row of the rollout, and since the first row with its step's weight throughout.

    `in_step` -1: the weight was still changing.
    """

    row: Row
    minute: int
    in_step: int


def judged_steps(policy: Policy) -> int:
    """Steps that leave something to compare with."""
    return sum(step.weight_parts < WHOLE for step in policy.steps)


def later_steps(policy: Policy) -> int:
    return max(0, judged_steps(policy) - 1)


def first_dispersion(policy: Policy, bad: Bad, *, mean: bool = False) -> float:
    """phi0: given by the policy, or 2 for harm and latency and 1.2 for outcomes."""
    if policy.judge.dispersion is not None:
        return policy.judge.dispersion
    return LOW_DISPERSION if mean or bad is Bad.LOW else HIGH_DISPERSION


def gain_cap(policy: Policy, terms: Terms) -> float:
    return cap(policy.judge.false_rollback_budget, terms.share, policy.judge.sustain_seconds)


@dataclass(slots=True)
class Comparison:
    """Everything that is learnt from the judged minutes of one stream."""

    bad: Bad
    most_gain: float
    harm: RateHarm
    dispersion: Dispersion
    spread: RatioInterval
    proof: RatioProof | None = None
    minutes: int = 0
    canary_trials: float = 0.0
    canary_events: float = 0.0
    stable_trials: float = 0.0
    stable_events: float = 0.0

    @classmethod
    def of(cls, policy: Policy, terms: Terms, grid: Ratios | None = None) -> Comparison:
        """`grid` is shared by comparisons of the same requests."""
        most = gain_cap(policy, terms)
        start = first_dispersion(policy, terms.bad)
        harm = RateHarm.of(terms.bad, most, later_steps(policy), grid)
        return cls(terms.bad, most, harm, Dispersion(Scatter(start)), RatioInterval())

    def new_step(self, margin: float | None, grid: Ratios | None = None) -> None:
        """The split changed: what is proven is proven per step."""
        self.dispersion.new_step()
        self.proof = None if margin is None else RatioProof.of(margin, self.bad, self.most_gain, grid)

    def add(self, pair: Pair, ratio: float, step: int, proving: Pair | None) -> float:
        """One judged minute, `ratio` tolerated. The margin is proven with `proving`; None: there is nothing left to prove. Returns phi."""
        phi = self.dispersion.scatter.phi()
        self.harm.add(pair, ratio, phi, step)
        if proving is not None and self.proof is not None:
            self.proof.add(proving, phi)
        self.spread.add(pair, phi, step)
        self.dispersion.add(pair, phi)
        self.minutes += 1
        canary_trials, canary_events, stable_trials, stable_events = pair
        self.canary_trials += canary_trials
        self.canary_events += canary_events
        self.stable_trials += stable_trials
        self.stable_events += stable_events
        return phi

    @property
    def totals(self) -> Pair:
        return Pair(self.canary_trials, self.canary_events, self.stable_trials, self.stable_events)
