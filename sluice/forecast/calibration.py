"""What a rollout of nothing new shows: how alike identical variants are, how noisy their counts, how long a cold start lasts.

Canary and stable are the same model here, so that every difference is the world's. A tolerance below it would punish the world.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sluice.core.judge import Run
from sluice.core.judge.comparison import first_dispersion
from sluice.core.judge.latency import LatencyFollower
from sluice.core.judge.pair import Pair
from sluice.core.judge.rate import RateFollower
from sluice.core.observation import Row, threshold_name
from sluice.core.policy import Bad, LatencyMetric, Policy, RateMetric

_SURE = 2.5
"""Standard deviations: a difference smaller than so much noise is not one."""
_COLD_SURE = 3.0
_ROOM = 1.5
"""A tolerance needs half as much room again as the difference that was measured: it is one draw of many."""
_NOISY = 1.75
"""Times what the judge begins with: dispersion measured in one rollout of an hour or two lies within that by chance."""
_FEWEST_EVENTS = 30.0
_SETTLED_MINUTES = 5
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric. `ratio` is canary to stable in all, `sd` the uncertainty of its logarithm; `dispersion` is phi at the end.

    `tolerated` is what the policy tolerates now; `proposed` what it should at least; `refused` says why the policy's is too little.
    """

    metric: str
    minutes: int
    events: float
    ratio: float | None
    sd: float | None
    dispersion: float
    cold_minutes: int
    tolerated: float
    proposed: float | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """All metrics, the settle time that the longest cold start asks for, and the dispersion to begin with where counts are too noisy
    for what the judge begins with unasked.
    """

    metrics: tuple[Measured, ...]
    settle_minutes: int
    settle_refused: str | None
    dispersion: float | None
    dispersion_refused: str | None

    @property
    def refusals(self) -> tuple[str, ...]:
        found = [measured.refused for measured in self.metrics]
        return tuple(why for why in (*found, self.settle_refused, self.dispersion_refused) if why)


def calibrate(policy: Policy, rows: Sequence[Row]) -> Calibration:
    """Measure a rollout in which canary and stable are the same."""
    run = Run.of(policy).read(rows)
    followers = [f for f in run.followers if isinstance(f, RateFollower | LatencyFollower)]
    measured = tuple(_measure(policy, follower, rows) for follower in followers)
    cold = max((found.cold_minutes for found in measured), default=0)
    settle = policy.judge.settle_seconds / _MINUTE
    refused = None
    if cold > settle:
        refused = f"judge.settle: {settle:g} min, but the canary was cold for {cold} min after a weight change: use {cold + 1}m"
    return Calibration(measured, max(cold + 1, math.ceil(settle)), refused, *_noise(policy, measured))


def _noise(policy: Policy, measured: Sequence[Measured]) -> tuple[float | None, str | None]:
    """What `judge.dispersion` should be at least, and why. Latencies are not asked: what they scatter is learnt within minutes."""
    worst: tuple[float, Measured, float] | None = None
    for found in measured:
        metric = policy.metrics[found.metric]
        begins = first_dispersion(policy, metric.terms.bad)
        if isinstance(metric, RateMetric) and found.dispersion > _NOISY * begins:
            worst = max(worst or (0.0, found, begins), (found.dispersion, found, begins), key=lambda each: each[0])
    if worst is None:
        return None, None
    phi, found, begins = math.ceil(worst[0] * 2) / 2, worst[1], worst[2]
    return phi, (
        f"{found.metric}: counts scatter {found.dispersion:.1f} times as much as coins, and the judge begins with {begins:g}: "
        f"use judge.dispersion: {phi:g} (small harm is then seen later; `sluice forecast` shows when)"
    )


def _measure(policy: Policy, follower: RateFollower | LatencyFollower, rows: Sequence[Row]) -> Measured:
    comparison = follower.whole.comparison if isinstance(follower, RateFollower) else follower.worst[1]
    terms, phi = follower.metric.terms, comparison.dispersion.phi()
    pairs = list(_pairs(policy, follower, rows))
    cold = _cold_minutes(follower.name, rows, follower.metric)
    canary, stable = sum(pair.canary_events for pair in pairs), sum(pair.stable_events for pair in pairs)
    known = (follower.name, len(pairs), canary + stable, phi, cold, terms.tolerate.ratio)
    ratio, sd = None, None
    if min(canary, stable) >= _FEWEST_EVENTS:
        ratio, sd = _common_ratio(pairs), math.sqrt(phi * (1 / canary + 1 / stable))
    return _weighed(known, ratio, sd, terms.bad, is_latency=isinstance(follower, LatencyFollower))


def _pairs(policy: Policy, follower: RateFollower | LatencyFollower, rows: Sequence[Row]) -> Iterator[Pair]:
    """The minutes that the judge compares: rates after the warm-up, a latency's worst quantile after each settle time."""
    began, step = rows[0].at, rows[0].step
    for row in rows:
        if row.step != step:
            began, step = row.at, row.step
        if isinstance(follower, RateFollower):
            counts = row.canary.rates.get(follower.name), row.stable.rates.get(follower.name)
            if counts[0] and counts[1] and row.at - rows[0].at >= policy.judge.warmup_seconds:
                yield Pair(counts[0].trials, counts[0].events, counts[1].trials, counts[1].events)
            continue
        quantile, factor = follower.worst[0], follower.metric.terms.tolerate.ratio
        tails = row.canary.tails.get(follower.name), row.stable.tails.get(follower.name)
        if tails[0] and tails[1] and row.at - began >= policy.judge.settle_seconds:
            over = tails[0].over.get(threshold_name(quantile, factor)), tails[1].over.get(threshold_name(quantile, 1.0))
            if over[0] is not None and over[1] is not None:
                yield Pair(tails[0].trials, over[0], tails[1].trials, over[1])


def _common_ratio(pairs: Sequence[Pair]) -> float:
    """Canary to stable, weighted minute by minute: sums over minutes of different splits would mix up time and slot.

    Source: Mantel and Haenszel (1959), for rates.
    """
    above = below = 0.0
    for pair in pairs:
        both = pair.canary_trials + pair.stable_trials
        if both:
            above += pair.canary_events * pair.stable_trials / both
            below += pair.stable_events * pair.canary_trials / both
    return above / below


def _weighed(
    known: tuple[str, int, float, float, int, float],
    ratio: float | None,
    sd: float | None,
    bad: Bad,
    *,
    is_latency: bool,
) -> Measured:
    """Compares the measured difference with what is tolerated. Latency is counted over tolerated thresholds, so 1 is the limit.

    Which of two identical variants was the canary is chance: a difference that is good for it counts as much as one that is bad.
    """
    name, minutes, events, phi, cold, tolerated = known
    proposed, refused = None, None
    if ratio is not None and sd is not None:
        limit = 1.0 if is_latency else tolerated
        off = math.log(ratio)
        room = math.log(limit) if bad is Bad.HIGH else -math.log(limit)
        if not is_latency:
            needed = _ROOM * max(0.0, abs(math.log(ratio)) - sd)
            proposed = math.exp(needed if bad is Bad.HIGH else -needed)
        sure = off - _SURE * sd if is_latency else _ROOM * (abs(off) - _SURE * sd)
        if sure > room:
            refused = _refusal(name, ratio, tolerated, proposed)
    return Measured(name, minutes, events, ratio, sd, phi, cold, tolerated, proposed, refused)


def _refusal(name: str, ratio: float, tolerated: float, proposed: float | None) -> str:
    if proposed is None:
        return f"{name}: {tolerated:g} times stable's latency is tolerated, but identical variants are slower than that: use more"
    return (
        f"{name}: a ratio of {tolerated:g} is tolerated, but identical variants differ by {ratio:.3f}, and next time by more: "
        f"use {{ratio: {proposed:.3f}}} at least"
    )


def _cold_minutes(name: str, rows: Sequence[Row], metric: object) -> int:
    """The longest time after a weight change in which the canary shows clearly more slow requests than it does later."""
    if not isinstance(metric, LatencyMetric):
        return 0
    key = threshold_name(max(metric.quantiles, key=lambda q: metric.quantiles[q]), metric.terms.tolerate.ratio)
    return max(
        (_cold_of_step(list(_slow(name, key, list(step)))) for _, step in groupby(rows, lambda r: r.step)), default=0
    )


def _slow(name: str, key: str, rows: list[Row]) -> Iterator[tuple[float, float]]:
    """Requests and slow ones of the canary, minute by minute; (0, 0) where nothing is known."""
    for row in rows:
        tail = row.canary.tails.get(name)
        yield (tail.trials, tail.over[key]) if tail is not None and key in tail.over else (0.0, 0.0)


def _cold_of_step(minutes: list[tuple[float, float]]) -> int:
    """Minutes from the step's begin up to the last one in an unbroken run that is above the later ones by three deviations."""
    later = minutes[_SETTLED_MINUTES:] or minutes
    trials, slow = sum(n for n, _ in later), sum(e for _, e in later)
    if not trials:
        return 0
    usual, count = slow / trials, 0
    for n, e in minutes:
        if e - n * usual <= _COLD_SURE * math.sqrt(2 * n * usual + 1):
            break
        count += 1
    return count
