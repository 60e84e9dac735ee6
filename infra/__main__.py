"""The Pulumi program: configuration in, components, exports out. What each of them is, is decided in the modules beside it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.bundle import ROOT
from infra.control_plane import ControlPlane
from infra.exports import control_plane_export, endpoint_export
from infra.guarded_endpoint import GuardedEndpoint
from infra.preflight import check, guarded
from infra.resource_names import Names, Place
from infra.slot_alarms import Alarms
from infra.stack_config import stack_document
from infra.submission import Submission, destroy_guard
from sluice.client.contract import CONTRACT_VERSION
from sluice.core.errors import BadInput
from sluice.schema import StackSpec, parse_stack


def main() -> None:
    """Register the stack, or stop before anything is registered with a sentence per fault."""
    names = Names(pulumi.get_project(), pulumi.get_stack(), _place())
    try:
        spec = parse_stack(stack_document("sluice"), ROOT, names.project, names.stack)
        check(names, spec)
    except BadInput as fault:
        raise pulumi.RunError(str(fault)) from None
    build(names, spec)


def build(names: Names, spec: StackSpec) -> None:
    """The control plane first: an endpoint is submitted to only when its whole way back stands."""
    control = ControlPlane(names, spec)
    everything: list[pulumi.Resource] = [control]
    exported = {}
    for endpoint in spec.endpoints:
        served = GuardedEndpoint(names, endpoint, spec, control)
        alarms = Alarms(endpoint.name, guarded(names, endpoint))
        submission = Submission(names, endpoint, guarded(names, endpoint), served, [control, served, alarms])
        everything += [served, alarms, submission]
        exported[endpoint.name] = endpoint_export(names, endpoint, served, control, submission.status)
    destroy_guard(names, everything, protect=spec.protect)
    pulumi.export("contract_version", CONTRACT_VERSION)
    pulumi.export("endpoints", exported)
    pulumi.export("control_plane", control_plane_export(names, control))


def _place() -> Place:
    return Place(aws.get_partition().partition, aws.get_region().region, aws.get_caller_identity().account_id)


if __name__ == "__main__":
    main()
