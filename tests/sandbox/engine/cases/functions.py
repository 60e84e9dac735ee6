"""Cases of the tables in `resources.functions`."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import Case, queue
from tests.sandbox.stacks import client, code, function, role


def seen_function(name: str) -> Any:
    found = client("lambda").get_function(FunctionName=name)
    settings = found["Configuration"]
    reserved = found.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    return settings["Timeout"], settings.get("Environment", {}).get("Variables"), reserved, found.get("Tags", {})


def renamed_function() -> aws.lambda_.Function:
    return aws.lambda_.Function(
        "x", name="other", role=role("x-role").arn, handler="app.handler", runtime="python3.13", code=code()
    )


def sid_of_permission(identity: str) -> Any:
    name = client("lambda").list_functions()["Functions"][0]["FunctionName"]
    document = json.loads(client("lambda").get_policy(FunctionName=name)["Policy"])
    return [s["Condition"]["ArnLike"]["AWS:SourceArn"][-1] for s in document["Statement"] if s["Sid"] == identity]


def permission(source: str) -> aws.lambda_.Permission:
    return aws.lambda_.Permission(
        "x", function=function().name, action="lambda:InvokeFunction", principal="events.amazonaws.com",
        source_arn=f"arn:aws:events:us-east-1:123456789012:rule/{source}",
    )  # fmt: skip


def mapping(size: int, source: str = "queue") -> aws.lambda_.EventSourceMapping:
    return aws.lambda_.EventSourceMapping(
        "x", function_name=function().arn, event_source_arn=queue(source).arn, batch_size=size
    )


def alias(**more: Any) -> aws.lambda_.Alias:
    return aws.lambda_.Alias("x", function_name=function(publish=True).name, function_version="1", **more)


CASES = (
    Case(
        "aws:lambda/function:Function",
        lambda: function("x"),
        seen_function,
        ((3, None, None, {}), (9, {"A": "b"}, 3, {"k": "v"})),
        lambda: function(
            "x", timeout=9, environment={"variables": {"A": "b"}}, reserved_concurrent_executions=3, tags={"k": "v"}
        ),
        renamed_function,
    ),
    Case(
        "aws:lambda/permission:Permission",
        lambda: permission("a"),
        sid_of_permission,
        (["a"], ["a"]),
        None,
        lambda: permission("b"),
    ),
    Case(
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        lambda: mapping(1),
        lambda uuid: client("lambda").get_event_source_mapping(UUID=uuid)["BatchSize"],
        (1, 2),
        lambda: mapping(2),
        lambda: mapping(2, "another"),
    ),
    Case(
        "aws:lambda/alias:Alias",
        alias,
        lambda arn: client("lambda").get_alias(FunctionName=arn.split(":")[6], Name=arn.split(":")[7])["Description"],
        ("", "d"),
        lambda: alias(description="d"),
        lambda: alias(name="other"),
    ),
    Case(
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        lambda: aws.lambda_.FunctionEventInvokeConfig("x", function_name=function().name, maximum_retry_attempts=1),
        lambda name: client("lambda").get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"],
        (1, 1),  # moto goes on showing the first configuration it was given
        lambda: aws.lambda_.FunctionEventInvokeConfig("x", function_name=function().name, maximum_retry_attempts=0),
    ),
    Case(
        "aws:lambda/functionUrl:FunctionUrl",
        lambda: aws.lambda_.FunctionUrl("x", function_name=function().name, authorization_type="AWS_IAM"),
        lambda name: client("lambda").get_function_url_config(FunctionName=name)["AuthType"],
        ("AWS_IAM", "NONE"),
        lambda: aws.lambda_.FunctionUrl("x", function_name=function().name, authorization_type="NONE"),
    ),
)
