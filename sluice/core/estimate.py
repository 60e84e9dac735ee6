"""What a policy can prove with a traffic, estimated from means alone: for places that cannot simulate, such as `pulumi up`.

Uses the judge's own increments, on counts that are exactly what is expected. `sluice forecast` simulates, and is right where both differ.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator

from sluice.core.judge.clearance import NEED, healthy
from sluice.core.judge.comparison import first_dispersion, gain_cap
from sluice.core.judge.harm import WORSE, tolerated
from sluice.core.judge.pair import Pair, Ratios
from sluice.core.judge.prior import FIRST
from sluice.core.policy import Bad, Policy, RateMetric, Step
from sluice.core.proofs import unproven
from sluice.core.rollout import Estimate
from sluice.core.weights import WHOLE, percent_text

ERROR_RATE = 0.002
"""Taken for good times where nobody knows better."""
MOST_INCREASE = 50.0
_CAUGHT_Z = 1.28
"""Nine of ten canaries show at least the mean less so many standard deviations."""
_ORDINARY_NOISE, _LEARNT_MINUTES, _PRIOR_MINUTES = 1.3, 20, 10
"""What the dispersion comes to by the time it matters: twenty minutes of ordinary noise on the prior's ten."""
_ALTERNATIVES_THAT_FIT = 2
"""Of a grid, so many explain what is seen about equally well."""
_HALVINGS = 40
_MINUTE = 60


def estimate(policy: Policy, rps: float, error_rate: float = ERROR_RATE) -> Estimate | None:
    """None for a policy that compares no rate of errors, or has no step below 100."""
    errors = next(((name, m) for name, m in policy.metrics.items() if _is_errors(m)), None)
    steps = [step for step in policy.steps if step.weight_parts < WHOLE]
    if errors is None or not steps:
        return None
    name, metric = errors
    assert isinstance(metric, RateMetric)
    proofs = [_proof_minutes(policy, metric, step, step.prove.get(name), rps, error_rate) for step in steps]
    watched = [_watched_minutes(policy, step, proof) for step, proof in zip(steps, proofs, strict=True)]
    unproven = tuple(
        number
        for number, (step, proof) in enumerate(zip(steps, proofs, strict=True), 1)
        if _known_minutes(policy, proof) * _MINUTE > step.bake_max_seconds
    )
    return Estimate(rps, error_rate, sum(watched), unproven, _smallest(policy, metric, steps, watched, rps, error_rate))


def headline(estimated: Estimate) -> str:
    """The estimate as one line."""
    caught = (
        f"error increases from x{estimated.smallest_increase:.2g} are caught in nine of ten cases"
        if estimated.smallest_increase is not None
        else f"no error increase up to x{MOST_INCREASE:g} is caught reliably"
    )
    return (
        f"at {estimated.rps:g} requests/s a good release takes about {estimated.minutes} min of steps and {caught} "
        f"(estimated; errors {100 * estimated.error_rate:g} % in good times)"
    )


def warnings(policy: Policy, estimated: Estimate) -> Iterator[str]:
    """One line for each step that can prove nothing about errors, and for each other margin that cannot be proven."""
    for number in estimated.unproven:
        step = policy.steps[number - 1]
        yield (
            f"step {number} ({percent_text(step.weight_parts)}) can prove nothing at {estimated.rps:g} requests/s: its longest bake "
            f"of {step.bake_max_seconds // _MINUTE} min is over before its margin on errors can be ruled out"
        )
    for found in unproven(policy, estimated.rps):
        step = policy.steps[found.step]
        yield (
            f"step {found.step + 1} ({percent_text(step.weight_parts)}) cannot rule out {found.margin:g}x on {found.metric} at "
            f"{estimated.rps:g} requests/s: {found.minutes} min of its longest bake of {step.bake_max_seconds // _MINUTE} min can be judged"
        )


def _is_errors(metric: object) -> bool:
    return isinstance(metric, RateMetric) and metric.terms.bad is Bad.HIGH and metric.terms.share > 0


def _pair(step: Step, rps: float, rate: float, ratio: float) -> Pair:
    """One minute as it is on average, when the canary has `ratio` times stable's errors."""
    share = step.weight_parts / WHOLE
    canary, stable = rps * _MINUTE * share, rps * _MINUTE * (1 - share)
    return Pair(canary, canary * min(1.0, rate * ratio), stable, stable * rate)


def _proof_minutes(
    policy: Policy, metric: RateMetric, step: Step, margin: float | None, rps: float, rate: float
) -> int:
    """Judged minutes until the margin is proven for a release that is exactly as good. 0 without a margin."""
    if margin is None:
        return 0
    pair, phi = _pair(step, rps, rate, 1.0), _dispersion(policy)
    grid = healthy(margin, Bad.HIGH)
    cap = gain_cap(policy, metric.terms)
    shares = Ratios.of(tuple(other / margin for other in grid))
    nats = max(min(gain / phi, cap) for gain in pair.log_odds(margin, shares))
    return math.ceil(math.log(NEED * len(grid) / _ALTERNATIVES_THAT_FIT) / nats)


def _dispersion(policy: Policy) -> float:
    learnt = _PRIOR_MINUTES * first_dispersion(policy, Bad.HIGH) + _LEARNT_MINUTES * _ORDINARY_NOISE
    return learnt / (_PRIOR_MINUTES + _LEARNT_MINUTES)


def _known_minutes(policy: Policy, judged: int) -> int:
    """From the step's weight to the look that knows so many judged minutes."""
    return judged + math.ceil(policy.judge.data_lag_seconds / _MINUTE) + 1 if judged else 0


def _watched_minutes(policy: Policy, step: Step, proof: int) -> int:
    longest = step.bake_max_seconds // _MINUTE
    return max(math.ceil(step.bake_min_seconds / _MINUTE), min(longest, _known_minutes(policy, proof)))


def _smallest(
    policy: Policy, metric: RateMetric, steps: list[Step], watched: list[int], rps: float, rate: float
) -> float | None:
    """By halving: more harm is never harder to see."""

    def caught(factor: float) -> bool:
        return _is_caught(policy, metric, steps, watched, (rps, rate), factor)

    if not caught(MOST_INCREASE):
        return None
    low, high = 1.0, MOST_INCREASE
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if caught(middle) else (middle, high)
    return high


def _is_caught(
    policy: Policy,
    metric: RateMetric,
    steps: list[Step],
    watched: list[int],
    traffic: tuple[float, float],
    factor: float,
) -> bool:
    """Whether nine of ten rollouts reach the need by the end of some step: mean evidence less 1.28 standard deviations.

    Var(l) = E_c (ln g)^2 / phi for one minute, because E_c is phi times as dispersed as a Poisson count and l is divided by phi.
    """
    rps, rate = traffic
    phi, cap = _dispersion(policy), gain_cap(policy, metric.terms)
    null = tolerated(metric.terms.tolerate, Bad.HIGH, rate)
    need = math.log(
        len(WORSE) / _ALTERNATIVES_THAT_FIT / (FIRST * policy.judge.false_rollback_budget * metric.terms.share)
    )
    pairs = [_pair(step, rps, rate, factor) for step in steps]
    for g in WORSE:
        gains = [pair.log_odds(null, Ratios.of((g,)))[0] / phi for pair in pairs]
        spreads = [pair.canary_events * math.log(g) ** 2 / phi for pair in pairs]
        for judged in _judged_minutes(policy, watched):
            mean = sum(map(operator.mul, judged, gains))
            least = mean - _CAUGHT_Z * math.sqrt(sum(map(operator.mul, judged, spreads)))
            if min(least, cap * sum(judged)) >= need:
                return True
    return False


def _judged_minutes(policy: Policy, watched: list[int]) -> Iterator[list[int]]:
    """Per end of a step the minutes of each step so far that are judged by then: not the warm-up, nor those whose data are under way.

    A step of four minutes with a lag of two is left when two of its minutes are known; the next one knows the other two.
    """
    lost = math.ceil(policy.judge.warmup_seconds / _MINUTE)
    under_way = math.ceil(policy.judge.data_lag_seconds / _MINUTE)
    for end in range(1, len(watched) + 1):
        known = watched[:end]
        known[0] = max(0, known[0] - lost)
        known[-1] = max(0, known[-1] - under_way)
        yield known
