"""The Pulumi program: configuration in, components, exports out. What each of them is, is decided in the modules beside it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.alarm_path import watched_alarms
from infra.bundle import ROOT
from infra.control_plane import ControlPlane
from infra.dashboards import Dashboards
from infra.destruction import destroy_guard
from infra.exports import control_plane_export, endpoint_export
from infra.guarded_endpoint import GuardedEndpoint
from infra.preflight import check, guarded
from infra.resource_names import Names, Place
from infra.shared_control_plane import ControlLink, SharedControlPlane
from infra.slot_alarms import Alarms
from infra.stack_config import stack_document
from infra.submission import Submission
from sluice.client.contract import CONTRACT_VERSION
from sluice.core.errors import BadInput
from sluice.schema import StackSpec, parse_stack


def main() -> None:
    """Register the stack, or stop before anything is registered with a sentence per fault."""
    project, stack = pulumi.get_project(), pulumi.get_stack()
    try:
        spec = parse_stack(stack_document("sluice"), ROOT, project, stack)
        names = Names(project, stack, _place(), spec.served_by)
        check(names, spec)
    except BadInput as fault:
        raise pulumi.RunError(str(fault)) from None
    build(names, spec)


def build(names: Names, spec: StackSpec) -> None:
    """The control plane first: an endpoint is submitted to only when its whole way back stands."""
    control = _control_link(names, spec)
    everything = [control.stands]
    exported = {}
    for endpoint in spec.endpoints:
        served = GuardedEndpoint(names, endpoint, spec, control)
        alarms = Alarms(endpoint.name, guarded(names, endpoint))
        submission = Submission(names, endpoint, guarded(names, endpoint), served, [control.stands, served, alarms])
        everything += [served, alarms, submission]
        exported[endpoint.name] = endpoint_export(names, endpoint, served, submission.status)
    everything.append(Dashboards(names, [endpoint.endpoint_name for endpoint in spec.endpoints]))
    destroy_guard(names, everything, protect=spec.protect)
    pulumi.export("contract_version", CONTRACT_VERSION)
    pulumi.export("endpoints", exported)
    pulumi.export("control_plane", control.exported)


def _control_link(names: Names, spec: StackSpec) -> ControlLink:
    """Its own control plane, unless the configuration names another stack's."""
    if spec.control_plane is not None:
        return SharedControlPlane(names, spec, watched_alarms(spec)).link
    own = ControlPlane(names, spec)
    return ControlLink(own.capture.bucket, own, own.cleaned_up, control_plane_export(names, spec, own))


def _place() -> Place:
    return Place(aws.get_partition().partition, aws.get_region().region, aws.get_caller_identity().account_id)


if __name__ == "__main__":
    main()
