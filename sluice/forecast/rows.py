"""One rollout's minute out of many, as the row that the tick's judge reads."""

from __future__ import annotations

from sluice.core.observation import Counts, Row, SlotMinute, Tail, threshold_name
from sluice.core.policy import LatencyMetric, Policy
from sluice.forecast.minutes import MetricMinute, Minute


def row_of(policy: Policy, minute: Minute, rollout: int, at: int) -> Row:
    """The row of one rollout; `at` is the minute's start in seconds. Metrics without requests on a side are absent there."""
    step = int(minute.step[rollout])
    canary, stable = (_side(policy, minute, rollout, step, side) for side in ("canary", "stable"))
    return Row(at, canary, stable, step=step, canary_parts=policy.steps[step].weight_parts)


def _side(policy: Policy, minute: Minute, rollout: int, step: int, side: str) -> SlotMinute:
    rates, tails = {}, {}
    for name, seen in minute.metrics.items():
        metric = policy.metrics[name]
        if isinstance(metric, LatencyMetric):
            tails[name] = _tail(metric, seen, metric_margin(policy, name, step), rollout, side)
        else:
            first = seen.harm[0]
            n, e = (first.n_c, first.e_c) if side == "canary" else (first.n_s, first.e_s)
            rates[name] = Counts(float(n[rollout]), float(e[rollout]))
    return SlotMinute(
        rates={name: counts for name, counts in rates.items() if counts.trials},
        tails={name: tail for name, tail in tails.items() if tail.trials},
    )


def metric_margin(policy: Policy, name: str, step: int) -> float | None:
    """What the step has to prove of a metric."""
    return policy.steps[step].prove.get(name)


def _tail(metric: LatencyMetric, seen: MetricMinute, margin: float | None, rollout: int, side: str) -> Tail:
    """Requests over each threshold: stable's own quantiles for stable, tolerated and to-be-proven multiples for the canary."""
    first, over = seen.harm[0], {}
    for i, quantile in enumerate(metric.quantiles):
        if side == "stable":
            over[threshold_name(quantile, 1.0)] = float(seen.harm[i].e_s[rollout])
            continue
        over[threshold_name(quantile, metric.terms.tolerate.ratio)] = float(seen.harm[i].e_c[rollout])
        if margin is not None:
            over.setdefault(threshold_name(quantile, margin), float(seen.proof[i].e_c[rollout]))
    if metric.rail is not None and seen.rail is not None:
        far = seen.rail.e_c if side == "canary" else seen.rail.e_s
        over[threshold_name("p99", metric.rail.versus_stable)] = float(far[rollout])
    return Tail(float((first.n_c if side == "canary" else first.n_s)[rollout]), over)
