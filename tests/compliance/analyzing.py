"""The pack in a process of its own, started and asked over gRPC as Pulumi's engine does it, without a CLI."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from sluice.sandbox.engine.deployment import Deployment
from sluice.sandbox.engine.program import Engine, Program
from sluice.sandbox.engine.state import Record

PACK = Path(__file__).parents[2] / "policies" / "compliance"
LEVELS = {proto.ADVISORY: "advisory", proto.MANDATORY: "mandatory", proto.DISABLED: "disabled"}
NUMBERS = {word: number for number, word in LEVELS.items()}


@dataclass(frozen=True)
class Violation:
    """One diagnostic. `message` is the sentence without the rule's description, which comes first on the wire."""

    rule: str
    level: str
    message: str
    urn: str = ""

    @classmethod
    def of(cls, diagnostic: Any, urn: str) -> Self:
        message = diagnostic.message.removeprefix(f"{diagnostic.description}\n")
        return cls(diagnostic.policyName, LEVELS[diagnostic.enforcementLevel], message, diagnostic.urn or urn)


class Analyzer:
    """The engine's side: every resource before it is made, with its inputs; the stack at the end, with its outputs."""

    def __init__(self, port: int) -> None:
        self._calls = analyzer_pb2_grpc.AnalyzerStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def rules(self) -> list[Any]:
        return list(self._calls.GetAnalyzerInfo(empty_pb2.Empty()).policies)

    def configure(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        """As the engine does it: a rule without a word about it gets its own level and its parameters' defaults."""
        request = proto.ConfigureAnalyzerRequest()
        for rule in self.rules():
            said = dict(config.get(rule.name, {}))
            request.policyConfig[rule.name].enforcementLevel = NUMBERS[
                said.pop("enforcementLevel", LEVELS[rule.enforcementLevel])
            ]
            request.policyConfig[rule.name].properties.update(said)
        self._calls.Configure(request)

    def violations(
        self,
        records: Iterable[Record],
        config: Mapping[str, Mapping[str, Any]] = {},
        *,
        tells_unknowns: bool = True,
    ) -> list[Violation]:
        self.configure(config)
        found, resources = [], list(records)
        for record in resources:
            answer = self._calls.Analyze(_before(record))
            found += [Violation.of(diagnostic, record.urn) for diagnostic in answer.diagnostics]
        after = [_after(record, tells_unknowns) for record in resources]
        answer = self._calls.AnalyzeStack(proto.AnalyzeStackRequest(resources=after))
        return found + [Violation.of(diagnostic, "") for diagnostic in answer.diagnostics]


def _before(record: Record) -> Any:
    request = proto.AnalyzeRequest(urn=record.urn, type=record.type, name=record.name, options=_options(record))
    request.properties.update(_shown(record.inputs))
    return request


def _after(record: Record, tells_unknowns: bool) -> Any:
    """In a preview a provider plans outputs from inputs: most tell which are unknown, some leave those out."""
    resource = proto.AnalyzerResource(
        urn=record.urn,
        type=record.type,
        name=record.name,
        options=_options(record),
        parent=record.parent,
        dependencies=record.dependencies,
    )
    resource.properties.update(_shown({**(record.inputs if tells_unknowns else {}), **record.outputs}))
    for name, urns in record.property_dependencies.items():
        resource.propertyDependencies[name].urns.extend(urns)
    return resource


def _options(record: Record) -> Any:
    return proto.AnalyzerResourceOptions(
        protect=record.protect, ignoreChanges=record.ignore_changes, parent=record.parent
    )


def _shown(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The engine keeps its own marks (`__defaults`, `__provider`) to itself."""
    return {name: value for name, value in properties.items() if not name.startswith("__")}


@contextmanager
def started(pack: Path = PACK) -> Iterator[Analyzer]:
    """The command, the folder and the argument are those of Pulumi's language host."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:0", str(pack)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHONPATH"))}
    process = subprocess.Popen(command, cwd=pack, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = process.stdout.readline()
        assert port, process.stderr.read().decode() if process.stderr else "the pack said nothing"
        yield Analyzer(int(port))
    finally:
        process.kill()
        process.communicate()


class Previewing(Engine):
    """Keeps what a preview planned, with its unknowns; the engine itself forgets it."""

    planned: Deployment | None = None

    def _deployment(self, *args: Any, **more: Any) -> Deployment:
        self.planned = super()._deployment(*args, **more)
        return self.planned

    @property
    def records(self) -> list[Record]:
        assert self.planned is not None
        return list(self.planned.state.resources.values())


def planned(program: Program) -> list[Record]:
    """What a program registers, from a preview in the sandbox's engine: nothing is made."""
    engine = Previewing()
    engine.preview(program, "shop", "test", {"aws:region": "us-east-1"})
    return engine.records
