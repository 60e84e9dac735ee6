"""What is said about one metric: its word, its sentence with the numbers, its evidence. `run` says which of them counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from sluice.core.judge.clearance import NEED as PROOF_NEED
from sluice.core.judge.comparison import Comparison
from sluice.core.judge.harm import SHOWN_SHARE
from sluice.core.judge.interval import Interval
from sluice.core.judge.latency import LatencyFollower
from sluice.core.judge.level import LevelFollower
from sluice.core.judge.means import MeanFollower, mean
from sluice.core.judge.pair import Pair
from sluice.core.judge.rails import NEED as RAIL_NEED
from sluice.core.judge.rails import WINDOW_MINUTES
from sluice.core.judge.rate import RateFollower
from sluice.core.judge.recorded import Disagreement
from sluice.core.judge.verdict import Evidence, Finding, Word
from sluice.core.judge.wording import against, evidence, percent, rate, times, whole
from sluice.core.policy import LatencyMetric

Compared = RateFollower | LatencyFollower | MeanFollower
Follower = Compared | LevelFollower


@dataclass(frozen=True, slots=True)
class Stakes:
    """What the run knows and a metric does not: what rolls back, the evidence of all together when it did, who is to blame for it.

    `step` is the one in progress, which may have no row yet, and `margins` what it has to prove.
    """

    need: float
    crossed_at: float
    blamed: str | None
    has_control: bool
    step: int
    margins: Mapping[str, float]
    requests: str | None


def finding(follower: Follower, stakes: Stakes) -> Finding:
    """The finding on one metric, observed or not."""
    match follower:
        case RateFollower():
            return _rate(follower, stakes)
        case LatencyFollower():
            return _latency(follower, stakes)
        case MeanFollower():
            return _mean(follower, stakes)
        case LevelFollower():
            return _level(follower)
        case _:
            assert_never(follower)


def _rate(follower: RateFollower, stakes: Stakes) -> Finding:
    metric, stream = follower.metric, follower.whole
    made = _Made(follower.name, _evidence(follower, stream.comparison, stakes, stream.ratio, stream.phi))
    recent = _pooled(follower.recent)
    if follower.rail is not None and metric.rail is not None:
        limits = f"its rail of {percent(metric.rail.rate)} and {metric.rail.versus_stable:g}x"
        if follower.rail.is_crossed:
            shown = against(recent) if stakes.has_control else rate(recent.canary_trials, recent.canary_events)
            return made(Word.HARMFUL, f"{shown}, over {limits}, {evidence(follower.rail.most, RAIL_NEED)}", hard=True)
        if stakes.has_control and follower.rail.stable_is_over:
            return made(Word.SHARED, f"stable itself is over {limits}: {against(recent)}")
    if not stakes.has_control and stakes.blamed != follower.name:
        return made(Word.CLEARED, rate(recent.canary_trials, recent.canary_events))
    if stakes.blamed != follower.name and (unseen := _unseen(follower, stakes)):
        return made(Word.UNPROVEN, unseen)
    return made.compared(stakes, against(stream.comparison.totals), follower)


def _unseen(follower: RateFollower, stakes: Stakes) -> str | None:
    """Silence is not health: the endpoint's requests must keep coming, and an outcome must have been reported at all."""
    if follower.name == stakes.requests:
        latest = list(follower.recent)[-WINDOW_MINUTES:]
        if any(pair.canary_trials for pair in latest):
            return None
        when = f"in the last {WINDOW_MINUTES} minutes" if follower.was_seen else "counted so far"
        return f"not seen: no canary requests {when}"
    return (
        None
        if follower.was_seen or follower.metric.terms.lag_seconds
        else "not seen: nothing was reported of the canary"
    )


def _latency(follower: LatencyFollower, stakes: Stakes) -> Finding:
    metric, (quantile, worst) = follower.metric, follower.worst
    tolerated = metric.terms.tolerate.ratio
    found = _evidence(follower, worst, stakes, tolerated, worst.dispersion.phi())
    made = _Made(follower.name, found, _uncounted(metric)) if follower.uncounted else _Made(follower.name, found)
    speed = _p90s(follower.p90s)
    if metric.rail is not None and follower.rail is not None and follower.rail.is_crossed:
        over = f"{speed}over {metric.rail.versus_stable:g}x stable's p99{_source(follower)}: {against(_pooled(follower.recent))}"
        return made(Word.HARMFUL, f"{over}, {evidence(follower.rail.most, RAIL_NEED)}", hard=True)
    if not stakes.has_control and stakes.blamed != follower.name:
        return made(Word.CLEARED, "not compared: no stable traffic")
    if stakes.blamed != follower.name and (found_of := follower.disagreement):
        return made(Word.NO_DATA, _disagreeing(found_of, metric))
    numbers = f"{speed}over {tolerated:g}x stable's {quantile}{_source(follower)}: {against(worst.totals)}"
    return made.compared(stakes, numbers, follower)


def _source(follower: LatencyFollower) -> str:
    """Who counted the last minute; said where the policy leaves more than one."""
    if follower.metric.histogram is None:
        return ""
    return " as the application recorded it" if follower.is_recorded else " as CloudWatch counted it"


def _disagreeing(found: Disagreement, metric: LatencyMetric) -> str:
    assert metric.histogram is not None
    return (
        f"not compared: in the last {found.minutes} min the application recorded {whole(found.recorded)} latencies of {found.slot}, "
        f"and CloudWatch counts {whole(found.answered)} answered requests ({metric.histogram.total_name} against Invocations less "
        "errors): one for each answer is needed"
    )


def _uncounted(metric: LatencyMetric) -> str:
    histogram = metric.histogram
    missing = "" if histogram is None else f", nor does {histogram.name} of the application"
    return (
        f"not compared: requests are seen, but CloudWatch does not count them over any limit{missing} (no trimmed counts, or no "
        "latencies of stable in the hour before)"
    )


def _mean(follower: MeanFollower, stakes: Stakes) -> Finding:
    canary, stable, terms = follower.canary, follower.stable, follower.metric.terms
    values = (mean(canary) if canary.count else None, mean(stable) if stable.count else None)
    interval = follower.interval()
    found = Evidence(
        canary.count, canary.sum, stable.count, stable.sum, *values, interval.ratio, interval.low, interval.high,
        weight_of_harm(follower), stakes.need, terms.tolerate.ratio, follower.phi, follower.proof, PROOF_NEED,
        follower.margin, follower.minutes, terms.observe,
    )  # fmt: skip
    made = _Made(follower.name, found)
    if not stakes.has_control and stakes.blamed != follower.name:
        return made(Word.CLEARED, "not compared: no stable traffic")
    shown, beside = (
        "nothing" if value is None else f"{value:.4g} (mean of {side.count:,.0f})"
        for value, side in zip(values, (canary, stable), strict=True)
    )
    return made.compared(stakes, f"{shown} against {beside}", follower)


def _level(follower: LevelFollower) -> Finding:
    metric, observed = follower.metric, follower.metric.terms.observe
    canary = follower.canary[-1] if follower.canary else None
    side = "above" if metric.terms.bad == "high" else "below"
    limit = f"{side} {metric.rail.level:g} for {metric.rail.for_seconds // 60} min"
    if follower.crossed:
        return Finding(
            follower.name, Word.HARMFUL, f"was {limit} and stable was not", None, hard=True, observed=observed
        )
    if follower.is_beyond:
        return Finding(follower.name, Word.SHARED, f"{limit}, and stable too", observed=observed)
    shown = "not seen" if canary is None else f"{canary:g}"
    return Finding(follower.name, Word.CLEARED, f"{shown}, rail {limit}", observed=observed)


def weight_of_harm(follower: Compared) -> float:
    """The metric's part of the evidence: share times M. One without a share is shown as if it had a tenth."""
    return (follower.metric.terms.share or SHOWN_SHARE) * follower.value


@dataclass(frozen=True, slots=True)
class _Made:
    """Findings on one metric with its evidence."""

    name: str
    found: Evidence
    idle: str = "not compared yet"
    """What is said while no minute was judged."""

    def __call__(self, word: Word, numbers: str, *, hard: bool = False, waivable: bool = False) -> Finding:
        return Finding(self.name, word, numbers, self.found, hard, self.found.observed, waivable)

    def compared(self, stakes: Stakes, numbers: str, follower: Compared) -> Finding:
        """By comparison: harmful, not proven yet, or clear; with the ratio where there is one."""
        found, margin = self.found, stakes.margins.get(self.name)
        interval = Interval(found.ratio, found.low or 0.0, found.high)
        shown = f"{numbers}{times(interval)}" if found.minutes else self.idle
        if stakes.blamed == self.name:
            return self(Word.HARMFUL, f"{shown}, {evidence(stakes.crossed_at, stakes.need)}")
        if found.observed and found.weight_of_harm >= found.need:
            return self(Word.HARMFUL, f"{shown}, {evidence(found.weight_of_harm, found.need)}, only observed")
        is_current = follower.step == stakes.step
        if margin is not None and not (follower.cleared and is_current):
            proof = found.proof if found.proof is not None and is_current else 0.0
            lacking = f"{shown}, {margin:g}x not ruled out: {evidence(proof, PROOF_NEED)}"
            return self(Word.UNPROVEN, lacking, waivable=True)
        return self(Word.CLEARED, shown)


def _evidence(
    follower: RateFollower | LatencyFollower, comparison: Comparison, stakes: Stakes, tolerated: float, phi: float
) -> Evidence:
    pair = comparison.totals
    interval = comparison.spread.interval() if comparison.minutes else Interval(None, 0.0, None)
    return Evidence(
        pair.canary_trials, pair.canary_events, pair.stable_trials, pair.stable_events,
        pair.canary_events / pair.canary_trials if pair.canary_trials else None,
        pair.stable_events / pair.stable_trials if pair.stable_trials else None,
        interval.ratio, interval.low, interval.high, weight_of_harm(follower), stakes.need, tolerated, phi,
        follower.proof, PROOF_NEED, follower.margin, comparison.minutes, follower.metric.terms.observe,
    )  # fmt: skip


def _pooled(pairs: deque[Pair]) -> Pair:
    return Pair(
        sum(p.canary_trials for p in pairs),
        sum(p.canary_events for p in pairs),
        sum(p.stable_trials for p in pairs),
        sum(p.stable_events for p in pairs),
    )


def _p90s(pair: tuple[float, float] | None) -> str:
    return "" if pair is None else f"p90 {pair[0] / 1000:.0f} ms against {pair[1] / 1000:.0f} ms, "
