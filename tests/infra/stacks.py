"""A configured stack for the tests of the infrastructure, and the Pulumi program run against a monitor that records it."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import get_root_resource, rpc, set_all_config, set_mocks
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.settings import ROOT

from infra.permission_scope import Scope, scope_of
from infra.place import Place
from infra.preflight import guarded
from infra.resource_names import Names
from sluice.schema import EndpointSpec, StackSpec, parse_stack

REPOSITORY = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "eu-west-1"
IMAGE = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn@sha256:" + "c" * 64
NAMES = Names("sluice", "dev", Place("aws", REGION, ACCOUNT))


def release_document(name: str = "v1", sha256: str = "a" * 64, image: str = IMAGE) -> dict[str, Any]:
    return {
        "schema": 1,
        "name": name,
        "artifact": {"url": f"s3://models/triage/{name}/model.tar.gz", "sha256": sha256},
        "image": image,
        "environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        "contract": "1",
        "instance_type": "ml.m5.large",
        "smoke": {"content_type": "text/csv", "inputs": ["1,2,3"]},
    }


def endpoint_document(**more: Any) -> dict[str, Any]:
    return {"release": release_document(), "policy": "demo", **more}


def spec(names: Names = NAMES, **endpoints: Any) -> StackSpec:
    """A parsed stack, of one endpoint called Triage unless told otherwise."""
    document = {"endpoints": endpoints or {"Triage": endpoint_document()}}
    return parse_stack(document, REPOSITORY, names.project, names.stack)


def endpoint() -> EndpointSpec:
    return spec().endpoints[0]


def scope() -> Scope:
    return scope_of(NAMES, spec())


GUARDED = guarded(NAMES, endpoint())
STATUS = {
    "endpoint": "dev-Triage",
    "live": {"release": "v1", "digest": endpoint().release.digest},
    "slot": "blue",
    "rollout": None,
    "last_outcome": None,
    "heartbeat": None,
}


@dataclass(frozen=True)
class Registered:
    """One resource as the program asked for it."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool
    ignore_changes: tuple[str, ...]
    retained: bool
    depends_on: frozenset[str]
    parent: str


@dataclass
class Recording:
    """What one run registered, exported and said. `needed` follows dependencies and parents all the way."""

    project: str
    stack: str
    resources: dict[str, Registered] = field(default_factory=dict)
    invoked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)

    def only(self, kind: str, name: str) -> Registered:
        found = self.of(kind)
        assert name in found, f"no {kind} {name!r} among {sorted(found)}"
        return found[name]

    def of(self, kind: str) -> dict[str, Registered]:
        return {r.name: r for r in self.resources.values() if r.type.rpartition(":")[2] == kind}

    def needed(self, kind: str, name: str) -> set[tuple[str, str]]:
        urns, seen = [self._urn(kind, name)], set()
        while urns:
            for urn in self.resources[urns.pop()].depends_on - seen:
                seen.add(urn)
                urns.append(urn)
        return {(self.resources[urn].type.rpartition(":")[2], self.resources[urn].name) for urn in seen}

    def _urn(self, kind: str, name: str) -> str:
        return next(u for u, r in self.resources.items() if r.name == name and r.type.rpartition(":")[2] == kind)


class _Cloud(Mocks):
    def __init__(self, recording: Recording, status: Mapping[str, Any]) -> None:
        self.recording, self.status = recording, status

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        named = {key: args.inputs.get(key) or f"{args.name}-1a2b3c4" for key in ("name", "bucket")}
        made = {"arn": f"arn:of:{args.name}", "url": f"https://queue/{args.name}", "result": "{}"}
        return f"{args.name}-id", {**named, **made, **args.inputs}

    def call(self, args: MockCallArgs) -> dict[str, Any]:
        self.recording.invoked.append((args.token, args.args))
        return {
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            "aws:index/getRegion:getRegion": {"region": REGION},
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": ACCOUNT,
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/up",
            },
            "aws:lambda/getInvocation:getInvocation": {"result": json.dumps(self.status)},
        }[args.token]


class _Monitor(MockMonitor):
    """Pulumi's mock monitor, keeping the options that it throws away."""

    def __init__(self, mocks: _Cloud) -> None:
        super().__init__(mocks)
        self.recording = mocks.recording

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            assert answer.urn not in self.recording.resources, f"{answer.urn} twice: Pulumi would refuse that"
            self.recording.resources[answer.urn] = Registered(
                type=request.type,
                name=request.name,
                inputs={key: _plain(value) for key, value in rpc.deserialize_properties(request.object).items()},
                protect=request.protect,
                ignore_changes=tuple(request.ignoreChanges),
                retained=request.retainOnDelete,
                depends_on=frozenset(urn for urn in request.dependencies if "pulumi:pulumi:Stack::" not in urn),
                parent=request.parent,
            )
        return answer


def _plain(value: Any) -> Any:
    """Archives have no equality; the paths in them have."""
    return sorted(value.assets) if isinstance(value, pulumi.AssetArchive) else value


class _Ear(logging.Handler):
    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording = recording

    def emit(self, record: logging.LogRecord) -> None:
        self.recording.said.append((record.levelname.lower(), record.getMessage()))


def run_program(
    status: Mapping[str, Any] = STATUS, *, project: str = "sluice", stack: str = "dev", **config: object
) -> Recording:
    """Run infra/__main__.py as Pulumi would, in a context of its own; `config` are values under `<project>:`."""
    recording = Recording(project, stack)
    given = {"endpoints": {"Triage": endpoint_document()}, **config}
    texts = {f"{project}:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    contextvars.copy_context().run(_run, recording, status, texts)
    return recording


def _run(recording: Recording, status: Mapping[str, Any], config: dict[str, str]) -> None:
    ROOT.set(None)
    asyncio.set_event_loop(asyncio.new_event_loop())  # the SDK takes the thread's loop; another test may have closed it
    cloud = _Cloud(recording, status)
    logger = logging.Logger("pulumi-test", logging.INFO)
    logger.addHandler(_Ear(recording))
    set_mocks(
        cloud, project=recording.project, stack=recording.stack, preview=False, logger=logger, monitor=_Monitor(cloud)
    )
    set_all_config(config)

    @pulumi.runtime.test
    def program() -> pulumi.Output[None]:
        runpy.run_path(str(REPOSITORY / "infra" / "__main__.py"), run_name="__main__")
        return pulumi.Output.from_input(get_root_resource().outputs).apply(recording.exports.update)

    program()
