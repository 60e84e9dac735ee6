"""A patch of moto's Application Auto Scaling, pinned to 5.2.5: what a target that is deregistered takes along.

Nothing scales in the sandbox: that a fleet is busy with it is one of the endpoint's knobs.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from sluice.sandbox.patches import Undo, replaced


def install_scaling_removal() -> Undo:
    """A deregistered target takes its scaling policies and scheduled actions with it, as on AWS; moto keeps them."""
    from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

    original = ApplicationAutoscalingBackend.deregister_scalable_target

    @wraps(original)
    def removed(backend: Any, namespace: str, r_id: str, dimension: str) -> None:
        original(backend, namespace, r_id, dimension)
        target = (namespace, r_id, dimension)
        for policy in [each for each in backend.policies.values() if _of(target, each)]:
            backend.delete_scaling_policy(policy.policy_name, *target)
        backend.scheduled_actions = [each for each in backend.scheduled_actions if not _of(target, each)]

    return replaced(ApplicationAutoscalingBackend, "deregister_scalable_target", removed)


def _of(target: tuple[str, str, str], found: Any) -> bool:
    return (found.service_namespace, found.resource_id, found.scalable_dimension) == target
