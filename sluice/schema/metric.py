"""Metrics of a policy document to `sluice.core.policy`: what was not said gets its default here, so the core has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.core import policy as core
from sluice.core.histogram import Histogram as CoreHistogram
from sluice.schema.metric_document import Histogram, Level, Mean, Metric, Quantiles, Rate
from sluice.schema.metric_limits import Shared

TOLERATED = {
    "rate": {"high": core.Tolerance(1.10, 0.0002), "low": core.Tolerance(0.99, 0.0)},
    "quantiles": {"high": core.Tolerance(1.30, 0.0)},
    "mean": {"high": core.Tolerance(1.03, 0.0), "low": core.Tolerance(0.97, 0.0)},
}
"""What is never punished unless the policy says otherwise: what identical models differ by anyway (shared/judge.md)."""
OBSERVED_SHARE = 0.3
"""An observed metric takes nothing from the budget; this share only says from where on it would have taken the canary back."""
_NO_TOLERANCE = core.Tolerance(1.0, 0.0)
_DIRECTION = {"rate": "high", "quantiles": "high", "mean": "low"}


def core_metrics(metrics: Mapping[str, Metric]) -> dict[str, core.Metric]:
    """Every metric, the budget divided: those without a share divide evenly what the others leave."""
    enforced = [m for m in metrics.values() if isinstance(m, Shared) and not m.observe]
    given = sum(m.share for m in enforced if m.share is not None)
    waiting = sum(m.share is None for m in enforced)
    rest = max(0.0, 1 - given) / waiting if waiting else 0.0
    return {name: _metric(metric, rest) for name, metric in metrics.items()}


def prove_faults(steps: list[Any], metrics: object) -> Iterator[str]:
    """What steps want proven must be a metric that is compared, and the margin on its bad side. Reads what was given."""
    known = metrics if isinstance(metrics, dict) else {}
    for i, step in enumerate(steps):
        proven = step.get("prove") if isinstance(step, dict) else None
        if not isinstance(proven, dict):
            continue
        for name, margin in proven.items():
            if fault := _prove_fault(name, margin, known):
                yield f"steps[{i}].prove.{name}: {fault}"


def _prove_fault(name: object, margin: object, known: Mapping[Any, Any]) -> str | None:
    if name not in known:
        return f"is no metric of this policy; known here: {', '.join(map(str, known)) or 'none'}"
    metric = known[name]
    kind = metric.get("kind") if isinstance(metric, dict) else None
    if kind == "level":
        return "a level is not compared with stable, so no ratio can be proven; remove it"
    if kind not in _DIRECTION or isinstance(margin, bool) or not isinstance(margin, int | float):
        return None  # refused elsewhere
    high = metric.get("bad", _DIRECTION[kind]) == "high"
    if (margin > 1) if high else (margin < 1):
        return None
    return (
        f"must be {'above' if high else 'below'} 1, where it is bad to be {'high' if high else 'low'}, got {margin:g}"
    )


def _metric(model: Metric, rest: float) -> core.Metric:
    match model:
        case Rate():
            rail = core.RateRail(model.rail.rate, model.rail.versus_stable) if model.rail else None
            terms = _terms(model, model.bad, rest, model.tolerate.absolute, model.segment)
            return core.RateMetric("rate", model.namespace, model.events, model.trials, rail, model.slo, terms)
        case Quantiles():
            weights = {"p50": model.quantiles.p50, "p90": model.quantiles.p90, "p99": model.quantiles.p99}
            slow = core.LatencyRail(model.rail.versus_stable) if model.rail else None
            terms = _terms(model, "high", rest)
            return core.LatencyMetric(
                "quantiles", model.namespace, model.metric, weights, slow, terms, _histogram(model.histogram)
            )
        case Mean():
            terms = _terms(model, model.bad, rest)
            return core.MeanMetric("mean", model.namespace, model.count, model.sum, model.sumsq, terms)
        case Level():
            limit = core.LevelRail(model.rail.level, model.rail.for_)
            terms = core.Terms(core.Bad(model.bad), 0.0, _NO_TOLERANCE, None, 0, None, model.observe)
            return core.LevelMetric("level", model.namespace, model.metric, limit, terms)


def _histogram(model: Histogram | None) -> CoreHistogram | None:
    if model is None:
        return None
    return CoreHistogram(model.namespace, model.name, round(model.from_ms * 1000), round(model.to_ms * 1000), model.use)


def _terms(
    model: Rate | Quantiles | Mean, bad: str, rest: float, absolute: float = 0.0, segment: str | None = None
) -> core.Terms:
    share = (OBSERVED_SHARE if model.observe else rest) if model.share is None else model.share
    ratio, default = model.tolerate.ratio, TOLERATED[model.kind][bad]
    said = ratio is not None or absolute > 0
    tolerated = core.Tolerance(1.0 if ratio is None else ratio, absolute) if said else default
    return core.Terms(core.Bad(bad), share, tolerated, model.detect, model.lag, segment, model.observe)
