"""Cases of the tables in `resources.autoscaling`."""

from __future__ import annotations

from typing import Any

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import Case
from tests.sandbox.stacks import client


def scaling(**more: Any) -> aws.appautoscaling.Target:
    settings: dict[str, Any] = {"resource_id": "table/t", "service_namespace": "dynamodb", "min_capacity": 1, **more}
    settings.setdefault("scalable_dimension", "dynamodb:table:ReadCapacityUnits")
    return aws.appautoscaling.Target("x", **{"max_capacity": 2, **settings})


def scaling_policy(target_value: float) -> aws.appautoscaling.Policy:
    predefined = {"predefined_metric_type": "DynamoDBReadCapacityUtilization"}
    tracking = {"target_value": target_value, "predefined_metric_specification": predefined}
    owner = aws.appautoscaling.Target(
        "target", resource_id="table/t", service_namespace="dynamodb", min_capacity=1, max_capacity=2,
        scalable_dimension="dynamodb:table:ReadCapacityUnits",
    )  # fmt: skip
    return aws.appautoscaling.Policy(
        "x", resource_id=owner.resource_id, service_namespace="dynamodb", policy_type="TargetTrackingScaling",
        scalable_dimension="dynamodb:table:ReadCapacityUnits", target_tracking_scaling_policy_configuration=tracking,
    )  # fmt: skip


CASES = (
    Case(
        "aws:appautoscaling/target:Target",
        scaling,
        lambda identity: client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")[
            "ScalableTargets"
        ][0]["MaxCapacity"],
        (2, 4),
        lambda: scaling(max_capacity=4, suspended_state={"dynamic_scaling_in_suspended": True}),
        lambda: scaling(scalable_dimension="dynamodb:table:WriteCapacityUnits"),
    ),
    Case(
        "aws:appautoscaling/policy:Policy",
        lambda: scaling_policy(70),
        lambda identity: client("application-autoscaling").describe_scaling_policies(ServiceNamespace="dynamodb")[
            "ScalingPolicies"
        ][0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"],
        (70.0, 71.5),
        lambda: scaling_policy(71.5),
    ),
)
