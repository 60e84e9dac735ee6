"""What `pulumi destroy` asks the control plane: first whether it may, last to clean up. Both know their stack, not its endpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.resource_names import Names


def destroy_guard(
    names: Names, everything: Sequence[pulumi.Resource], parent: pulumi.Resource | None = None, *, protect: bool
) -> aws.lambda_.Invocation:
    """Made last, so asked first: `pulumi destroy` stops here while a rollout is live. The input never changes; the function
    finds the stack's endpoints in the table.

    Protected with the stack: without a preview the engine deletes until it meets a protected resource, and what it meets
    first must be this, not the way back of an endpoint that stays.
    """
    return aws.lambda_.Invocation(
        "guard",
        function_name=names.function("submit"),
        input=json.dumps({**_asked(names, "guard"), "control_plane": names.control is names}),
        lifecycle_scope="CRUD",
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(everything), protect=protect),
    )


def clean_up_at_the_end(
    names: Names, function: pulumi.Input[str], depends_on: Sequence[pulumi.Resource], parent: pulumi.Resource
) -> aws.lambda_.Invocation:
    """Made before the endpoints, so destroyed after them: then models and configurations serve nobody and can go."""
    return aws.lambda_.Invocation(
        "clean",
        function_name=function,
        input=json.dumps(_asked(names, "clean")),
        lifecycle_scope="CRUD",
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(depends_on)),
    )


def _asked(names: Names, action: str) -> dict[str, str]:
    return {"action": action, "project": names.project, "stack": names.stack}
