"""Latency followed minute by minute, without raw samples: how many requests were over thresholds that stable's past has set.

Source: shared/judge.md, "Latency without raw samples". "The canary is at most g times as slow, as a distribution" means that for any
threshold tau P(canary > g tau) <= P(stable > tau): a rate per slot, judged like any other, with r0 = 1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from sluice.core.judge.clearance import NEED, healthy
from sluice.core.judge.comparison import Comparison, Placed, later_steps
from sluice.core.judge.harm import alternatives
from sluice.core.judge.pair import Pair, Ratios
from sluice.core.judge.quality import tail_fault
from sluice.core.judge.rails import SLOW_PART, SLOW_VERSUS_STABLE, Rail
from sluice.core.judge.rate import RECENT_ROWS
from sluice.core.judge.recorded import Agreement, Disagreement
from sluice.core.observation import Tail, threshold_name
from sluice.core.policy import LatencyMetric, Policy

RAIL_QUANTILE = "p99"
_SAME = 1.0
"""The ratio of parts over a limit, when the limit itself is a multiple of stable's."""

_USUAL = threshold_name(RAIL_QUANTILE, _SAME)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The multiples of stable's quantiles that a slot's requests are counted over, by name."""

    canary: tuple[tuple[str, float], ...]
    stable: tuple[tuple[str, float], ...]


def thresholds(metric: LatencyMetric, margin: float | None) -> Thresholds:
    """Which (quantile, factor) each slot is counted over: what the judge of this step reads."""
    judged = [quantile for quantile, weight in metric.quantiles.items() if weight > 0]
    factors = [metric.terms.tolerate.ratio, *([margin] if margin is not None else [])]
    rail = [(RAIL_QUANTILE, metric.rail.versus_stable)] if metric.rail is not None else []
    beside = [*rail, (RAIL_QUANTILE, _SAME)] if rail else []
    canary = dict.fromkeys([*((q, factor) for q in judged for factor in factors), *rail])
    stable = dict.fromkeys([*((q, _SAME) for q in judged), *beside])
    return Thresholds(tuple(canary), tuple(stable))


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the thresholds of a step, by quantile; made once and not for each minute."""

    tolerated: Mapping[str, str]
    margin: Mapping[str, str]
    stable: Mapping[str, str]
    rail: str

    @classmethod
    def of(cls, metric: LatencyMetric, margin: float | None) -> Names:
        def by(factor: float) -> dict[str, str]:
            return {quantile: threshold_name(quantile, factor) for quantile in metric.quantiles}

        rail = metric.rail.versus_stable if metric.rail else 1.0
        proven = {} if margin is None else by(margin)
        return cls(by(metric.terms.tolerate.ratio), proven, by(1.0), threshold_name(RAIL_QUANTILE, rail))


@dataclass(slots=True)
class LatencyFollower:
    """State after the rows read so far."""

    name: str
    metric: LatencyMetric
    policy: Policy
    quantiles: dict[str, Comparison]
    weighted: tuple[tuple[float, Comparison], ...]
    """The same, with the weight of each quantile."""
    rail: Rail | None
    names: Names
    recent: deque[Pair] = field(default_factory=lambda: deque(maxlen=RECENT_ROWS))
    p90s: tuple[float, float] | None = None
    step: int | None = None
    margin: float | None = None
    cleared: bool = False
    uncounted: int = 0
    """Minutes in which both slots had requests, and no quantile was counted over its thresholds on both."""
    agreements: tuple[Agreement, Agreement] = field(default_factory=lambda: (Agreement("canary"), Agreement("stable")))
    is_recorded: bool = False
    """Whether the last minute was counted by the application's histogram."""

    @classmethod
    def of(cls, name: str, metric: LatencyMetric, policy: Policy) -> LatencyFollower:
        grid = Ratios.of(alternatives(metric.terms.bad))
        judged = {q: Comparison.of(policy, metric.terms, grid) for q, weight in metric.quantiles.items() if weight > 0}
        rail = None
        if metric.rail is not None:
            rail = Rail.of(SLOW_PART, SLOW_VERSUS_STABLE, later_steps(policy))
        weighted = tuple((metric.quantiles[q], comparison) for q, comparison in judged.items())
        return cls(name, metric, policy, judged, weighted, rail, Names.of(metric, None))

    def read(self, placed: Placed) -> None:
        """One row of the metric's own time; rows come in order, without a gap."""
        row, step = placed.row, placed.row.step
        if step != self.step:
            self._new_step(step)
        canary, stable = _usable(row.canary.tails.get(self.name)), _usable(row.stable.tails.get(self.name))
        if self.metric.histogram is not None and not row.is_change:
            canary, stable = self._checked(canary, stable)
        if self.name in row.canary.p90_us and self.name in row.stable.p90_us:
            self.p90s = row.canary.p90_us[self.name], row.stable.p90_us[self.name]
        self._read_rail(canary, stable, step, is_change=row.is_change)
        if row.is_change or canary is None or stable is None:
            return
        if placed.in_step * 60 < self.policy.judge.settle_seconds:
            return
        if canary.trials > 0 and stable.trials > 0:
            compared = [self._compare(q, comparison, canary, stable) for q, comparison in self.quantiles.items()]
            self.uncounted += not any(compared)
        if not self.cleared and any(c.proof is not None and c.proof.may_suffice for c in self.quantiles.values()):
            proof = self.proof
            self.cleared = proof is not None and proof >= NEED

    def _checked(self, canary: Tail | None, stable: Tail | None) -> tuple[Tail | None, Tail | None]:
        """The minute as it is, or nothing of it while the application's histogram and CloudWatch disagree about how much there was."""
        self.is_recorded = any(tail is not None and tail.answered is not None for tail in (canary, stable))
        for agreement, tail in zip(self.agreements, (canary, stable), strict=True):
            agreement.read(tail)
        return (canary, stable) if self.disagreement is None else (None, None)

    @property
    def disagreement(self) -> Disagreement | None:
        """The first slot whose histogram does not have the requests that CloudWatch counted."""
        return next((found for agreement in self.agreements if (found := agreement.disagreement())), None)

    def _new_step(self, step: int) -> None:
        self.step, self.cleared = step, False
        for agreement in self.agreements:
            agreement.read(None)
        self.margin = self.policy.steps[step].prove.get(self.name)
        self.names = Names.of(self.metric, self.margin)
        margin = None if self.margin is None else _SAME
        grid = Ratios.of(healthy(_SAME, self.metric.terms.bad))
        for comparison in self.quantiles.values():
            comparison.new_step(margin, grid)

    def _read_rail(self, canary: Tail | None, stable: Tail | None, step: int, *, is_change: bool) -> None:
        seen = Pair(*_over(canary, self.names.rail), *_over(stable, self.names.rail))
        self.recent.append(seen)
        if self.rail is not None:
            self.rail.add(seen, step, is_change=is_change, usual=_over(stable, _USUAL))

    def _compare(self, quantile: str, comparison: Comparison, canary: Tail, stable: Tail) -> bool:
        """Whether the minute was counted over the quantile's thresholds, and so judged."""
        slow, usual = canary.over.get(self.names.tolerated[quantile]), stable.over.get(self.names.stable[quantile])
        if slow is None or usual is None:
            return False
        pair = proving = Pair(canary.trials, slow, stable.trials, usual)
        if self.margin is None or self.cleared:
            comparison.add(pair, _SAME, self.step or 0, None)
            return True
        beyond = canary.over.get(self.names.margin[quantile])
        if beyond is not None:
            proving = Pair(canary.trials, beyond, stable.trials, usual)
        comparison.add(pair, _SAME, self.step or 0, proving)
        return True

    @property
    def value(self) -> float:
        """M: the weighted mean of the quantiles'."""
        found = 0.0
        for weight, comparison in self.weighted:
            found += weight * comparison.harm.mixture.value
        return found

    @property
    def proof(self) -> float | None:
        """K: the weighted mean of the quantiles'; None where nothing is to be proven."""
        if self.margin is None:
            return None
        return sum(weight * c.proof.value for weight, c in self.weighted if c.proof is not None)

    @property
    def worst(self) -> tuple[str, Comparison]:
        """The quantile with the most evidence of harm."""
        return max(self.quantiles.items(), key=lambda item: self.metric.quantiles[item[0]] * item[1].harm.value)


def _usable(tail: Tail | None) -> Tail | None:
    return tail if tail is not None and tail_fault(tail) is None else None


def _over(tail: Tail | None, key: str) -> tuple[float, float]:
    """Exposures and events over one threshold; a minute that was not counted over it shows nothing."""
    slow = None if tail is None else tail.over.get(key)
    return (0.0, 0.0) if tail is None or slow is None else (tail.trials, slow)
