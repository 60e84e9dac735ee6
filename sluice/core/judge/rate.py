"""A rate followed minute by minute: harm by comparison, the rail, the proof of a margin, and its segments."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sluice.core.judge.clearance import NEED, RarityProof
from sluice.core.judge.comparison import Comparison, Placed, later_steps
from sluice.core.judge.harm import Baseline, tolerated
from sluice.core.judge.pair import Pair
from sluice.core.judge.quality import counts_fault
from sluice.core.judge.rails import Rail
from sluice.core.observation import Counts
from sluice.core.policy import Bad, Policy, RateMetric

SEGMENTS = 10
"""So many values of a dimension are judged, the first to appear: their number has to be fixed before, for the evidence to be valid."""
RECENT_ROWS = 5
_NOTHING = Counts(0.0, 0.0)


@dataclass(slots=True)
class Stream:
    """The counts of one rate, all together or of one segment: its comparison and stable's rate as earlier minutes had it."""

    comparison: Comparison
    baseline: Baseline = field(default_factory=Baseline)
    rarity: RarityProof | None = None
    cleared: bool = False
    """The step's margin is proven: latched until the next step."""
    ratio: float = 1.0
    phi: float = 1.0

    def new_step(self, margin: float | None, absolute: float) -> None:
        self.comparison.new_step(margin)
        self.cleared = False
        rare = margin is not None and self.comparison.bad is Bad.HIGH
        self.rarity = RarityProof.of(margin, absolute, self.comparison.most_gain) if margin and rare else None

    def add(self, metric: RateMetric, pair: Pair, step: int, *, judged: bool, has_stable: bool) -> None:
        """One row. Stable's past is not forgotten over rows that say nothing about it. What is proven needs no more proof."""
        canary_trials, canary_events, stable_trials, stable_events = pair
        if judged and canary_trials > 0 and stable_trials > 0:
            rate = self.baseline.rate()
            self.ratio = tolerated(metric.terms.tolerate, metric.terms.bad, rate)
            self.phi = self.comparison.add(pair, self.ratio, step, None if self.cleared else pair)
            if self.rarity is not None and not self.cleared:
                self.rarity.add(canary_trials, canary_events, rate, self.phi)
            if not self.cleared and self._may_be_proven:
                self.cleared = (self.proof or 0.0) >= NEED
        if has_stable:
            self.baseline.add(stable_trials, stable_events)

    @property
    def _may_be_proven(self) -> bool:
        """Whether it is worth while to ask for the proof."""
        by_ratio, by_rarity = self.comparison.proof, self.rarity
        return (by_ratio is not None and by_ratio.may_suffice) or (by_rarity is not None and by_rarity.may_suffice)

    @property
    def proof(self) -> float | None:
        """The better of the two proofs of this step's margin; None where nothing is to be proven."""
        if self.comparison.proof is None:
            return None
        return max(self.comparison.proof.value, self.rarity.value if self.rarity else 0.0)


@dataclass(slots=True)
class RateFollower:
    """State after the rows read so far."""

    name: str
    metric: RateMetric
    policy: Policy
    whole: Stream
    rail: Rail | None
    segments: dict[str, Stream] = field(default_factory=dict)
    recent: deque[Pair] = field(default_factory=lambda: deque(maxlen=RECENT_ROWS))
    step: int | None = None
    margin: float | None = None
    was_seen: bool = False

    @classmethod
    def of(cls, name: str, metric: RateMetric, policy: Policy) -> RateFollower:
        rail = None
        if metric.rail is not None:
            rail = Rail.of(metric.rail.rate, metric.rail.versus_stable, later_steps(policy))
        return cls(name, metric, policy, Stream(Comparison.of(policy, metric.terms)), rail)

    def read(self, placed: Placed) -> None:
        """One row of the metric's own time; rows come in order, without a gap."""
        row, step = placed.row, placed.row.step
        if step != self.step:
            self._new_step(step)
        canary = counts_or_none(row.canary.rates.get(self.name))
        stable = counts_or_none(row.stable.rates.get(self.name))
        seen = paired(canary, stable)
        self.recent.append(seen)
        self.was_seen = self.was_seen or seen.canary_trials > 0
        if self.rail is not None:
            self.rail.add(seen, step, is_change=row.is_change)
        judged = not row.is_change and placed.minute * 60 >= self.policy.judge.warmup_seconds
        self.whole.add(self.metric, seen, step, judged=judged, has_stable=stable is not None)
        if self.metric.terms.segment is not None:
            self._segments(placed, judged)

    def _new_step(self, step: int) -> None:
        self.step = step
        self.margin = self.policy.steps[step].prove.get(self.name)
        self.whole.new_step(self.margin, self.metric.terms.tolerate.absolute)
        for stream in self.segments.values():
            stream.new_step(None, 0.0)

    def _segments(self, placed: Placed, judged: bool) -> None:
        row = placed.row
        canary, stable = row.canary.segments.get(self.name, {}), row.stable.segments.get(self.name, {})
        for value in sorted(canary.keys() | stable.keys()):
            if value not in self.segments and len(self.segments) < SEGMENTS:
                self.segments[value] = Stream(Comparison.of(self.policy, self.metric.terms))
        for value, stream in self.segments.items():
            beside = counts_or_none(stable.get(value))
            pair = paired(counts_or_none(canary.get(value)), beside)
            stream.add(self.metric, pair, row.step, judged=judged, has_stable=beside is not None)

    @property
    def value(self) -> float:
        """M: of all together, and half of it of the segments where there are any to judge."""
        whole = self.whole.comparison.harm.mixture.value
        if self.metric.terms.segment is None:
            return whole
        parts = [stream.comparison.harm.value for stream in self.segments.values()]
        return 0.5 * whole + 0.5 * (sum(parts) + SEGMENTS - len(parts)) / SEGMENTS

    @property
    def proof(self) -> float | None:
        return self.whole.proof

    @property
    def cleared(self) -> bool:
        return self.whole.cleared


def counts_or_none(counts: Counts | None) -> Counts | None:
    """Impossible counts are no measurement: the minute stays missing, and data quality names it."""
    return counts if counts is not None and counts_fault(counts) is None else None


def paired(canary: Counts | None, stable: Counts | None) -> Pair:
    """Both slots' counts; what is missing shows nothing."""
    c, s = canary or _NOTHING, stable or _NOTHING
    return Pair(c.trials, c.events, s.trials, s.events)
