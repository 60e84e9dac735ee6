"""Every resource type against moto: made, found again by boto3, left alone, changed, replaced, gone."""

from __future__ import annotations

import importlib

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import _types

from sluice.sandbox.engine.program import RunResult
from sluice.sandbox.engine.resources import KINDS
from tests.sandbox.engine.cases import (
    autoscaling,
    cloudwatch,
    dynamodb,
    events,
    functions,
    iam,
    messaging,
    s3,
    sagemaker,
    ssm,
    stepfunctions,
)
from tests.sandbox.stacks import Stack

AROUND = ("role", "queue", "other", "dead", "topic", "rule", "bucket", "target", "function")  # made for others' sake
CASES = (
    *iam.CASES,
    *functions.CASES,
    *stepfunctions.CASES,
    *dynamodb.CASES,
    *messaging.CASES,
    *events.CASES,
    *cloudwatch.CASES,
    *sagemaker.CASES,
    *s3.CASES,
    *ssm.CASES,
    *autoscaling.CASES,
)


def identity_of(stack: Stack, token: str) -> str:
    records = stack.engine.state.resources.values()
    (identity,) = [record.id for record in records if record.type == token and record.name not in AROUND]
    return identity


def steps_of(result: RunResult, token: str) -> list[str]:
    return [step.op for step in result.steps if step.type == token and step.name not in AROUND]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.token)
def test_a_resource_is_made_left_alone_changed_replaced_and_removed(stack, case):
    stack.up(case.first)
    first = identity_of(stack, case.token)
    assert case.look(first) == case.finds[0], "boto3 finds what the program asked for"

    stack.up(case.first)
    assert stack.calls == [], "the same program again makes no call at all"

    if case.changed is not None:
        changed = stack.up(case.changed)
        now = identity_of(stack, case.token)
        assert steps_of(changed, case.token) == ["update"], "changed in place"
        assert case.look(now) == case.finds[1], "boto3 finds the change"
        assert stack.up(case.changed).changes == (), "and it is settled"

    if case.replaced is not None:
        replaced = stack.up(case.replaced)
        assert steps_of(replaced, case.token) == ["replace"], "this change replaces"
        assert stack.up(case.replaced).changes == (), "and it is settled"

    stack.destroy()
    assert stack.engine.state.resources == {}, "nothing is left behind"


def test_a_composite_alarm_is_sent_with_its_suppressor(stack):
    """moto has no PutCompositeAlarm: what is sent is checked, and the read is answered."""
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:all"
    stack.answers["PutCompositeAlarm"] = lambda parameters: {}
    stack.answers["DescribeAlarms"] = lambda parameters: {"CompositeAlarms": [{"AlarmArn": arn}]}

    def program() -> None:
        suppressor = {"alarm": "deploying", "extension_period": 10, "wait_period": 20}
        made = aws.cloudwatch.CompositeAlarm(
            "x", alarm_name="all", alarm_rule="ALARM(a)", actions_suppressor=suppressor, tags={"a": "1"}
        )
        pulumi.export("arn", made.arn)

    result = stack.up(program)

    assert result.outputs == {"arn": arn}
    assert stack.sent("PutCompositeAlarm") == {
        "AlarmName": "all",
        "AlarmRule": "ALARM(a)",
        "ActionsEnabled": True,
        "ActionsSuppressor": "deploying",
        "ActionsSuppressorExtensionPeriod": 10,
        "ActionsSuppressorWaitPeriod": 20,
        "Tags": [{"Key": "a", "Value": "1"}],
    }


def test_every_table_is_exercised():
    exercised = {case.token for case in CASES}
    elsewhere = {"aws:cloudwatch/compositeAlarm:CompositeAlarm", "aws:lambda/invocation:Invocation"}

    assert set(KINDS) == exercised | elsewhere


def schema(token: str) -> tuple[set[str], set[str]]:
    """(inputs, outputs) of a type in the installed pulumi-aws."""
    _, path, class_name = token.split(":")
    package = path.split("/")[0].replace("lambda", "lambda_")
    source = importlib.import_module(f"pulumi_aws.{package}.{snake(class_name)}")
    arguments = getattr(source, f"{class_name}InitArgs", None) or getattr(source, f"{class_name}Args")
    inputs = set(_types.input_type_types(arguments))
    return inputs, set(_types.resource_types(getattr(source, class_name)))


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@pytest.mark.parametrize("token", sorted(KINDS))
def test_a_table_names_only_properties_that_pulumi_aws_has(token):
    kind = KINDS[token]
    inputs, outputs = schema(token)
    parts = {name for part in kind.parts for name in part.properties}
    written = {*kind.force_new, *kind.required, *kind.defaults, *kind.cleared, *kind.documents, *kind.known, *parts}
    named = {path.split(".")[0] for path in written} - {"*"}
    shared = {"policy", "expectedBucketOwner"} if "s3/bucket" in token else set()  # one function makes those tables

    assert named - inputs - shared == set(), "misspelt or gone in this version"
    assert {*kind.computed, *kind.formats} - outputs == set(), "outputs the real provider does not have"
    assert set(kind.required) <= inputs
