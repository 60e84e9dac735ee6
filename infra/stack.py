"""A whole stack: what is registered in which order, and what it exports. The program and the component are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.alarm_path import watched_alarms
from infra.control_plane import ControlPlane
from infra.dashboards import Dashboards
from infra.destruction import destroy_guard
from infra.exports import control_plane_export, endpoint_export
from infra.guarded_endpoint import GuardedEndpoint
from infra.place import Place
from infra.preflight import check, guarded
from infra.resource_names import Names
from infra.shared_control_plane import ControlLink, SharedControlPlane
from infra.slot_alarms import Alarms
from infra.submission import Submission
from sluice.client.contract import CONTRACT_VERSION
from sluice.schema import StackSpec


def stack(spec: StackSpec, parent: pulumi.Resource | None = None) -> Mapping[str, Any]:
    """Register everything, or raise BadInput before anything is; the exports.

    `parent` also says by its provider in which account and region.
    """
    names = Names(pulumi.get_project(), pulumi.get_stack(), _place(parent), spec.served_by)
    check(names, spec)
    return build(names, spec, parent)


def build(names: Names, spec: StackSpec, parent: pulumi.Resource | None = None) -> Mapping[str, Any]:
    """The control plane first: an endpoint is submitted to only when its whole way back stands."""
    below = pulumi.ResourceOptions(parent=parent)
    control = _control_link(names, spec, below)
    everything = [control.stands]
    submitted_by = aws.get_caller_identity(opts=pulumi.InvokeOptions(parent=parent)).arn
    exported = {}
    for endpoint in spec.endpoints:
        watched = guarded(names, endpoint)
        served = GuardedEndpoint(names, endpoint, spec, control, below)
        alarms = Alarms(endpoint.name, watched, below)
        way_back = [control.stands, served, alarms]
        submission = Submission(names, endpoint, watched, served, way_back, submitted_by, below)
        everything += [served, alarms, submission]
        exported[endpoint.name] = endpoint_export(names, endpoint, served, submission.status)
    everything.append(Dashboards(names, [endpoint.endpoint_name for endpoint in spec.endpoints], below))
    destroy_guard(names, everything, parent, protect=spec.protect)
    return {"contract_version": CONTRACT_VERSION, "endpoints": exported, "control_plane": control.exported}


def _control_link(names: Names, spec: StackSpec, below: pulumi.ResourceOptions) -> ControlLink:
    """Its own control plane, unless the configuration names another stack's."""
    if spec.control_plane is not None:
        return SharedControlPlane(names, spec, watched_alarms(spec), below).link
    own = ControlPlane(names, spec, below)
    return ControlLink(own.capture.bucket, own, own.cleaned_up, control_plane_export(names, spec, own))


def _place(parent: pulumi.Resource | None) -> Place:
    asked = pulumi.InvokeOptions(parent=parent)
    return Place(
        aws.get_partition(opts=asked).partition,
        aws.get_region(opts=asked).region,
        aws.get_caller_identity(opts=asked).account_id,
    )
