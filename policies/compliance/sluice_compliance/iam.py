"""No permission for everything. Where AWS offers nothing narrower, the action is on a list with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sluice_compliance import documents
from sluice_compliance.resources import Resource, items, look

NO_RESOURCE_LEVEL: Final[Mapping[str, str]] = {
    "application-autoscaling:DescribeScalableTargets": "describing has no resource level",
    "application-autoscaling:DescribeScalingPolicies": "describing has no resource level",
    "cloudwatch:GetMetricData": "CloudWatch has no resource level for reading metrics",
    "cloudwatch:PutMetricData": "CloudWatch has no resource level for writing metrics; a condition limits the namespace",
    "ecr:GetAuthorizationToken": "a login token is for the whole registry",
    "sagemaker:ListEndpointConfigs": "listing has no resource level",
    "sagemaker:ListModels": "listing has no resource level",
}
"""Actions that may be allowed on any resource, and why. A stack's configuration adds to them."""
_INSTEAD: Final[Mapping[str, str]] = {"NotAction": "Action", "NotResource": "Resource", "NotPrincipal": "Principal"}
_ATTACHMENTS: Final = tuple(
    f"aws:iam/{kind}PolicyAttachment:{kind[:1].upper()}{kind[1:]}PolicyAttachment" for kind in ("group", "role", "user")
)
_PERMISSION: Final = "aws:lambda/permission:Permission"
_AWS_MANAGED = ":iam::aws:policy/"


def no_wildcard_iam(
    resource: Resource,
    *,
    any_resource: Mapping[str, str] | None = None,
    managed_policies: Mapping[str, str] | None = None,
    public_permissions: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Statements that allow, by every door: documents, trust, resource policies, Lambda permissions, AWS's ready-made policies."""
    allowed = {action.lower() for action in (*NO_RESOURCE_LEVEL, *(any_resource or {}))}
    try:
        for statement in documents.allowing(resource):
            where = f"{resource.name!r}, statement {look(statement, 'Sid') or 'without a Sid'}"
            yield from (f"{where}: {fault}" for fault in _statement_faults(statement, allowed))
    except ValueError as wrong:
        yield f"{resource.name!r}: the document is not JSON ({wrong})."
    yield from _ready_made_faults(resource, managed_policies or {})
    if resource.type == _PERMISSION and resource.name not in (public_permissions or {}):
        yield from _public_faults(resource)


def _statement_faults(statement: Mapping[str, Any], allowed: set[str]) -> Iterator[str]:
    for word, instead in _INSTEAD.items():
        if word in statement:
            yield f"{word} allows everything but what it names. List what is needed under {instead}."
    actions = documents.actions(statement)
    for action in actions:
        if "*" in action or "?" in action:
            yield f"the action {action!r} is a wildcard. Name the calls that are made."
    unlisted = [action for action in actions if action.lower() not in allowed]
    wide = [text for text in items(statement.get("Resource")) if isinstance(text, str) and _is_any(text)]
    if wide and unlisted:
        yield (
            f"{', '.join(unlisted)} on the resource {wide[0]!r}. Name the resources; where AWS has no resource level, say so "
            "in the configuration of this policy: `anyResource: {<action>: <reason>}`."
        )
    if "Condition" not in statement and _is_anybody(statement.get("Principal")):
        yield "the principal '*' is anybody. Name accounts, roles or services, or add a Condition."


def _is_any(resource: str) -> bool:
    """`*`, and ARNs that end up there: any service, or no more of the name than wildcards."""
    parts = resource.split(":", 5)
    if len(parts) < 6:
        return not resource.strip("*?:/")
    return "*" in parts[2] or not parts[5].strip("*?/")


def _is_anybody(principal: Any) -> bool:
    return principal == "*" or "*" in items(look(principal, "AWS"))


def _public_faults(permission: Resource) -> Iterator[str]:
    if permission.get("principal") == "*":
        yield (
            f"{permission.name!r} lets anybody invoke the function. Name the service or account in `principal`, or allow it in the "
            "configuration of this policy: `publicPermissions: {<name in the program>: <reason>}`."
        )


def _ready_made_faults(resource: Resource, allowed: Mapping[str, str]) -> Iterator[str]:
    """AWS's own policies are written for everybody, so nearly all of them are about the resource `*`."""
    arns = items(resource.get("managedPolicyArns")) if resource.type == documents.ROLE else ()
    if resource.type in _ATTACHMENTS:
        arns = items(resource.get("policyArn"))
    for arn in arns:
        if isinstance(arn, str) and _AWS_MANAGED in arn and arn.partition(_AWS_MANAGED)[2] not in allowed:
            yield (
                f"{resource.name!r} uses AWS's policy {arn.partition(_AWS_MANAGED)[2]!r}. Write what is needed into a policy of "
                "your own, or allow it in the configuration of this policy: `managedPolicies: {<name>: <reason>}`."
            )
