"""Small deployments for the tests of the sandbox's plumbing: roles, functions, queues, machines."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from textwrap import dedent
from typing import Any

import boto3

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
ECHO = """
    def handler(event, context):
        return event
"""
"""The smallest function."""
LOGS = {
    "Sid": "Logs",
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*",
}


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1")


def allow(sid: str, action: str | list[str], resource: str | list[str], **condition: Any) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def role(name: str, *statements: dict[str, Any], service: str = "lambda.amazonaws.com") -> str:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
    trust["Version"] = "2012-10-17"
    made = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    if statements:
        put_policy(name, *statements)
    return str(made["Role"]["Arn"])


def put_policy(name: str, *statements: dict[str, Any]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    client("iam").put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)


def zip_of(files: Mapping[str, str]) -> bytes:
    """A zip of python files by path; packages get their __init__.py."""
    packages = {f"{parent}/__init__.py" for path in files for parent in PurePath(path).parents if parent.name}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, source in {**dict.fromkeys(sorted(packages), ""), **files}.items():
            archive.writestr(path, dedent(source))
    return stream.getvalue()


def function(
    name: str,
    source: str,
    *statements: dict[str, Any],
    timeout: int = 30,
    environment: dict[str, str] | None = None,
    **more: Any,
) -> str:
    """Deploy `source` as a function with a role of its own (which may write logs); gives its ARN."""
    arn = role(f"{name}-role", LOGS, *statements)
    made = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=arn,
        Handler="app.handler",
        Timeout=timeout,
        Code={"ZipFile": zip_of({"app.py": source})},
        Environment={"Variables": environment or {}},
        **more,
    )
    return str(made["FunctionArn"])


def invoke(name: str, event: Any = None, **more: Any) -> tuple[Any, str | None]:
    """The answer and the FunctionError of a synchronous invocation by the operator."""
    answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    payload = answer["Payload"].read()
    return json.loads(payload) if payload else None, answer.get("FunctionError")


def queue(name: str, **attributes: str) -> str:
    """Make a queue and give its ARN."""
    client("sqs").create_queue(QueueName=name, Attributes=attributes)
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def url(name: str) -> str:
    return f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{name}"


def polling(queue_arn: str) -> dict[str, Any]:
    """What a function's role needs so that a mapping can poll a queue for it."""
    return allow("Poll", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], queue_arn)


def machine(name: str, role_arn: str, states: dict[str, Any], **more: Any) -> str:
    definition = {"StartAt": next(iter(states)), "States": states} | more
    made = client("stepfunctions").create_state_machine(name=name, roleArn=role_arn, definition=json.dumps(definition))
    return str(made["stateMachineArn"])
