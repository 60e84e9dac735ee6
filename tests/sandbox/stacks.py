"""A stack in moto for the tests of the sandbox's Pulumi engine: runs programs, keeps the calls made to AWS."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pulumi
import pulumi_aws as aws
from botocore.response import StreamingBody

from sluice.sandbox.engine.program import Engine, RunResult


@functools.cache
def _loader() -> Any:
    """Service models are megabytes of JSON: read once for all tests."""
    return botocore.session.get_session().get_component("data_loader")


READING = ("Get", "List", "Describe", "Head")
TAGS = json.dumps({"tags": {"team": "ml"}})
"""Configuration of the AWS provider."""
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving@sha256:abc"


@dataclass
class Stack:
    """`calls` are (operation, parameters) in order. `answers` stand in for operations moto cannot do."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session = boto3.Session(region_name="us-east-1")
        self.session._session.register_component("data_loader", _loader())
        self.session.events.register("before-parameter-build", self._note)
        self.session.events.register("before-call", self._answer)
        self.engine = Engine(session=self.session)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, dict(params)))

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        answer = self.answers.get(model.name)
        return (SimpleNamespace(status_code=200), answer(self.calls[-1][1])) if answer else None

    def up(self, program: Callable[[], None] | Path, **config: str) -> RunResult:
        """Run once; afterwards `calls` holds this run's calls alone."""
        self.calls.clear()
        return self.engine.up(program, "shop", "test", {name.replace("__", ":"): v for name, v in config.items()})

    def preview(self, program: Callable[[], None], **config: str) -> RunResult:
        self.calls.clear()
        return self.engine.preview(program, "shop", "test", {name.replace("__", ":"): v for name, v in config.items()})

    def destroy(self) -> RunResult:
        self.calls.clear()
        return self.engine.destroy()

    @property
    def writes(self) -> list[str]:
        return [name for name, _ in self.calls if not name.startswith(READING)]

    def sent(self, operation: str) -> dict[str, Any]:
        """The parameters of the only call of this operation in the last run."""
        (parameters,) = [parameters for name, parameters in self.calls if name == operation]
        return parameters


def record(stack: Stack, name: str):
    (found,) = [record for record in stack.engine.state.resources.values() if record.name == name]
    return found


def ops(result: RunResult) -> list[str]:
    """Steps that are not `same`, as `create:name`."""
    return [f"{step.op}:{step.name}" for step in result.steps if step.op != "same"]


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1")


def answer(payload: Any, *, failed: bool = False) -> dict[str, Any]:
    """What lambda.invoke returns."""
    body = json.dumps(payload).encode()
    stream = StreamingBody(io.BytesIO(body), len(body))
    return {"StatusCode": 200, "Payload": stream, **({"FunctionError": "Unhandled"} if failed else {})}


def trust(service: str = "lambda.amazonaws.com") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(resource: str, **principal: Any) -> str:
    statement = {"Effect": "Allow", **principal, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{resource}"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(name: str = "role") -> aws.iam.Role:
    return aws.iam.Role(name, assume_role_policy=trust())


def code(text: str = "def handler(event, context): return 1") -> pulumi.AssetArchive:
    return pulumi.AssetArchive({"app.py": pulumi.StringAsset(text)})


def function(name: str = "function", **more: Any) -> aws.lambda_.Function:
    settings: dict[str, Any] = {"handler": "app.handler", "runtime": "python3.13", "code": code(), **more}
    return aws.lambda_.Function(name, role=role(f"{name}-role").arn, **settings)


def model(**more: Any) -> aws.sagemaker.Model:
    container = {"image": IMAGE, "model_data_url": "s3://models/1/model.tar.gz", "environment": {"A": "1"}}
    return aws.sagemaker.Model("model", execution_role_arn=role().arn, primary_container=container, **more)


def configuration(**more: Any) -> aws.sagemaker.EndpointConfiguration:
    variant = {
        "variant_name": "blue",
        "model_name": model().name,
        "initial_instance_count": 1,
        "initial_variant_weight": 1,
        "instance_type": "ml.m5.large",
        "volume_size_in_gb": 20,
    }
    return aws.sagemaker.EndpointConfiguration("configuration", production_variants=[variant], **more)
