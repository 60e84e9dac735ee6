"""Rollout policies: YAML to `sluice.core.policy`. Decides what steps may follow each other; single values are `policy_document`'s."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sluice.core import policy as core
from sluice.core.conditions import OnBreach, OnNewRelease, WeeklyFreeze, frozen
from sluice.core.errors import BadInput
from sluice.core.harm_budget import is_counted
from sluice.core.weights import WHOLE, parts_of_percent
from sluice.schema import conditions
from sluice.schema.faults import checked
from sluice.schema.metric import core_metrics, prove_faults
from sluice.schema.policy_document import MOST_STEPS, Judge, Policy
from sluice.schema.reading import load


def read_policy(path: Path, where: str | None = None) -> core.Policy:
    """The rollout policy in a YAML file; raises BadInput with every fault found. `where` is what sentences call the file."""
    called = where or str(path)
    return parse_policy(load(path, called), called)


def parse_policy(document: object, where: str) -> core.Policy:
    """The rollout policy in a loaded document; raises BadInput with every fault found."""
    model, faults = checked(Policy, document, where)
    faults += tuple(f"{where}: {fault}" for fault in _step_faults(document))
    if model is None or faults:
        raise BadInput(faults)
    policy = _policy(model)
    if _is_frozen_for_ever(policy):
        raise BadInput((f"{where}: freeze: its weekly windows together leave no time for a step up",))
    if policy.harm_budget is not None and not any(is_counted(metric) for metric in policy.metrics.values()):
        raise BadInput((f"{where}: harm_budget: {_NOTHING_COUNTED}",))
    return policy


_NOTHING_COUNTED = "counts no metric: it needs one of kind rate with bad: high and a share, not only observed"


def _is_frozen_for_ever(policy: core.Policy) -> bool:
    weekly = [window for window in policy.freeze if isinstance(window, WeeklyFreeze)]
    found = frozen(weekly, weekly[0].offsets[-1].since) if weekly else None
    return found is not None and found.until is None


def _step_faults(document: object) -> Iterator[str]:
    """Weights rise to 100 and each one below is watched. Reads what was given, so that one bad step does not hide another."""
    steps = document.get("steps") if isinstance(document, dict) else None
    if not isinstance(steps, list) or len(steps) > MOST_STEPS:
        return
    before = 0
    for i, step in enumerate(steps):
        if not isinstance(step, dict):
            continue
        parts, last = _parts(step.get("weight")), i == len(steps) - 1
        for fault in (*_weight_faults(parts, before, last=last), *_bake_faults(step, parts, last=last)):
            yield f"steps[{i}].{fault}"
        before = before if parts is None else parts
    yield from prove_faults(steps, document.get("metrics") if isinstance(document, dict) else None)


def _parts(weight: object) -> int | None:
    """None for a weight that is refused elsewhere."""
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        return None
    try:
        return parts_of_percent(weight)
    except ValueError:
        return None


def _weight_faults(parts: int | None, before: int, *, last: bool) -> Iterator[str]:
    if parts is None:
        return
    if parts <= before:
        yield f"weight: must be above the step before it ({before / 100:g}), got {parts / 100:g}"
    if last and parts != WHOLE:
        yield f"weight: the last step must be 100, got {parts / 100:g}"


def _bake_faults(step: dict[str, object], parts: int | None, *, last: bool) -> Iterator[str]:
    if parts == WHOLE and step.get("bake") is not None:
        yield "bake: nothing is baked at 100; say how long to watch with `soak`"
    if parts == WHOLE and "prove" in step:
        yield "prove: nothing is baked at 100, so nothing can be proven there; remove it"
    if parts == WHOLE and "on_inconclusive" in step:
        yield "on_inconclusive: nothing is baked at 100, so nothing can be inconclusive; remove it"
    if parts != WHOLE and not last and step.get("bake") is None:
        yield "bake: missing; for example `bake: {min: 10m, max: 30m}`"


def _policy(model: Policy) -> core.Policy:
    return core.Policy(
        steps=tuple(
            core.Step(
                step.weight,
                step.bake.min if step.bake else 0,
                step.bake.max if step.bake else 0,
                core.OnInconclusive(step.on_inconclusive),
                conditions.approval(step.approval),
                conditions.hooks(step.gates),
                dict(step.prove),
            )
            for step in model.steps
        ),
        min_samples=model.min_samples,
        soak_seconds=model.soak,
        after_soak=core.AfterSoak(model.after_soak),
        evidence_for_seconds=model.evidence_for,
        max_hold_seconds=model.max_hold,
        on_breach=OnBreach(model.on_breach),
        on_new_release=OnNewRelease(model.on_new_release),
        freeze=tuple(conditions.freeze(window) for window in model.freeze),
        on_rollback=conditions.hooks(model.on_rollback),
        shared_incident=core.SharedIncident(
            core.IncidentThen(model.on_shared_incident.then), model.on_shared_incident.after
        ),
        rollback=core.Rollback(model.rollback.target, model.rollback.max_blind, model.rollback.cooldown),
        judge=_judging(model.judge),
        harm_budget=model.harm_budget,
        metrics=core_metrics(model.metrics),
        alarms=model.alarms,
        required=core.Required(
            model.required.model_package,
            {
                name: core.Bar(core.Bad(bar.bad), bar.limit, bar.versus_stable)
                for name, bar in model.required.evaluation.items()
            },
        ),
    )


def _judging(model: Judge) -> core.Judging:
    return core.Judging(
        model.data_lag,
        model.warmup,
        model.settle,
        model.false_rollback_budget,
        model.sustain,
        model.dispersion,
    )
