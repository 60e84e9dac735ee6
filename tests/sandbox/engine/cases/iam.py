"""Cases of the tables in `resources.iam`."""

from __future__ import annotations

import json

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import PUBLIC, Case
from tests.sandbox.stacks import client, policy, role


def attachment(name: str) -> aws.iam.RolePolicyAttachment:
    attached = aws.iam.Policy(name, policy=policy("a"))
    return aws.iam.RolePolicyAttachment("x", role=role().name, policy_arn=attached.arn)


CASES = (
    Case(
        "aws:iam/role:Role",
        lambda: aws.iam.Role("x", assume_role_policy=json.loads(policy("a", **PUBLIC)), description="a"),
        lambda name: client("iam").get_role(RoleName=name)["Role"]["Description"],
        ("a", "b"),
        lambda: aws.iam.Role("x", assume_role_policy=policy("a", **PUBLIC), description="b", tags={"a": "1"}),
        lambda: aws.iam.Role("x", assume_role_policy=policy("a", **PUBLIC), path="/service/"),
    ),
    Case(
        "aws:iam/rolePolicy:RolePolicy",
        lambda: aws.iam.RolePolicy("x", role=role().name, policy=policy("a")),
        lambda identity: client("iam").get_role_policy(
            RoleName=identity.split(":")[0], PolicyName=identity.split(":")[1]
        )["PolicyDocument"],
        (json.loads(policy("a")), json.loads(policy("b"))),
        lambda: aws.iam.RolePolicy("x", role=role().name, policy=policy("b")),
        lambda: aws.iam.RolePolicy("x", name="other", role=role().name, policy=policy("b")),
    ),
    Case(
        "aws:iam/policy:Policy",
        lambda: aws.iam.Policy("x", policy=policy("a")),
        lambda arn: client("iam").get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"],
        ("v1", "v2"),
        lambda: aws.iam.Policy("x", policy=policy("b")),
        lambda: aws.iam.Policy("x", policy=policy("b"), path="/p/"),
    ),
    Case(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        lambda: attachment("a"),
        lambda identity: len(
            client("iam").list_attached_role_policies(RoleName=identity.split("/")[0])["AttachedPolicies"]
        ),
        (1, 1),
        None,
        lambda: attachment("b"),
    ),
)
