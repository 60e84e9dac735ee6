"""The stack's exports: the contract with application teams, who read it with `sluice.client.contract`, where its version stands.

Adding a field is fine; changing or removing one raises the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pulumi

from infra.control_plane import ControlPlane
from infra.dashboards import dashboard_url
from infra.endpoint_names import champion_parameter
from infra.guarded_endpoint import GuardedEndpoint
from infra.release_status import Status
from infra.resource_names import Names
from sluice.core.record import Document, encode
from sluice.core.release import Release
from sluice.schema import EndpointSpec, StackSpec


@dataclass(frozen=True, slots=True)
class EndpointExport:
    """One endpoint. `desired` is what the configuration asks for, `live` what serves, `last_outcome` how the last rollout ended."""

    endpoint_name: str
    """In SageMaker."""
    endpoint_arn: pulumi.Input[str]
    """Of the endpoint."""
    region: str
    """Where it is."""
    slots: list[str]
    """The two production variants."""
    desired: Document
    """The release the stack's configuration asks for: `{release, digest}`."""
    live: pulumi.Input[Document]
    """The release that served when `up` last ran: `{release, digest}`. `sluice status` says what serves now."""
    last_outcome: pulumi.Input[Document | None]
    """How the last rollout ended, as of the last `up`; null before the first."""
    champion_parameter: str
    """An SSM parameter that names the release that serves, kept up to date between two `up`s."""
    invoke_policy_arn: pulumi.Input[str]
    """A managed policy for callers: invoke by weight (never `TargetVariant`, past a rollback), read the champion, record outcomes."""
    outcome_namespace: str
    """The CloudWatch namespace for business outcomes per variant."""
    contract: str
    """The contract version of the desired release: what callers send and get."""
    event_bus_arn: str
    """The event bus that alarm changes arrive on: the default one."""
    topic_arn: pulumi.Input[str]
    """Where people are paged."""
    rollout_bus_arn: str
    """The event bus on which programs are told of rollouts. See notifications.md."""
    dashboard_url: str
    """The stack's on-call dashboard, where the endpoint is chosen."""


@dataclass(frozen=True, slots=True)
class ControlPlaneExport:
    """What operators and the command line need. `reach` and what follows it are for stacks that want to be served by it."""

    table: pulumi.Input[str]
    """The DynamoDB table of records and audit events."""
    machine_arn: pulumi.Input[str]
    """The state machine whose executions are the clocks of rollouts."""
    topic_arn: pulumi.Input[str]
    """Where people are paged."""
    rollout_bus_name: pulumi.Input[str]
    """The event bus on which programs are told of rollouts. See notifications.md."""
    rollout_bus_arn: pulumi.Input[str]
    """The same by its ARN."""
    approvals_topic_arn: pulumi.Input[str] | None
    """Where signed links are sent to, for those who may approve; null where links are not turned on."""
    command_function: str
    """What `sluice status`, `abort` and the like ask, each class of commands through a URL of its own."""
    commands: Mapping[str, pulumi.Input[str]]
    """The URL of each class of commands (observe, operate, approve, force), for requests signed with SigV4."""
    command_policy_arns: Mapping[str, pulumi.Input[str]]
    """A managed policy for each class, and for `pipeline`: plain invocations of the alias of this name."""
    submit_function: str
    """What `pulumi up` invokes to submit a release."""
    dead_letter_queue_url: pulumi.Input[str]
    """Where alarm events end up that could not be handled; it pages."""
    capture_bucket: pulumi.Input[str]
    """Where captured requests and answers are kept."""
    alarm_prefix: str
    """Every alarm of the stack begins with it."""
    parameter_root: str
    """Every SSM parameter of the stack begins with it."""
    metrics_namespace: str
    """Of the control plane's own metrics."""
    reach: list[str]
    """Names, or beginnings of names, of other stacks' endpoints that it may serve."""
    artifact_buckets: list[str]
    """Where it may read releases from."""
    model_package_groups: list[str]
    """Groups of the model registry whose entries it may read."""


def endpoint_export(
    names: Names, spec: EndpointSpec, endpoint: GuardedEndpoint, status: pulumi.Output[Status]
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
        champion_parameter=champion_parameter(names, name),
        invoke_policy_arn=endpoint.invoke_policy.arn,
        outcome_namespace=names.outcome_namespace,
        contract=spec.release.contract,
        event_bus_arn=names.event_bus_arn,
        topic_arn=names.topic_arn,
        rollout_bus_arn=names.bus_arn,
        dashboard_url=dashboard_url(names, "on-call"),
    )
    return _exported(export)


def control_plane_export(names: Names, spec: StackSpec, control: ControlPlane) -> Mapping[str, Any]:
    """The entry `control_plane`."""
    export = ControlPlaneExport(
        table=control.table.name,
        machine_arn=control.machine.arn,
        topic_arn=control.notifications.topic.arn,
        rollout_bus_name=control.notifications.bus.name,
        rollout_bus_arn=control.notifications.bus.arn,
        approvals_topic_arn=control.links.topic.arn if control.links else None,
        command_function=names.function("command"),
        commands=control.commands.urls,
        command_policy_arns=control.commands.policy_arns,
        submit_function=names.function("submit"),
        dead_letter_queue_url=control.dead_letters.url,
        capture_bucket=control.capture.bucket,
        alarm_prefix=names.alarm_prefix,
        parameter_root=names.parameter_root,
        metrics_namespace=names.metrics_namespace,
        reach=list(spec.reach),
        artifact_buckets=list(spec.artifact_buckets),
        model_package_groups=list(spec.model_package_groups),
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
