"""What lies between an alarm's event and the weights: counted on the calls the deployed function makes."""

from __future__ import annotations

import pytest

from sluice.sandbox.cloud.gate import Call
from sluice.sandbox.triage import ENDPOINT
from tests.acceptance.conftest import Stage
from tests.acceptance.test_rollouts import set_off

WAY_BACK = [
    ("dynamodb", "GetItem"),
    ("dynamodb", "TransactWriteItems"),
    ("sagemaker", "UpdateEndpointWeightsAndCapacities"),
]
TELLING = {("ssm", "PutParameter"), ("stepfunctions", "StartExecution")}
"""The mirror and a fresh clock: after the weights, and what fails there holds nothing up. People are told by another function."""


@pytest.fixture
def calls(stage: Stage) -> list[Call]:
    """What the alarm function called when the canary's alarm went off in a bake and all else was well."""
    stage.up("v2")
    stage.until_weight(500)
    gate = stage.sandbox.cloud.gate
    before = len(gate.calls)
    set_off(stage)
    assert stage.sandbox.run_until(lambda: stage.canary_weight("green") == 0, 120)
    return [call for call in gate.calls[before:] if call.function == "sluice-dev-alarm"]


def test_one_state_read_one_transactional_write_and_one_weight_call_are_the_whole_way_back(
    stage: Stage, calls: list[Call]
) -> None:
    made = [(call.service, call.operation) for call in calls]

    assert made[:3] == WAY_BACK, "in this order: read, record, act"
    assert set(made[3:]) == TELLING, "everything after it only tells"
    assert len(made) == len(set(made)), "and nothing is called twice"
    assert all(call.outcome == "ok" for call in calls)
    assert calls[2].params["EndpointName"] == ENDPOINT
    weights = {item["VariantName"]: item["DesiredWeight"] for item in calls[2].params["DesiredWeightsAndCapacities"]}
    assert weights["green"] == 0
    assert not any("DesiredInstanceCount" in item for item in calls[2].params["DesiredWeightsAndCapacities"]), (
        "a call with counts would take minutes"
    )
