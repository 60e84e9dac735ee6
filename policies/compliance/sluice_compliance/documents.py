"""IAM documents in resources: where they are, and their statements. What they may say is decided in `iam` and `weights`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sluice_compliance.resources import UNKNOWN, Resource, items, look, parsed

ROLE: Final = "aws:iam/role:Role"

WHERE: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:iam/groupPolicy:GroupPolicy": ("policy",),
    "aws:iam/policy:Policy": ("policy",),
    ROLE: ("assumeRolePolicy",),
    "aws:iam/rolePolicy:RolePolicy": ("policy",),
    "aws:iam/userPolicy:UserPolicy": ("policy",),
    "aws:s3/bucketPolicy:BucketPolicy": ("policy",),
    "aws:sns/topic:Topic": ("policy",),
    "aws:sns/topicPolicy:TopicPolicy": ("policy",),
    "aws:sqs/queue:Queue": ("policy",),
    "aws:sqs/queuePolicy:QueuePolicy": ("policy",),
}
"""Not among them: key policies, in which the resource `*` means this key."""


def holds_documents(resource: Resource) -> bool:
    return resource.type in WHERE


def allowing(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """The statements that allow something; those that deny only narrow. Raises ValueError for a document that is not JSON."""
    for document in _documents(resource):
        for statement in items(look(document, "Statement")):
            if look(statement, "Effect") == "Allow":
                yield statement


def actions(statement: Mapping[str, Any]) -> list[str]:
    return [action for action in items(statement.get("Action")) if isinstance(action, str)]


def _documents(resource: Resource) -> Iterator[Any]:
    held = [resource.get(name) for name in WHERE.get(resource.type, ())]
    if resource.type == ROLE:
        held += [look(inline, "policy") for inline in items(resource.get("inlinePolicies"))]
    for document in held:
        if document is not None and document is not UNKNOWN and document != "":
            yield parsed(document)
