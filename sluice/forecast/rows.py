"""One rollout's minute out of many, as the row that the tick's judge reads."""

from __future__ import annotations

from sluice.core.observation import Counts, Moments, Row, SlotMinute, Tail, threshold_name
from sluice.core.policy import LatencyMetric, LevelMetric, Policy
from sluice.forecast.minutes import Exposed, MetricMinute, Minute, Observed


def row_of(policy: Policy, minute: Minute, rollout: int, at: int) -> Row:
    """The row of one rollout; `at` is the minute's start in seconds. Metrics without requests on a side are absent there."""
    step = int(minute.step[rollout])
    canary, stable = (side_of(policy, minute, rollout, step, side) for side in ("canary", "stable"))
    return Row(at, canary, stable, step=step, canary_parts=policy.steps[step].weight_parts)


def side_of(policy: Policy, minute: Minute, rollout: int, step: int, side: str) -> SlotMinute:
    """What one slot, `canary` or `stable`, showed in the minute of one rollout."""
    rates, tails = {}, {}
    for name, seen in minute.metrics.items():
        metric = policy.metrics[name]
        if isinstance(metric, LatencyMetric):
            tails[name] = _tail(metric, seen, metric_margin(policy, name, step), rollout, side)
        else:
            rates[name] = _counts(seen.harm[0], rollout, side)
    means = {name: _moments(getattr(seen, side), rollout) for name, seen in minute.means.items()}
    return SlotMinute(
        rates={name: counts for name, counts in rates.items() if counts.trials},
        tails={name: tail for name, tail in tails.items() if tail.trials},
        means={name: moments for name, moments in means.items() if moments.count},
        levels={name: _level(policy, name, getattr(seen, side)[rollout]) for name, seen in minute.levels.items()},
        segments={name: _segments(seen, rollout, side) for name, seen in minute.metrics.items() if seen.segments},
    )


def _counts(seen: Exposed, rollout: int, side: str) -> Counts:
    n, e = (seen.n_c, seen.e_c) if side == "canary" else (seen.n_s, seen.e_s)
    return Counts(float(n[rollout]), float(e[rollout]))


def _segments(seen: MetricMinute, rollout: int, side: str) -> dict[str, Counts]:
    """By value of the dimension: s0, s1 and so on."""
    found = {f"s{i}": _counts(part, rollout, side) for i, part in enumerate(seen.segments)}
    return {value: counts for value, counts in found.items() if counts.trials}


def _moments(seen: Observed, rollout: int) -> Moments:
    return Moments(float(seen.count[rollout]), float(seen.sum[rollout]), float(seen.sumsq[rollout]))


def _level(policy: Policy, name: str, multiple: float) -> float:
    """In the metric's own unit. A limit of 0 has no multiples: then as many units beyond it."""
    metric = policy.metrics[name]
    assert isinstance(metric, LevelMetric)
    limit = metric.rail.level
    return float(limit + (multiple - 1) * (abs(limit) or 1.0))


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
        if side == "stable" and seen.usual is not None:
            over[threshold_name("p99", 1.0)] = float(seen.usual.e_s[rollout])
        far = seen.rail.e_c if side == "canary" else seen.rail.e_s
        over[threshold_name("p99", metric.rail.versus_stable)] = float(far[rollout])
    return Tail(float((first.n_c if side == "canary" else first.n_s)[rollout]), over)
