"""Permissions name what they are for; what denies may be as wide as it likes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sluice_compliance.iam import no_wildcard_iam
from sluice_compliance.resources import UNKNOWN, Resource

REPORTS = "arn:aws:s3:::reports/*"


def policy(**changes: Any) -> Resource:
    """A policy with one statement."""
    statement = {"Sid": "Only", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [REPORTS], **changes}
    kept = {key: value for key, value in statement.items() if value is not None}
    return Resource("aws:iam/policy:Policy", "reports", {"policy": json.dumps({"Statement": kept})})


def test_named_actions_on_named_resources_pass() -> None:
    assert list(no_wildcard_iam(policy())) == []
    assert list(no_wildcard_iam(policy(Action="s3:GetObject", Resource=REPORTS))) == [], "single things are not lists"


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:Get*", "s3:Get?bject"])
def test_an_action_with_a_wildcard_is_refused(action: str) -> None:
    (fault,) = no_wildcard_iam(policy(Action=["s3:PutObject", action]))

    assert f"the action {action!r} is a wildcard" in fault


@pytest.mark.parametrize("resource", ["*", "arn:aws:s3:::*", "arn:aws:*:::reports", "arn:*:*:*:*:*", "**"])
def test_a_resource_that_is_everything_is_refused(resource: str) -> None:
    (fault,) = no_wildcard_iam(policy(Resource=resource))

    assert f"'reports', statement Only: s3:GetObject on the resource {resource!r}" in fault


@pytest.mark.parametrize("resource", ["arn:aws:cloudwatch:eu-west-1:1:alarm:*", "arn:aws:s3:::reports/*", UNKNOWN])
def test_a_kind_of_thing_is_narrow_enough(resource: object) -> None:
    held = Resource("aws:iam/policy:Policy", "reports", {"policy": {"Statement": [{"Resource": resource}]}})

    assert [*no_wildcard_iam(held)] == []


def test_actions_without_a_resource_level_are_on_a_list_with_reasons() -> None:
    listed, unlisted = ["ecr:GetAuthorizationToken"], ["ec2:DescribeVpcs"]

    assert list(no_wildcard_iam(policy(Action=listed, Resource="*"))) == []
    assert "ec2:DescribeVpcs on" in next(no_wildcard_iam(policy(Action=[*listed, *unlisted], Resource="*")))
    assert (
        list(
            no_wildcard_iam(
                policy(Action=unlisted, Resource="*"), any_resource={"ec2:describevpcs": "has no resource level"}
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("word", "instead"), [("NotAction", "Action"), ("NotResource", "Resource"), ("NotPrincipal", "Principal")]
)
def test_everything_but_is_refused(word: str, instead: str) -> None:
    (fault,) = no_wildcard_iam(policy(**{instead: None, word: ["iam:CreateUser"]}))

    assert f"{word} allows everything but what it names. List what is needed under {instead}" in fault


def test_denying_everything_is_fine() -> None:
    assert list(no_wildcard_iam(policy(Effect="Deny", Action="*", Resource="*"))) == []
    assert list(no_wildcard_iam(policy(Effect="Deny", Action=None, NotAction="iam:*", Resource="*"))) == []


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
def test_anybody_may_assume_no_role(principal: object) -> None:
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]}
    role = Resource("aws:iam/role:Role", "reports", {"assumeRolePolicy": json.dumps(trust)})

    (fault,) = no_wildcard_iam(role)

    assert "'reports', statement without a Sid: the principal '*' is anybody" in fault


def test_inline_policies_of_a_role_are_read() -> None:
    inline = {"inlinePolicies": [{"name": "all", "policy": policy(Action="*").get("policy")}]}

    (fault,) = no_wildcard_iam(Resource("aws:iam/role:Role", "reports", inline))

    assert "the action '*' is a wildcard" in fault


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("aws:iam/role:Role", {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}),
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
    ],
)
def test_aws_own_policies_need_a_reason(kind: str, properties: dict[str, Any]) -> None:
    resource = Resource(kind, "reports", properties)

    (fault,) = no_wildcard_iam(resource)

    assert "uses AWS's policy 'AdministratorAccess'" in fault
    assert list(no_wildcard_iam(resource, managed_policies={"AdministratorAccess": "break glass"})) == []


def test_ones_own_policy_may_be_attached() -> None:
    own = {"policyArn": "arn:aws:iam::123456789012:policy/reports"}

    assert list(no_wildcard_iam(Resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "reports", own))) == []


def test_a_function_is_not_for_everybody() -> None:
    kind = "aws:lambda/permission:Permission"

    assert len([*no_wildcard_iam(Resource(kind, "all", {"principal": "*"}))]) == 1
    assert [*no_wildcard_iam(Resource(kind, "bus", {"principal": "events.amazonaws.com"}))] == []
    meant = {"all": "it checks a signature of its own"}
    assert [*no_wildcard_iam(Resource(kind, "all", {"principal": "*"}), public_permissions=meant)] == []
    assert len([*no_wildcard_iam(Resource(kind, "other", {"principal": "*"}), public_permissions=meant)]) == 1


def test_a_document_that_is_not_json_is_named() -> None:
    (fault,) = no_wildcard_iam(Resource("aws:iam/policy:Policy", "reports", {"policy": "{"}))

    assert fault.startswith("'reports': the document is not JSON")


def test_a_document_the_preview_does_not_know_is_left_to_the_update() -> None:
    assert list(no_wildcard_iam(Resource("aws:iam/policy:Policy", "reports", {"policy": UNKNOWN}))) == []
