"""An application team's own stack: deployed by what the platform exports, in its account or in another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from sluice.sandbox.engine.program import ProgramFailed
from sluice.sandbox.triage import Example
from tests.acceptance.conftest import Stage, on_stage
from tests.acceptance.ward import CONFIG, PROGRAM, deploy


@pytest.fixture
def stage(example: Example) -> Iterator[Stage]:
    with on_stage(example) as made:
        made.up("v1")
        yield made


def test_a_platform_without_the_endpoint_stops_the_program_with_a_sentence(stage: Stage) -> None:
    with pytest.raises(ProgramFailed, match=r"endpoint 'triag': the stack has none of this name \(it has: triage\)"):
        deploy(stage, endpoint="triag")


def test_a_second_run_is_silent_and_everything_goes_again(stage: Stage) -> None:
    engine, made = deploy(stage)

    again = engine.up(PROGRAM, "ward", "dev", CONFIG)
    assert {step.op for step in made.changes} == {"create"}
    assert again.changes == ()
    assert {step.op for step in engine.destroy().steps} == {"delete"}


def test_once_a_rollout_has_ended_its_outcome_is_read_too(stage: Stage) -> None:
    """Pulumi hands numbers on as fractions, and the time of the outcome is one of them."""
    stage.up("v2")
    abort = {"action": "abort", "endpoint": stage.endpoint, "reason": "a try", "request_id": "1"}
    boto3.client("lambda").invoke(
        FunctionName="sluice-dev-command", Qualifier="pipeline", Payload=json.dumps(abort).encode()
    )
    stage.until_ended()
    stage.up("v1")

    _, made = deploy(stage)

    assert stage.sandbox.engine.state.outputs["endpoints"]["triage"]["last_outcome"]["phase"] == "rolled_back"
    assert made.outputs == {"function": "ward-dev", "asks": "dev-triage"}


def test_from_another_account_only_the_wards_role_takes_on_the_one_that_asks(stage: Stage) -> None:
    deploy(stage, endpoint_account_role="arn:aws:iam::123456789012:role/deploy")

    iam = boto3.client("iam")
    roles = {role["RoleName"].rpartition("-")[0]: role for role in iam.list_roles()["Roles"]}
    asking, own = roles["ward-asks"], roles["ward"]
    exported = stage.sandbox.engine.state.outputs["endpoints"]["triage"]["invoke_policy_arn"]
    managed = iam.get_policy_version(PolicyArn=exported, VersionId="v1")["PolicyVersion"]["Document"]
    policy = iam.get_role_policy(RoleName=asking["RoleName"], PolicyName=only(iam, asking))["PolicyDocument"]
    assert policy == managed
    assert asking["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"AWS": own["Arn"]}
    environment = boto3.client("lambda").get_function_configuration(FunctionName="ward-dev")["Environment"]
    assert environment["Variables"]["ASK_AS"] == asking["Arn"]
    assert iam.list_attached_role_policies(RoleName=own["RoleName"])["AttachedPolicies"] == []


def only(iam: Any, role: dict[str, Any]) -> str:
    (name,) = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
    return str(name)
