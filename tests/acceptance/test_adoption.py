"""A running endpoint that somebody else made is taken over: its traffic is Sluice's from then on, the endpoint stays theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from sluice.core.audit import chain_faults, replay
from sluice.core.rollout import Phase
from sluice.sandbox.engine.program import ProgramFailed
from sluice.sandbox.triage import Example
from tests.acceptance.conftest import Stage, on_stage

THEIRS = "scoring"
ADOPTED = {"adopt": True, "endpoint_name": THEIRS, "slots": ["AllTraffic", "next"]}


@pytest.fixture
def stage(example: Example) -> Iterator[Stage]:
    """v1 serves from an endpoint made without Sluice, and clients send."""
    with on_stage(example, THEIRS) as made:
        make_endpoint(made, "v1")
        assert made.sandbox.run_until(lambda: status() == "InService", 3600)
        made.send()
        yield made


def make_endpoint(stage: Stage, release: str, **variant: Any) -> None:
    document = stage.example.document(release)
    container = {
        "Image": document["image"],
        "ModelDataUrl": document["artifact"]["url"],
        "Environment": document["environment"],
    }
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model(ModelName="scoring-2024", PrimaryContainer=container, ExecutionRoleArn=their_role())
    only = {
        "VariantName": "AllTraffic",
        "ModelName": "scoring-2024",
        "InstanceType": document["instance_type"],
        "InitialInstanceCount": 1,
        **variant,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="scoring-2024", ProductionVariants=[only])
    sagemaker.create_endpoint(EndpointName=THEIRS, EndpointConfigName="scoring-2024")


def their_role() -> str:
    iam = boto3.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="their-serving", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    reads = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    iam.put_role_policy(
        RoleName="their-serving",
        PolicyName="read",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [reads]}),
    )
    arn: str = role["Role"]["Arn"]
    return arn


def status() -> str:
    found: str = boto3.client("sagemaker").describe_endpoint(EndpointName=THEIRS)["EndpointStatus"]
    return found


def test_an_adopted_endpoint_gets_a_release_and_a_rollback_and_stays_theirs(stage: Stage) -> None:
    stage.sandbox.config["protect"] = False
    before = stage.endpoint_calls()

    result = stage.up("v1", **ADOPTED)

    assert stage.endpoint_calls() == before == ["CreateEndpoint"], "adoption moves nothing"
    assert not [step for step in result.changes if step.type.startswith("aws:sagemaker/")]
    assert (stage.head.champion.slot, stage.head.champion.release.name) == ("AllTraffic", "v1")
    assert stage.canary_weight("AllTraffic") == 1

    stage.up("v2", **ADOPTED)
    stage.until_ended()
    assert (stage.head.champion.slot, stage.head.champion.release.name) == ("next", "v2")
    stage.up("v3", **ADOPTED)
    stage.until_ended()
    assert stage.head.outcome is not None
    assert stage.head.outcome.phase is Phase.ROLLED_BACK
    assert (stage.canary_weight("next"), stage.canary_weight("AllTraffic")) == (1, 0)
    events = stage.sandbox.events(THEIRS)
    assert chain_faults(events) == ()
    assert replay(events) == stage.head
    denied = [c for c in stage.sandbox.cloud.gate.calls if c.outcome.startswith(("AccessDenied", "Authorization"))]
    assert denied == []

    stage.sandbox.destroy()

    assert status() == "InService", "it was theirs before and is theirs after"
    assert {route.slot for route in stage.sandbox.meters.endpoints.routes(THEIRS)} >= {"next"}
    roles = {role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]}
    assert roles == {"their-serving", "sluice-dev-serve-triage"}, "the model that serves still needs its role"


def test_a_release_that_does_not_serve_is_refused(stage: Stage) -> None:
    with pytest.raises(
        ProgramFailed, match=r"it serves artifact s3://\S+/v1/\S+, but release v2 has s3://\S+/v2/\S+ Set `release`"
    ):
        stage.up("v2", **ADOPTED)

    assert stage.endpoint_calls() == ["CreateEndpoint"]
    stage.up("v1", **ADOPTED)
    assert stage.head.champion.release.name == "v1", "the next run, with the right one, is not held against it"


def test_an_endpoint_that_does_not_exist_is_refused_by_name(stage: Stage) -> None:
    with pytest.raises(ProgramFailed, match="Could not find endpoint"):
        stage.up("v1", **{**ADOPTED, "endpoint_name": "skoring"})


def test_slots_that_do_not_name_the_live_variant_are_refused(stage: Stage) -> None:
    with pytest.raises(ProgramFailed, match=r"serves from variant 'AllTraffic'.*Set `slots: \[AllTraffic, next\]`"):
        stage.up("v1", **{**ADOPTED, "slots": ["blue", "green"]})


def test_what_was_made_here_is_not_deleted_by_adopting_it(example: Example) -> None:
    with on_stage(example, THEIRS) as stage:
        stage.sandbox.config["protect"] = False
        stage.up("v1", endpoint_name=THEIRS)

        with pytest.raises(ProgramFailed, match="was made by this stack: with `adopt: true` Pulumi would delete it"):
            stage.up("v1", adopt=True, endpoint_name=THEIRS)

        assert status() == "InService"
        assert "DeleteEndpoint" not in stage.endpoint_calls()
        assert stage.up("v1", endpoint_name=THEIRS).count("delete") == 0


def test_nobodys_requests_are_written_down_unasked(stage: Stage) -> None:
    stage.up("v1", **ADOPTED)
    stage.up("v2", **ADOPTED)
    stage.until_weight(500)

    config = boto3.client("sagemaker").describe_endpoint(EndpointName=THEIRS)["EndpointConfigName"]
    assert config.startswith("sluice-")
    described = boto3.client("sagemaker").describe_endpoint_config(EndpointConfigName=config)
    assert not described.get("DataCaptureConfig", {}).get("EnableCapture")
