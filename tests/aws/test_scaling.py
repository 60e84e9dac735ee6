"""Autoscaling targets of slots against moto: what is read back is what was registered."""

from __future__ import annotations

from sluice.aws.clients import client
from sluice.aws.scaling import ApplicationAutoScaling
from sluice.core.actions import DeregisterTarget, RegisterTarget
from sluice.core.rollout import SUSPENDED, ScalingTarget

TRACKING = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}
POLICY = {
    "PolicyName": "by-load",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": TRACKING,
}
BLUE = ScalingTarget("blue", 1, 8, (), (POLICY,))


def test_a_target_comes_back_as_it_was_registered() -> None:
    scaling = ApplicationAutoScaling()
    scaling.register(RegisterTarget("shop", BLUE))

    assert scaling.targets("shop", ("blue", "green")) == (BLUE,)
    assert scaling.targets("shop-2", ("blue",)) == (), "another endpoint's"


def test_suspending_keeps_the_scaling_policies_and_says_every_switch() -> None:
    scaling = ApplicationAutoScaling()
    scaling.register(RegisterTarget("shop", BLUE))
    scaling.register(RegisterTarget("shop", ScalingTarget("blue", 3, 8, SUSPENDED, ())))

    assert scaling.targets("shop", ("blue",)) == (ScalingTarget("blue", 3, 8, SUSPENDED, (POLICY,)),)
    (found,) = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")[
        "ScalableTargets"
    ]
    assert found["ResourceId"] == "endpoint/shop/variant/blue"
    assert found["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": True,
        "ScheduledScalingSuspended": True,
    }


def test_a_target_that_is_gone_is_not_an_error() -> None:
    scaling = ApplicationAutoScaling()
    scaling.register(RegisterTarget("shop", ScalingTarget("blue", 1, 8, (), ())))

    scaling.deregister(DeregisterTarget("shop", "blue"))
    scaling.deregister(DeregisterTarget("shop", "blue"))

    assert scaling.targets("shop", ("blue",)) == ()
