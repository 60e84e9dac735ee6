"""Pulumi's resource monitor, in process: the SDK's requests as goals, records as its answers.

Stands where the engine's gRPC service stands. Decides nothing about resources; that is the deployment's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, resource_pb2

from sluice.sandbox.engine.deployment import Deployment
from sluice.sandbox.engine.goal import STACK, STACK_REFERENCE, Failed, Goal, urn_for
from sluice.sandbox.engine.lockstep import announce
from sluice.sandbox.engine.neighbours import Neighbours, referred
from sluice.sandbox.engine.state import Record
from sluice.sandbox.engine.wire import Properties, decode, encode

# Only what is honoured: for the rest (transforms, hooks) the SDK itself raises that the CLI does not support it.
_FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
)
_SEVERITIES = {engine_pb2.INFO: "info", engine_pb2.WARNING: "warning", engine_pb2.ERROR: "error"}


class Halted(Exception):
    """A request after the run has failed: nothing more is done."""


@dataclass(slots=True)
class Monitor:
    project: str
    stack: str
    deployment: Deployment
    neighbours: Neighbours = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    outputs: Properties = field(default_factory=dict)

    def RegisterResource(self, request: Any) -> Any:
        announce("register", request.parent, request.type, request.name)
        goal = self._goal(request)
        if request.importId:
            self._fail(f"{goal.type} '{goal.name}': the sandbox cannot import. Read it with `.get()` instead")
        if request.remote:
            self._fail(f"{goal.type} '{goal.name}': the sandbox has no remote components. Use the Python component")
        record = self._attempt(f"{goal.type} '{goal.name}'", lambda: self.deployment.register(goal))
        return resource_pb2.RegisterResourceResponse(
            urn=record.urn, id=record.id, object=encode(_visible(record)) if record.custom else None
        )

    def ReadResource(self, request: Any) -> Any:
        announce("read", request.parent, request.type, request.name)
        urn = urn_for(self.stack, self.project, request.parent, request.type, request.name)
        if request.type == STACK_REFERENCE:
            found = self._attempt(f"stack reference '{request.name}'", lambda: self._referred(request.id))
            return resource_pb2.ReadResourceResponse(urn=urn, id=request.id, properties=encode(found))
        goal = Goal(
            urn=urn, type=request.type, name=request.name, custom=True, parent=request.parent, provider=request.provider,
            inputs=decode(request.properties), dependencies=tuple(sorted(request.dependencies)),
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
        )  # fmt: skip
        record = self._attempt(f"{goal.type} '{goal.name}'", lambda: self.deployment.read(goal, request.id))
        return resource_pb2.ReadResourceResponse(urn=urn, id=record.id, properties=encode(_visible(record)))

    def _referred(self, name: str) -> Properties:
        """The outputs of another stack; nothing of it goes into this stack's state."""
        return referred(name, self.project, self.neighbours)

    def Invoke(self, request: Any) -> Any:
        announce("invoke", request.tok, request.args.SerializeToString(deterministic=True).hex())
        arguments = decode(request.args)
        if request.tok == "pulumi:pulumi:getResource":
            record = self.deployment.state.resources[arguments["urn"]]
            answer = {"urn": record.urn, "id": record.id, "state": record.outputs}
        else:
            work = partial(self.deployment.look_up, request.tok, arguments, request.provider)
            answer = self._attempt(request.tok, work)
        return resource_pb2.ResourceInvokeResponse(**{"return": encode(answer)})

    def RegisterResourceOutputs(self, request: Any) -> Any:
        announce("outputs", request.urn)
        outputs = decode(request.outputs)
        self.deployment.note_outputs(request.urn, outputs)
        if request.urn == urn_for(self.stack, self.project, "", STACK, f"{self.project}-{self.stack}"):
            self.outputs = outputs
        return empty_pb2.Empty()

    def GetDeploymentInfo(self, _request: Any) -> Any:
        return resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES)

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:
        return empty_pb2.Empty()

    def _attempt(self, who: str, work: Callable[[], Any]) -> Any:
        if self.failures:
            raise Halted(self.failures[0])
        try:
            return work()
        except Failed as failed:
            self.failures += failed.messages
            raise
        except Exception as error:  # a hole in a table: say at least whose
            self.failures.append(f"{who}: {type(error).__name__}: {error}")
            raise

    def _fail(self, message: str) -> None:
        self.failures.append(message)
        raise Failed([message])

    def _goal(self, request: Any) -> Goal:
        urn = urn_for(self.stack, self.project, request.parent, request.type, request.name)
        between = {name: tuple(sorted(deps.urns)) for name, deps in sorted(request.propertyDependencies.items())}
        return Goal(
            urn=urn, type=request.type, name=request.name, custom=request.custom, parent=request.parent,
            provider=request.provider, inputs=decode(request.object), protect=request.protect,
            retain_on_delete=request.retainOnDelete, ignore_changes=tuple(request.ignoreChanges),
            replace_on_changes=tuple(request.replaceOnChanges),
            delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
            dependencies=tuple(sorted(request.dependencies)), property_dependencies=between,
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            aliases=tuple(self._aliases(request)), deleted_with=request.deletedWith,
            replace_with=tuple(sorted(request.replace_with)), replacement_trigger=_trigger(request),
        )  # fmt: skip

    def _aliases(self, request: Any) -> Iterable[str]:
        """Former names: what an alias leaves out is as it is now."""
        for alias in request.aliases:
            if alias.urn:
                yield alias.urn
                continue
            spec = alias.spec
            parent = "" if spec.noParent else spec.parentUrn or request.parent
            stack, project = spec.stack or self.stack, spec.project or self.project
            yield urn_for(stack, project, parent, spec.type or request.type, spec.name or request.name)


def _trigger(request: Any) -> Any:
    if not request.HasField("replacement_trigger"):
        return None
    holder = type(request.object)()
    holder.fields["trigger"].CopyFrom(request.replacement_trigger)
    return decode(holder).get("trigger")


def _visible(record: Record) -> Properties:
    return {name: value for name, value in record.outputs.items() if not name.startswith("__")}


@dataclass(slots=True)
class Messages:
    """Stands where the engine's log service stands: keeps what a program says (`pulumi.log`)."""

    heard: list[tuple[str, str, str]] = field(default_factory=list)

    def Log(self, request: Any) -> Any:
        severity = _SEVERITIES.get(request.severity)
        if severity is not None:  # the SDK's own debug messages are a thousand a run
            self.heard.append((severity, request.message, request.urn))
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, _request: Any) -> Any:
        return engine_pb2.RequirePulumiVersionResponse()
