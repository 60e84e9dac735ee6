"""The largest weight whose worst case stays within `harm_budget`: excess bad requests before harm is seen and taken back.

Decides a number from the policy, the rows and the traffic; when a step begins is `ascent`'s. Source of the parts: shared/judge.md
("damage is a near-constant number of bad requests; the split decides how long it takes"), the judge's own increments and intervals.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sluice.core.decision import BAKE_SECONDS
from sluice.core.judge import Run
from sluice.core.judge.comparison import gain_cap, later_steps
from sluice.core.judge.harm import WORSE, tolerated
from sluice.core.judge.pair import Pair, Ratios
from sluice.core.judge.prior import LATER_STEPS
from sluice.core.judge.rails import NEED, PHI
from sluice.core.judge.rate import RateFollower, counts_or_none
from sluice.core.observation import Row
from sluice.core.policy import Bad, Metric, Policy, RateMetric, RateRail, Step
from sluice.core.weights import WHOLE

RECENT_ROWS = 60
"""Traffic is that of the busiest minute of the last hour: a budget that only holds at night is none."""
_ALTERNATIVES = len(WORSE)
_MINUTE = 60
_ALMOST_ALL = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Known:
    """One rate before a step: exposures a minute on both slots together, stable's rate, the dispersion, and how many times stable's
    rate the canary's may still be by its time-uniform 95 % interval (infinite: not bounded yet).
    """

    metric: RateMetric
    trials: float
    rate: float
    phi: float
    most_ratio: float


@dataclass(frozen=True, slots=True)
class Limit:
    """The weight a step may have, in parts, and its worst case in excess bad requests (None: traffic is not known)."""

    parts: int
    excess: float | None


def limit(policy: Policy, step: Step, rows: tuple[Row, ...], rps: float | None) -> Limit | None:
    """The largest weight up to the step's own whose worst case is within the budget, never below one part (0.01 %).

    None where nothing limits: no budget, the last step (which has no other weight than 100), or no rate of which high is bad.
    `rps` is all traffic, for the time before there are rows; with neither the worst case is not known, and one part is all.
    """
    budget = policy.harm_budget
    if budget is None or step.weight_parts == WHOLE:
        return None
    rates = list(_known(policy, rows, rps))
    if not rates:
        return None
    if not all(known.trials for known in rates):
        return Limit(1, None)

    def worst(parts: int) -> float:
        return max(excess(policy, step, known, parts / WHOLE) for known in rates)

    low, high = 1, step.weight_parts
    if worst(high) <= budget:
        return Limit(high, worst(high))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if worst(middle) <= budget else (low, middle)
    return Limit(low, worst(low))


def is_counted(metric: Metric) -> bool:
    """Whether its events are the bad requests of the budget: a rate of which high is bad, with a share, not only observed."""
    terms = metric.terms
    return isinstance(metric, RateMetric) and terms.bad is Bad.HIGH and terms.share > 0 and not terms.observe


def excess(policy: Policy, step: Step, known: Known, share: float) -> float:
    """Bad requests more than stable would have had, in the worst case that the evidence leaves open; grows with `share`.

    max over r of  n w p (r - 1) (min(d(r, w), longest bake) + b)
        n  exposures a minute, w the canary's share, p stable's rate (r p at most 1)
        r  the tolerated ratio times the judge's alternatives, total failure, and the interval's upper end; none beyond that end
        d  minutes of average evidence until the rail or the budget of false rollbacks is crossed (`_minutes`)
        b  minutes until it is known and undone: data lag, the pace of looks, `rollback.target`
    """
    null = tolerated(known.metric.terms.tolerate, Bad.HIGH, known.rate)
    worst = min(known.most_ratio, 1 / known.rate)
    ratios = [ratio for g in WORSE if (ratio := null * g) < worst]
    blind = (policy.judge.data_lag_seconds + BAKE_SECONDS + policy.rollback.target_seconds) / _MINUTE
    found = 0.0
    for ratio in (*ratios, worst) if worst > null else ():
        seen = min(_minutes(policy, known, share, ratio, null), max(1.0, step.bake_max_seconds / _MINUTE))
        found = max(found, known.trials * share * known.rate * (ratio - 1) * (seen + blind))
    return found


def _known(policy: Policy, rows: tuple[Row, ...], rps: float | None) -> Iterator[Known]:
    """Every rate that counts. No trials: the traffic is not known."""
    for follower in Run.of(policy).read(rows).enforced:
        if not isinstance(follower, RateFollower) or not is_counted(follower.metric):
            continue
        compared = follower.whole.comparison
        high = compared.spread.interval().high if compared.minutes else None
        seen = max((_trials(follower.name, row) for row in rows[-RECENT_ROWS:]), default=0.0)
        trials = seen or (rps or 0.0) * _MINUTE
        ratio = math.inf if high is None else high
        yield Known(follower.metric, trials, follower.whole.baseline.rate(), compared.dispersion.phi(), ratio)


def _trials(name: str, row: Row) -> float:
    found = (counts_or_none(side.rates.get(name)) for side in (row.canary, row.stable))
    return sum(counts.trials for counts in found if counts is not None)


def _minutes(policy: Policy, known: Known, share: float, ratio: float, null: float) -> float:
    """Minutes of counts that are exactly what is expected until the canary is taken back; at least one, infinite if never.

    Harm that begins with the step: its part of the prior is the later steps', and warm-up is waited for.
    """
    terms = known.metric.terms
    began = LATER_STEPS / max(1, later_steps(policy))
    canary, stable = known.trials * share, known.trials * (1 - share)
    bad = min(1.0, known.rate * ratio)
    pair = Pair(canary, canary * bad, stable, stable * known.rate)
    soft = max(min(gain / known.phi, gain_cap(policy, terms)) for gain in pair.log_odds(null, Ratios.of(WORSE)))
    need = math.log(_ALTERNATIVES / (began * policy.judge.false_rollback_budget * terms.share))
    minutes = need / soft + policy.judge.warmup_seconds / _MINUTE if soft > 0 else math.inf
    hard = _rail_gain(known.metric.rail, canary, bad, known.rate)
    if hard > 0:
        minutes = min(minutes, math.log(NEED * _ALTERNATIVES / began) / hard)
    return max(1.0, minutes)


def _rail_gain(rail: RateRail | None, canary: float, bad: float, stable_rate: float) -> float:
    """Nats a minute against the rail: n KL(bad || limit) / phi; 0 where the rail is not crossed."""
    null = 1.0 if rail is None else max(rail.rate, rail.versus_stable * stable_rate)
    if bad <= null:
        return 0.0
    sure = min(bad, _ALMOST_ALL)
    return canary * (sure * math.log(sure / null) + (1 - sure) * math.log((1 - sure) / (1 - null))) / PHI
