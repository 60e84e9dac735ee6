"""What deregistering a scalable target takes along, as on AWS."""

from __future__ import annotations

import pytest

from tests.sandbox.deploying import client

pytestmark = pytest.mark.usefixtures("cloud")


def test_a_target_that_is_deregistered_takes_its_policies_and_schedules_along() -> None:
    scaling = client("application-autoscaling")
    targets = [
        {
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ResourceId": f"endpoint/shop/variant/{slot}",
        }
        for slot in ("blue", "green")
    ]
    tracking = {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    for target in targets:
        scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)
        scaling.put_scaling_policy(
            **target,
            PolicyName="by-load",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking,
        )
        scaling.put_scheduled_action(**target, ScheduledActionName="mornings", Schedule="cron(0 7 * * ? *)")

    scaling.deregister_scalable_target(**targets[0])

    of = {"ServiceNamespace": "sagemaker"}
    left = [each["ResourceId"] for each in scaling.describe_scaling_policies(**of)["ScalingPolicies"]]
    scheduled = [each["ResourceId"] for each in scaling.describe_scheduled_actions(**of)["ScheduledActions"]]
    assert left == scheduled == ["endpoint/shop/variant/green"]
