"""IAM: roles, their policies, and managed policies."""

from __future__ import annotations

from typing import Any

from sluice.sandbox.engine.kinds import Aws, Call, Change, Kind, Naming, Part, Tagging
from sluice.sandbox.engine.translate import Rules

_ROLE = {"RoleName": "name"}


def _attach(aws: Aws, change: Change) -> dict[str, Any]:
    """`managedPolicyArns` is the whole set: what is not in it goes."""
    old, new = (set(inputs.get("managedPolicyArns", ())) for inputs in (change.old, change.new))
    for arn in sorted(new - old):
        aws.call("iam", "AttachRolePolicy", RoleName=change.facts["name"], PolicyArn=arn)
    for arn in sorted(old - new):
        aws.call("iam", "DetachRolePolicy", RoleName=change.facts["name"], PolicyArn=arn)
    return {}


def _delete_role(aws: Aws, change: Change) -> dict[str, Any]:
    name = change.facts["name"]
    forced = change.facts.get("forceDetachPolicies", False)
    if forced or change.facts.get("managedPolicyArns"):
        for policy in aws.call("iam", "ListAttachedRolePolicies", RoleName=name)["AttachedPolicies"]:
            aws.call("iam", "DetachRolePolicy", RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in aws.call("iam", "ListRolePolicies", RoleName=name)["PolicyNames"] if forced else ():
        aws.call("iam", "DeleteRolePolicy", RoleName=name, PolicyName=policy)
    return aws.call("iam", "DeleteRole", RoleName=name)


_TAKES = Rules(
    renames={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
    accepted={"forceDetachPolicies": "tells only the delete what to do"},
)

_TRUST = Call("UpdateAssumeRolePolicy", keys={**_ROLE, "PolicyDocument": "assumeRolePolicy"})

ROLE = Kind(
    type="aws:iam/role:Role",
    service="iam",
    create=Call("CreateRole"),
    read=Call("GetRole", keys=_ROLE),
    update=Call("UpdateRole", keys=_ROLE, sends=("description", "maxSessionDuration")),
    delete=_delete_role,
    parts=(
        Part(("assumeRolePolicy",), put=_TRUST, on_create=False),
        Part(
            ("permissionsBoundary",),
            put=Call("PutRolePermissionsBoundary", keys=_ROLE),
            clear=Call("DeleteRolePermissionsBoundary", keys=_ROLE),
            on_create=False,
        ),
        Part(("managedPolicyArns",), put=_attach),
    ),
    computed={"arn": "Role.Arn", "uniqueId": "Role.RoleId", "createDate": "Role.CreateDate"},
    naming=Naming(longest=64),
    tagging=Tagging(Call("TagRole", keys=_ROLE), Call("UntagRole", keys=_ROLE)),
    rules=_TAKES,
    force_new=("name", "namePrefix", "path"),
    required=("assumeRolePolicy",),
    defaults={"path": "/", "maxSessionDuration": 3600},
    cleared={"description": ""},
    documents=("assumeRolePolicy",),
    unordered=("managedPolicyArns",),
)

_INLINE = {"RoleName": "role", "PolicyName": "name"}

ROLE_POLICY = Kind(
    type="aws:iam/rolePolicy:RolePolicy",
    service="iam",
    create=Call("PutRolePolicy", keys=_INLINE),
    read=Call("GetRolePolicy", keys=_INLINE),
    update=Call("PutRolePolicy", keys=_INLINE),
    delete=Call("DeleteRolePolicy", keys=_INLINE),
    id="{role}:{name}",
    naming=Naming(longest=128),
    rules=Rules(renames={"policy": "PolicyDocument"}),
    force_new=("name", "namePrefix", "role"),
    required=("policy", "role"),
    documents=("policy",),
)


def _new_version(aws: Aws, change: Change) -> dict[str, Any]:
    """IAM keeps five versions of a policy: the oldest that is not in use makes room."""
    arn = change.facts["id"]
    versions = aws.call("iam", "ListPolicyVersions", PolicyArn=arn)["Versions"]
    spare = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
    if len(versions) >= 5:
        aws.call("iam", "DeletePolicyVersion", PolicyArn=arn, VersionId=min(spare, key=lambda v: int(v[1:])))
    policy = change.new["policy"]
    return aws.call("iam", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=policy, SetAsDefault=True)


def _delete_policy(aws: Aws, change: Change) -> dict[str, Any]:
    arn = change.facts["id"]
    for version in aws.call("iam", "ListPolicyVersions", PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            aws.call("iam", "DeletePolicyVersion", PolicyArn=arn, VersionId=version["VersionId"])
    return aws.call("iam", "DeletePolicy", PolicyArn=arn)


_POLICY = {"PolicyArn": "id"}

POLICY = Kind(
    type="aws:iam/policy:Policy",
    service="iam",
    create=Call("CreatePolicy"),
    read=Call("GetPolicy", keys=_POLICY),
    update=_new_version,
    delete=_delete_policy,
    id="@Policy.Arn",
    computed={"arn": "Policy.Arn", "policyId": "Policy.PolicyId", "attachmentCount": "Policy.AttachmentCount"},
    naming=Naming(longest=128),
    tagging=Tagging(Call("TagPolicy", keys=_POLICY), Call("UntagPolicy", keys=_POLICY)),
    rules=Rules(
        renames={"name": "PolicyName", "policy": "PolicyDocument"},
        accepted={"delayAfterPolicyCreationInMs": "waiting for IAM to spread has no meaning here"},
    ),
    force_new=("name", "namePrefix", "path", "description"),
    required=("policy",),
    defaults={"path": "/"},
    documents=("policy",),
)

_ATTACHED = {"RoleName": "role", "PolicyArn": "policyArn"}

ROLE_POLICY_ATTACHMENT = Kind(
    type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    service="iam",
    create=Call("AttachRolePolicy", keys=_ATTACHED),
    delete=Call("DetachRolePolicy", keys=_ATTACHED),
    id="{role}/{policyArn}",
    force_new=("role", "policyArn"),
    required=("role", "policyArn"),
)

KINDS = (ROLE, ROLE_POLICY, POLICY, ROLE_POLICY_ATTACHMENT)
