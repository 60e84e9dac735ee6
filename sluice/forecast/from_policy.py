"""A policy as the numbers that the vectorised judge and the simulated rollouts need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sluice.core import policy as core
from sluice.core.judge.comparison import first_dispersion
from sluice.core.judge.rails import RAIL_TRIALS
from sluice.core.weights import WHOLE
from sluice.forecast.rollouts import OnInconclusive, Schedule
from sluice.forecast.rules import LevelRule, Rail, Rule, Rules

_MINUTE = 60
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
_FOLLOWS = {
    core.OnInconclusive.ADVANCE: OnInconclusive.ADVANCE,
    core.OnInconclusive.HOLD: OnInconclusive.HOLD,
    core.OnInconclusive.PAUSE: OnInconclusive.HOLD,
    core.OnInconclusive.ROLLBACK: OnInconclusive.ROLLBACK,
}


def rules_of(policy: core.Policy) -> Rules:
    """Every metric of the policy."""
    judge = policy.judge
    return Rules(
        metrics=tuple(_rules(policy)),
        judged_steps=len(judged(policy)),
        budget=judge.false_rollback_budget,
        sustain_minutes=judge.sustain_seconds / _MINUTE,
        data_lag_minutes=-(-judge.data_lag_seconds // _MINUTE),
        min_samples=policy.min_samples,
        canary_samples=max(policy.min_samples, RAIL_TRIALS),
        means=tuple(_means(policy)),
        levels=tuple(_levels(policy)),
    )


def judged(policy: core.Policy) -> tuple[core.Step, ...]:
    """The steps in which there is something to compare with."""
    return tuple(step for step in policy.steps if step.weight_parts < WHOLE)


def schedule_of(policy: core.Policy) -> Schedule:
    """The judged steps as arrays."""
    steps = judged(policy)
    patience = policy.shared_incident
    gives_up = patience.then is core.IncidentThen.ROLLBACK
    return Schedule(
        shares=np.array([step.weight_parts / WHOLE for step in steps]),
        bake_min=np.array([-(-step.bake_min_seconds // _MINUTE) for step in steps]),
        bake_max=np.array([-(-step.bake_max_seconds // _MINUTE) for step in steps]),
        on_inconclusive=np.array([_FOLLOWS[step.on_inconclusive].value for step in steps]),
        hold_minutes=policy.max_hold_seconds // _MINUTE,
        incident_minutes=patience.after_seconds // _MINUTE if gives_up else None,
    )


def _rules(policy: core.Policy) -> Iterator[Rule]:
    for name, metric in policy.metrics.items():
        if isinstance(metric, core.RateMetric):
            made = _rule(policy, name, metric.terms, (1.0,), _rail(metric.rail))
            yield replace(made, segmented=metric.terms.segment is not None)
        elif isinstance(metric, core.LatencyMetric):
            weights = tuple(metric.quantiles.values())
            quantiles = tuple(_QUANTILES[called] for called in metric.quantiles)
            rail = Rail(0.0, metric.rail.versus_stable) if metric.rail else None
            yield _rule(policy, name, metric.terms, weights, rail, quantiles)


def _means(policy: core.Policy) -> Iterator[Rule]:
    for name, metric in policy.metrics.items():
        if isinstance(metric, core.MeanMetric):
            phi0 = first_dispersion(policy, metric.terms.bad, mean=True)
            yield replace(_rule(policy, name, metric.terms, (1.0,), None), phi0=phi0)


def _levels(policy: core.Policy) -> Iterator[LevelRule]:
    for name, metric in policy.metrics.items():
        if isinstance(metric, core.LevelMetric):
            minutes, lag = (max(0, -(-s // _MINUTE)) for s in (metric.rail.for_seconds, metric.terms.lag_seconds))
            high, observed = metric.terms.bad is core.Bad.HIGH, metric.terms.observe
            yield LevelRule(name, high, max(1, minutes), lag, observed)


def _rule(
    policy: core.Policy,
    name: str,
    terms: core.Terms,
    parts: tuple[float, ...],
    rail: Rail | None,
    quantiles: tuple[float, ...] = (),
) -> Rule:
    judge, high = policy.judge, terms.bad is core.Bad.HIGH
    return Rule(
        name=name,
        parts=parts,
        bad_high=high,
        share=terms.share,
        tolerate_ratio=terms.tolerate.ratio,
        tolerate_absolute=terms.tolerate.absolute,
        phi0=first_dispersion(policy, terms.bad),
        warmup_minutes=0 if quantiles else -(-judge.warmup_seconds // _MINUTE),
        settle_minutes=-(-judge.settle_seconds // _MINUTE) if quantiles else 0,
        lag_minutes=-(-terms.lag_seconds // _MINUTE),
        rail=None if terms.observe else rail,
        margins=tuple(step.prove.get(name) for step in judged(policy)),
        is_latency=bool(quantiles),
        quantiles=quantiles,
        observed=terms.observe,
    )


def _rail(rail: core.RateRail | None) -> Rail | None:
    return Rail(rail.rate, rail.versus_stable) if rail else None
