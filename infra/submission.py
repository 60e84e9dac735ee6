"""Handing a release over to the control plane during `pulumi up`, and asking it how things stand. Moves no traffic itself."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.alarm_formulas import Guarded, slot_alarms
from infra.endpoint_names import execution_role_arn, name_root, owner_tags
from infra.guarded_endpoint import GuardedEndpoint
from infra.release_status import Remark, Status, Weight, forecast_remarks, read_status, remark
from infra.resource_names import Names
from sluice.core.classes import PIPELINE
from sluice.core.head import Submission as Handover
from sluice.core.record import digest, encode
from sluice.core.rollout import SCHEMA, EndpointSettings, ScalingMode
from sluice.core.scaling import KEPT_WARNING
from sluice.schema import EndpointSpec, Owner


class Submission(pulumi.ComponentResource):
    """`adopt`, then `submit` and `revise`; after these, `status` says what came of it.

    `rollback_path` is everything that must stand before.
    """

    def __init__(
        self,
        names: Names,
        spec: EndpointSpec,
        guarded: Guarded,
        endpoint: GuardedEndpoint,
        rollback_path: Sequence[pulumi.Resource],
        submitted_by: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sluice:infra:Submission", spec.name, None, opts)
        owner = Owner(name_root(names), execution_role_arn(names, spec.name), owner_tags(names, spec.name))
        settings = endpoint.capture_url.apply(lambda url: spec.settings(owner, url))
        adopted = aws.lambda_.Invocation(
            f"{spec.name}-adopt",
            function_name=names.function("submit"),
            input=settings.apply(lambda given: adopt_input(spec, given)),
            # An endpoint of the stack's own that is to be adopted must be refused before Pulumi deletes it.
            triggers={"endpoint": spec.endpoint_name, **({"adopt": "yes"} if spec.adopt else {})},
            opts=self._once(rollback_path),
        )
        # The same release and nonce is the same submission: changed code, policy or tags must not start anything.
        self.submitted = aws.lambda_.Invocation(
            f"{spec.name}-submit",
            function_name=names.function("submit"),
            input=settings.apply(lambda given: submit_input(spec, guarded, given, submitted_by)),
            triggers={"release": spec.release.digest, "nonce": spec.nonce},
            opts=self._once([*rollback_path, adopted]),
        )
        # Beside releases, so that more instances need none. Only recorded here: the control plane carries it out.
        aws.lambda_.Invocation(
            f"{spec.name}-revise",
            function_name=names.function("submit"),
            input=settings.apply(lambda given: revise_input(spec, given)),
            triggers={
                "instances": str(spec.instances),
                "settings": settings.apply(lambda given: digest(encode(given))),
            },
            opts=self._once([*rollback_path, adopted]),
        )
        answer = aws.lambda_.get_invocation_output(
            function_name=names.function("command"),
            qualifier=PIPELINE,
            input=json.dumps({"action": "status", "endpoint": spec.endpoint_name}),
            opts=pulumi.InvokeOutputOptions(parent=self, depends_on=[self.submitted]),
        )
        self.status: pulumi.Output[Status] = answer.result.apply(read_status)
        self.status.apply(lambda status: say(remark(spec.endpoint_name, spec.release, spec.nonce, status)))
        if spec.scaling is ScalingMode.KEEP:
            say(Remark(Weight.WARNING, f"{spec.endpoint_name}: {KEPT_WARNING}"))
        for foreseen in forecast_remarks(spec):
            say(foreseen)
        self.register_outputs({})

    def _once(self, depends_on: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
        """Only the triggers invoke again; the input is a snapshot taken when they change."""
        return pulumi.ResourceOptions(parent=self, ignore_changes=["input"], depends_on=list(depends_on))


def adopt_input(spec: EndpointSpec, settings: EndpointSettings) -> str:
    """What `lambdas.submit` takes to make the endpoint's first record."""
    return json.dumps(
        {
            "action": "adopt",
            "endpoint": spec.endpoint_name,
            "slots": list(spec.slots),
            "settings": encode(settings),
            "instances": spec.instances,
            # An endpoint of ours says in its tags what it serves; of somebody else's the configuration has to say it.
            "release": encode(spec.release) if spec.adopt else None,
            "capture_said": spec.capture.said,
        },
        sort_keys=True,
    )


def revise_input(spec: EndpointSpec, settings: EndpointSettings) -> str:
    """What `lambdas.submit` takes to record counts and settings that need no release."""
    return json.dumps(
        {
            "action": "revise",
            "endpoint": spec.endpoint_name,
            "instances": spec.instances,
            "settings": encode(settings),
        },
        sort_keys=True,
    )


def submit_input(spec: EndpointSpec, guarded: Guarded, settings: EndpointSettings, submitted_by: str) -> str:
    """What `lambdas.submit` takes to start a rollout: the release, the snapshot it will run on, and who runs `pulumi up`."""
    handover = Handover(
        schema=SCHEMA,
        endpoint=spec.endpoint_name,
        release=spec.release,
        nonce=spec.nonce,
        policy=spec.policy,
        slots=spec.slots,
        alarms=slot_alarms(guarded),
        settings=settings,
        instances=spec.instances,
        scaling=spec.scaling,
        fallback=spec.fallback,
        submitted_by=submitted_by,
        rps=spec.rps,
    )
    return json.dumps({"action": "submit", "submission": encode(handover)}, sort_keys=True)


def say(said: Remark | None) -> None:
    """To whoever runs `pulumi up`."""
    if said is not None:
        (pulumi.log.warn if said.weight is Weight.WARNING else pulumi.log.info)(said.sentence)
