"""Application Auto Scaling of slots: what is registered, and registering it. Whether it should run is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sluice.aws.clients import client
from sluice.core.actions import DeregisterTarget, RegisterTarget
from sluice.core.rollout import ScalingTarget

_SAGEMAKER = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
_SWITCHES = {
    "in": "DynamicScalingInSuspended",
    "out": "DynamicScalingOutSuspended",
    "scheduled": "ScheduledScalingSuspended",
}
_GONE = "No scalable target found"
_POLICY_KEYS = (
    "PolicyName",
    "PolicyType",
    "StepScalingPolicyConfiguration",
    "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScalingPolicyConfiguration",
)
"""What PutScalingPolicy takes of what DescribeScalingPolicies shows."""


@dataclass(frozen=True, slots=True)
class ApplicationAutoScaling:
    """`sluice.ports.Scaling` on boto3."""

    def targets(self, endpoint: str, slots: Iterable[str]) -> tuple[ScalingTarget, ...]:
        slot_of = {_resource(endpoint, slot): slot for slot in slots}
        pages = _api().get_paginator("describe_scalable_targets").paginate(ResourceIds=sorted(slot_of), **_SAGEMAKER)
        found = [target for page in pages for target in page["ScalableTargets"]]
        return tuple(_target(slot_of[each["ResourceId"]], each) for each in found if each["ResourceId"] in slot_of)

    def register(self, action: RegisterTarget) -> None:
        """Registering what is registered changes it. The role is AWS's service-linked one, or stays the one it has."""
        target, resource = action.target, _resource(action.endpoint, action.target.slot)
        _api().register_scalable_target(
            ResourceId=resource,
            MinCapacity=target.min_instances,
            MaxCapacity=target.max_instances,
            SuspendedState={switch: word in target.suspended for word, switch in _SWITCHES.items()},
            **_SAGEMAKER,
        )
        for policy in target.policies:
            _api().put_scaling_policy(ResourceId=resource, **_SAGEMAKER, **policy)

    def deregister(self, action: DeregisterTarget) -> None:
        """Deregistering deletes the target's scaling policies too."""
        try:
            _api().deregister_scalable_target(ResourceId=_resource(action.endpoint, action.slot), **_SAGEMAKER)
        except ClientError as fault:
            if _GONE not in fault.response["Error"]["Message"]:
                raise


def _api() -> Any:
    return client("application-autoscaling")


def _resource(endpoint: str, slot: str) -> str:
    return f"endpoint/{endpoint}/variant/{slot}"


def _target(slot: str, found: dict[str, Any]) -> ScalingTarget:
    state = found.get("SuspendedState", {})
    pages = _api().get_paginator("describe_scaling_policies").paginate(ResourceId=found["ResourceId"], **_SAGEMAKER)
    return ScalingTarget(
        slot=slot,
        min_instances=found["MinCapacity"],
        max_instances=found["MaxCapacity"],
        suspended=tuple(word for word, switch in _SWITCHES.items() if state.get(switch)),
        policies=tuple(
            {key: policy[key] for key in _POLICY_KEYS if key in policy}
            for page in pages
            for policy in page["ScalingPolicies"]
        ),
    )
