"""The stack's exports: the contract with application teams, who read it with `sluice.client.contract`, where its version stands.

Adding a field is fine; changing or removing one raises the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pulumi

from infra.control_plane import ControlPlane
from infra.guarded_endpoint import GuardedEndpoint
from infra.iam_documents import text
from infra.release_status import Status
from infra.resource_names import Names
from infra.serving_permissions import invoke_document
from sluice.core.record import Document, encode
from sluice.core.release import Release
from sluice.schema import EndpointSpec


@dataclass(frozen=True, slots=True)
class EndpointExport:
    """One endpoint. `desired` is what the configuration asks for, `live` what serves, `last_outcome` how the last rollout ended."""

    endpoint_name: str
    endpoint_arn: pulumi.Input[str]
    region: str
    slots: list[str]
    desired: Document
    live: pulumi.Input[Document]
    last_outcome: pulumi.Input[Document | None]
    champion_parameter: str
    invoke_policy_json: str
    invoke_policy_arn: pulumi.Input[str]
    outcome_namespace: str
    contract: str
    event_bus_arn: str
    topic_arn: pulumi.Input[str]


@dataclass(frozen=True, slots=True)
class ControlPlaneExport:
    """What operators and the command line need."""

    table: pulumi.Input[str]
    machine_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    command_function: str
    submit_function: str
    dead_letter_queue_url: pulumi.Input[str]
    capture_bucket: pulumi.Input[str]
    alarm_prefix: str
    parameter_root: str
    metrics_namespace: str


def endpoint_export(
    names: Names, spec: EndpointSpec, endpoint: GuardedEndpoint, control: ControlPlane, status: pulumi.Output[Status]
) -> Mapping[str, Any]:
    """One entry of `endpoints`."""
    name = spec.endpoint_name
    export = EndpointExport(
        endpoint_name=name,
        endpoint_arn=endpoint.endpoint_arn,
        region=names.place.region,
        slots=list(spec.slots),
        desired=desired(spec.release),
        live=status.apply(live),
        last_outcome=status.apply(last_outcome),
        champion_parameter=names.champion_parameter(name),
        invoke_policy_json=text(invoke_document(names, name)),
        invoke_policy_arn=endpoint.invoke_policy.arn,
        outcome_namespace=names.outcome_namespace,
        contract=spec.release.contract,
        event_bus_arn=names.event_bus_arn,
        topic_arn=control.topic.arn,
    )
    return _exported(export)


def control_plane_export(names: Names, control: ControlPlane) -> Mapping[str, Any]:
    """The entry `control_plane`."""
    export = ControlPlaneExport(
        table=control.table.name,
        machine_arn=control.machine.arn,
        topic_arn=control.topic.arn,
        command_function=names.function("command"),
        submit_function=names.function("submit"),
        dead_letter_queue_url=control.alarms.dead_letters.url,
        capture_bucket=control.capture.bucket,
        alarm_prefix=names.alarm_prefix,
        parameter_root=names.parameter_root,
        metrics_namespace=names.metrics_namespace,
    )
    return _exported(export)


def desired(release: Release) -> Document:
    return {"release": release.name, "digest": release.digest}


def live(status: Status) -> Document:
    return {"release": status.live_release, "digest": status.live_digest}


def last_outcome(status: Status) -> Document | None:
    return encode(status.outcome) if status.outcome is not None else None


def _exported(export: EndpointExport | ControlPlaneExport) -> Mapping[str, Any]:
    """Shallow on purpose: outputs inside must stay outputs."""
    return {field.name: getattr(export, field.name) for field in fields(export)}
