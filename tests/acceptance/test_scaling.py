"""Autoscaling in the sandbox: it does not run while a release is tried, and afterwards what serves scales like what served."""

from __future__ import annotations

from typing import Any

import boto3

from sluice.core.rollout import Phase
from sluice.sandbox.triage import ENDPOINT
from tests.acceptance.conftest import Stage
from tests.acceptance.test_permissions import scale

HOUR = 3600


def targets() -> dict[str, tuple[int, int, bool]]:
    """Least, most, and whether anything is suspended, by slot."""
    found: list[dict[str, Any]] = boto3.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )["ScalableTargets"]
    return {
        each["ResourceId"].rpartition("/")[2]: (
            each["MinCapacity"],
            each["MaxCapacity"],
            any(each.get("SuspendedState", {}).values()),
        )
        for each in found
    }


def scaling_policies() -> set[str]:
    found = boto3.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="sagemaker")
    return {policy["ResourceId"] for policy in found["ScalingPolicies"]}


def test_autoscaling_waits_for_the_end_and_moves_to_what_serves(stage: Stage) -> None:
    scale("blue")
    stage.up("v2")
    stage.until_weight(500)
    assert targets() == {"blue": (2, 3, True)}
    assert counts() == {"blue": 2, "green": 2}, "with headroom, before any traffic"

    stage.until_ended()
    assert targets()["blue"][2], "also through the soak"
    assert stage.sandbox.run_until(lambda: not stage.head.scaling, HOUR)

    assert targets() == {"blue": (1, 3, False), "green": (1, 3, False)}
    assert scaling_policies() == {f"endpoint/{ENDPOINT}/variant/{slot}" for slot in ("blue", "green")}

    stage.up("v3")
    stage.until_ended()
    assert stage.head.outcome is not None
    assert stage.head.outcome.phase is Phase.ROLLED_BACK
    assert stage.sandbox.run_until(lambda: not stage.head.scaling, HOUR)
    assert targets() == {"blue": (1, 3, False), "green": (1, 3, False)}
    denied = [c for c in stage.sandbox.cloud.gate.calls if c.outcome.startswith(("AccessDenied", "Authorization"))]
    assert denied == []


def counts() -> dict[str, int]:
    found = boto3.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"]
    return {variant["VariantName"]: variant["CurrentInstanceCount"] for variant in found}


def test_opting_out_says_what_it_costs(stage: Stage) -> None:
    result = stage.up("v2", scaling="keep")

    assert [severity for severity, text, _ in result.messages if "a rollback waiting, for up to 30 min" in text] == [
        "warning"
    ]
