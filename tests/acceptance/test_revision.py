"""`instances` changed in the configuration: `up` changes nothing live, the control plane does, and never during a rollout."""

from __future__ import annotations

import boto3

from sluice.sandbox.triage import ENDPOINT
from tests.acceptance.conftest import Stage

HOUR = 3600


def counts() -> dict[str, int]:
    found = boto3.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"]
    return {variant["VariantName"]: variant["CurrentInstanceCount"] for variant in found}


def test_more_instances_without_a_release(stage: Stage) -> None:
    before = stage.endpoint_calls()

    result = stage.up("v1", instances=2)

    assert [(step.op, step.name) for step in result.changes] == [("replace", "triage-revise")]
    assert stage.endpoint_calls() == before, "`up` itself changes no count"
    assert stage.sandbox.run_until(lambda: stage.head.revision is None, HOUR)
    assert counts() == {"blue": 2}
    (call,) = stage.sandbox.cloud.gate.made("UpdateEndpointWeightsAndCapacities")
    assert call.params["DesiredWeightsAndCapacities"] == [{"VariantName": "blue", "DesiredInstanceCount": 2}]
    assert stage.kinds == ["adopted", "revised", "revising", "revision_done"]


def test_in_mid_rollout_it_waits_for_the_end(stage: Stage) -> None:
    stage.up("v3")
    stage.until_weight(500)

    stage.up("v3", instances=2, data_capture={"sampling_percent": 10})
    stage.until_ended()

    assert counts() == {"blue": 1, "green": 1}, "nothing kept the endpoint busy while it might have been needed"
    assert stage.sandbox.run_until(lambda: stage.head.revision is None, HOUR)
    assert counts()["blue"] == 2, "the champion's slot, which the rollback kept"
    stage.up("v2", instances=2, data_capture={"sampling_percent": 10})
    stage.until_weight(500)
    config = boto3.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"]
    made = boto3.client("sagemaker").describe_endpoint_config(EndpointConfigName=config)
    assert made["DataCaptureConfig"]["InitialSamplingPercentage"] == 10, "settings come with the next configuration"
    assert counts() == {"blue": 2, "green": 2}
