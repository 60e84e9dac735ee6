"""Autoscaling of slots while a release is tried: suspended before anything is built, given back when nothing is being tried.

Autoscaling changes counts by the very call that takes traffic back, and the endpoint refuses a second call for minutes. So from
preparing to the end of the soak it is suspended, at a count with headroom; what was registered is kept in the head record until
it stands again. Every step looks at what is registered now and repeats what is missing, so a killed function costs a minute.
A rollback reads and changes none of this.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sluice.core.actions import Action, DeregisterTarget, RegisterTarget
from sluice.core.decision import NOW_SECONDS, Decision, change, live, stay
from sluice.core.head import Head
from sluice.core.observation import Observation
from sluice.core.rollout import SUSPENDED, ScalingMode, ScalingTarget

HEADROOM = 1.5
"""Half as much again as carries the traffic now: nothing scales out during the rollout and its soak."""
WORST_CASE_MINUTES = 30
"""A change of counts takes 5 to 30 minutes, and there is no cancel."""
KEPT_WARNING = (
    f"`scaling: keep`: each change of counts by autoscaling keeps the endpoint busy, and a rollback waiting, for up to "
    f"{WORST_CASE_MINUTES} min, with the canary at its full weight. Leave `scaling` out to have it suspended during rollouts."
)


def suspend(head: Head, seen: Observation) -> Decision | None:
    """For the preparation: save and suspend what still scales; None when nothing does. The saved list is never overwritten."""
    rollout = live(head)
    running = [target for target in seen.scaling or () if target.suspended != SUSPENDED]
    if rollout.scaling is ScalingMode.KEEP:
        return None
    if not running:
        return _as_many_as_stable(head, seen)
    wanted = _with_headroom(head, running, seen)
    names = ", ".join(target.slot for target in running)
    calls: tuple[Action, ...] = tuple(RegisterTarget(head.endpoint, _held(target, wanted)) for target in running)
    known = {target.slot for target in head.scaling}
    fresh = tuple(target for target in running if target.slot not in known)
    because = f"suspending autoscaling of {names} at {wanted} instances until the soak is over"
    if not fresh:
        return stay(head, f"{because}: it still runs", NOW_SECONDS, *calls)
    after = replace(head, scaling=(*head.scaling, *fresh), live=replace(rollout, instances=wanted, because=because))
    return Decision(after, because, "scaling_suspended", calls, NOW_SECONDS)


def before_update(head: Head, instance_type: str | None, seen: Observation) -> tuple[Action, ...]:
    """SageMaker refuses to change the instance type of a slot that is registered for scaling: its target goes, and comes back later."""
    rollout = live(head)
    registered = any(target.slot == rollout.to_slot for target in seen.scaling or ())
    saved = any(target.slot == rollout.to_slot for target in head.scaling)
    if registered and saved and instance_type not in (None, rollout.release.instance_type):
        return (DeregisterTarget(head.endpoint, rollout.to_slot),)
    return ()


def restore(head: Head, seen: Observation) -> Decision:
    """Between rollouts: what was saved is registered again. The champion's slot gets the other's target when it never had one."""
    registered = {target.slot: target for target in seen.scaling or ()}
    owed = [target for target in _owed(head, seen) if not _stands(target, registered.get(target.slot))]
    names = ", ".join(target.slot for target in owed or head.scaling)
    if owed:
        calls = tuple(RegisterTarget(head.endpoint, target) for target in owed)
        return stay(head, f"giving autoscaling of {names} back", NOW_SECONDS, *calls)
    return Decision(replace(head, scaling=()), f"autoscaling of {names} is as it was", "scaling_restored")


def _as_many_as_stable(head: Head, seen: Observation) -> Decision | None:
    """Still suspended since the rollout before: the count that was scaled to must be there for this one too."""
    rollout = live(head)
    stable = seen.endpoint.variants.get(rollout.from_slot)
    scaled = any(target.slot == rollout.from_slot for target in head.scaling)
    if stable is None or not scaled or stable.desired_instances <= rollout.instances:
        return None
    because = f"autoscaling is suspended already, at {stable.desired_instances} instances"
    return change(head, "headroom_kept", because, NOW_SECONDS, instances=stable.desired_instances)


def _with_headroom(head: Head, running: list[ScalingTarget], seen: Observation) -> int:
    """The count for both slots, never below what the submission asks for nor above what stable's target allows."""
    rollout = live(head)
    stable = seen.endpoint.variants.get(rollout.from_slot)
    limits = [target.max_instances for target in running if target.slot == rollout.from_slot]
    if stable is None or not limits:
        return rollout.instances
    carrying = min(math.ceil(stable.desired_instances * HEADROOM), limits[0])
    return max(rollout.instances, carrying, stable.desired_instances)


def _held(target: ScalingTarget, wanted: int) -> ScalingTarget:
    """Suspended; and should somebody resume it by hand, not below the headroom."""
    least = max(target.min_instances, min(wanted, target.max_instances))
    return replace(target, min_instances=least, suspended=SUSPENDED, policies=())


def _owed(head: Head, seen: Observation) -> list[ScalingTarget]:
    """A slot that was given up meanwhile cannot scale; one that serves must."""
    owed = [target for target in head.scaling if target.slot in seen.endpoint.variants]
    slots = {target.slot for target in (*owed, *(seen.scaling or ()))}
    if head.champion.slot not in slots:
        model = head.scaling[0]
        policies = tuple(_for_slot(policy, model.slot, head.champion.slot) for policy in model.policies)
        owed.append(replace(model, slot=head.champion.slot, policies=policies))
    return owed


def _for_slot(policy: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """The same scaling policy for another slot: a metric of its own names the slot in a dimension."""

    def moved(value: Any) -> Any:
        if isinstance(value, Mapping):
            if value.get("Name") == "VariantName" and value.get("Value") == old:
                return {**value, "Value": new}
            return {key: moved(item) for key, item in value.items()}
        return [moved(item) for item in value] if isinstance(value, list | tuple) else value

    return {key: moved(value) for key, value in policy.items()}


def _stands(wanted: ScalingTarget, found: ScalingTarget | None) -> bool:
    """Scaling policies are compared by name: AWS fills in defaults of its own."""
    if found is None or replace(found, policies=()) != replace(wanted, policies=()):
        return False
    return {str(p["PolicyName"]) for p in wanted.policies} <= {str(p["PolicyName"]) for p in found.policies}
