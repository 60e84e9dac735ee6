"""Endpoints are waited for, and what holds on to something is emptied before it goes."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pytest

from sluice.sandbox.engine.program import ProgramFailed
from sluice.sandbox.engine.resources import sagemaker
from tests.sandbox.stacks import client, configuration, ops, policy, record, trust


@pytest.fixture
def slept(monkeypatch):
    seconds: list[float] = []
    monkeypatch.setattr(sagemaker.time, "sleep", seconds.append)
    return seconds


def endpoint(**more):
    pulumi.export("arn", aws.sagemaker.Endpoint("e", endpoint_config_name=configuration(**more).name).arn)


def statuses(*words: str):
    """DescribeEndpoint answers these in turn and stays with the last."""
    left = list(words)

    def describe(parameters):
        status = left.pop(0) if len(left) > 1 else left[0]
        arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"
        return {"EndpointArn": arn, "EndpointStatus": status, "FailureReason": "no capacity"}

    return describe


def test_an_endpoint_is_waited_for_on_create_and_on_update(stack, slept):
    stack.answers["DescribeEndpoint"] = statuses("Creating", "Creating", "InService")
    stack.answers["UpdateEndpoint"] = lambda parameters: {}
    stack.up(endpoint)
    assert slept == [sagemaker.POLL_SECONDS] * 2

    stack.answers["DescribeEndpoint"] = statuses("Updating", "InService")
    result = stack.up(lambda: endpoint(kms_key_arn="key"))

    assert ops(result) == ["replace:configuration", "update:e"]
    new = record(stack, "configuration").id
    assert stack.sent("UpdateEndpoint") == {"EndpointName": record(stack, "e").id, "EndpointConfigName": new}
    assert len(slept) == 3
    assert stack.writes[-1] == "DeleteEndpointConfig", "the old configuration goes only after the endpoint has left it"


def test_an_endpoint_that_fails_fails_the_run_and_is_known_to_exist(stack, slept):
    stack.answers["DescribeEndpoint"] = statuses("Creating", "Failed")

    with pytest.raises(
        ProgramFailed, match="made, but not finished: endpoint 'e-.*' ended create as Failed: no capacity"
    ):
        stack.up(endpoint)

    assert record(stack, "e").unfinished
    stack.answers["DescribeEndpoint"] = statuses("InService")
    assert ops(stack.up(endpoint)) == ["update:e"], "the next run looks again"
    assert stack.writes == []
    assert stack.up(endpoint).changes == ()


def test_destroying_waits_until_the_endpoint_is_gone(stack, slept):
    stack.up(endpoint)

    stack.destroy()

    assert stack.calls[1][0] == "DescribeEndpoint"
    assert stack.writes == ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel", "DeleteRole"]


def test_a_role_with_managed_policies_is_emptied_before_it_goes(stack):
    arn = client("iam").create_policy(PolicyName="p", PolicyDocument=policy("a"))["Policy"]["Arn"]

    def program(arns):
        aws.iam.Role("managed", assume_role_policy=trust(), managed_policy_arns=arns)

    stack.up(lambda: program([arn]))
    stack.up(lambda: program([]))
    assert stack.writes == ["DetachRolePolicy"]

    stack.up(lambda: program([arn]))
    stack.destroy()
    assert stack.writes.count("DetachRolePolicy") == 1
