"""Traffic is moved by the control plane and by nothing else in a stack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sluice_compliance.resources import CONFIGURATION, UNKNOWN, Resource
from sluice_compliance.weights import weights_left_to_sluice

STACK = "urn:pulumi:prod::shop"


def configuration(*weights: object) -> Resource:
    variants = [{"variantName": f"v{i}", "initialVariantWeight": weight} for i, weight in enumerate(weights)]
    return Resource(CONFIGURATION, "first", {"productionVariants": variants})


def grant(action: str, urn: str = "", effect: str = "Allow") -> Resource:
    statement = {"Effect": effect, "Action": action, "Resource": "arn:aws:sagemaker:eu-west-1:1:endpoint/shop"}
    return Resource("aws:iam/rolePolicy:RolePolicy", "ops", {"policy": json.dumps({"Statement": statement})}, urn)


def calling(kind: str, **properties: Any) -> Resource:
    return Resource(kind, "shift", properties)


@pytest.mark.parametrize("weight", [1, 100, None, UNKNOWN])
def test_one_variant_with_a_whole_weight_passes(weight: object) -> None:
    assert list(weights_left_to_sluice(configuration(weight))) == []


@pytest.mark.parametrize("weight", [0, 0.5, 1.5])
def test_a_first_variant_is_not_given_a_share(weight: float) -> None:
    (fault,) = weights_left_to_sluice(configuration(weight))

    assert f"initialVariantWeight {weight:g} of a first variant" in fault


def test_a_second_variant_is_the_control_planes() -> None:
    (fault,) = weights_left_to_sluice(configuration(9, 1))

    assert "'first' splits traffic over 2 variants by itself" in fault


@pytest.mark.parametrize(
    "action",
    ["sagemaker:UpdateEndpointWeightsAndCapacities", "sagemaker:UpdateEndpoint", "sagemaker:Update*", "*"],
)
def test_nobody_else_may_move_traffic(action: str) -> None:
    (fault,) = weights_left_to_sluice(grant(action, f"{STACK}::aws:iam/rolePolicy:RolePolicy::ops"))

    assert f"'ops' may call {action}" in fault


def test_the_control_plane_may() -> None:
    urn = f"{STACK}::sluice:infra:ControlPlane$aws:iam/rolePolicy:RolePolicy::tick"

    assert list(weights_left_to_sluice(grant("sagemaker:UpdateEndpoint", urn))) == []
    assert len([*weights_left_to_sluice(grant("sagemaker:UpdateEndpoint", urn), owners=["acme:Platform"])]) == 1


def test_a_denial_and_other_updates_are_fine() -> None:
    assert list(weights_left_to_sluice(grant("sagemaker:UpdateEndpoint", effect="Deny"))) == []
    assert list(weights_left_to_sluice(grant("sagemaker:UpdateTrainingJob"))) == []


@pytest.mark.parametrize(
    "resource",
    [
        calling(
            "command:local:Command",
            create="aws sagemaker update-endpoint-weights-and-capacities --endpoint-name shop",
        ),
        calling("command:local:Command", update="aws sagemaker update-endpoint --endpoint-name shop"),
        calling("command:local:Command", create="python -c \"boto3.client('sagemaker').update_endpoint(...)\""),
        calling(
            "aws:sfn/stateMachine:StateMachine",
            definition='{"Resource": "arn:aws:states:::aws-sdk:sagemaker:updateEndpointWeightsAndCapacities"}',
        ),
        calling(
            "aws:scheduler/schedule:Schedule",
            target={"arn": "arn:aws:scheduler:::aws-sdk:sagemaker:updateEndpoint"},
        ),
        calling("aws:ssm/document:Document", content="Api: UpdateEndpointWeightsAndCapacities"),
    ],
    ids=lambda resource: resource.type,
)
def test_calls_in_commands_machines_schedules_and_documents_are_found(resource: Resource) -> None:
    (fault,) = weights_left_to_sluice(resource)

    assert f"'shift' ({resource.type}) calls SageMaker's UpdateEndpoint" in fault
    assert list(weights_left_to_sluice(resource, reviewed=["shift"])) == []


def test_other_commands_pass() -> None:
    assert list(weights_left_to_sluice(calling("command:local:Command", create="aws sagemaker list-endpoints"))) == []
    assert list(weights_left_to_sluice(calling("command:local:Command", create="aws pinpoint update-endpoint"))) == []


@pytest.mark.parametrize("kind", ["pulumi-python:dynamic:Resource", "pulumi-nodejs:dynamic/shop:Shift"])
def test_a_dynamic_resource_is_looked_into_by_a_person(kind: str) -> None:
    (fault,) = weights_left_to_sluice(calling(kind))

    assert "whose code a policy cannot see" in fault
    assert list(weights_left_to_sluice(calling(kind), reviewed=["shift"])) == []
