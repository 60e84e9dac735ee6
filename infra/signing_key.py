"""The keys that calls to HTTPS hooks and links are signed with: made once, kept encrypted in Parameter Store; nobody has to know them."""

from __future__ import annotations

import secrets

import pulumi
import pulumi_aws as aws

from infra.resource_names import Names
from sluice.core.conditions import Hook, HookKind
from sluice.schema import StackSpec

_BYTES = 32


def signing_key(names: Names, parent: pulumi.Resource) -> aws.ssm.Parameter:
    """Outside the root of the champion parameters, which more roles may read. To change it, write another value there:
    `up` leaves it alone.
    """
    return _key("signing-key", names.key_parameter, "Sluice signs its calls to HTTPS hooks with this", parent)


def link_key(names: Names, parent: pulumi.Resource) -> aws.ssm.Parameter:
    """What links are signed with. To make every link that is on its way worthless, write another value there."""
    return _key("link-key", names.link_key, "Sluice signs links to approve and abort with this", parent)


def _key(word: str, name: str, description: str, parent: pulumi.Resource) -> aws.ssm.Parameter:
    """Drawn when it is made; a value that is written there later stays."""
    return aws.ssm.Parameter(
        word,
        name=name,
        type="SecureString",
        value=pulumi.Output.secret(secrets.token_hex(_BYTES)),
        description=description,
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["value"]),
    )


def hooks_of(spec: StackSpec) -> tuple[Hook, ...]:
    """Every hook of every policy of the stack, once."""
    policies = [endpoint.policy for endpoint in spec.endpoints]
    found = [hook for policy in policies for step in policy.steps for hook in step.gates]
    found += [hook for policy in policies for hook in policy.on_rollback]
    return tuple(dict.fromkeys(found))


def signs(spec: StackSpec) -> bool:
    """Whether anything of the stack needs the key."""
    return any(hook.kind is HookKind.HTTPS for hook in hooks_of(spec))
