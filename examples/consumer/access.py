"""How the ward's role gets to ask the endpoint: by the platform's policy in the same account, by a role of its own in another.

SageMaker endpoints have no policies of their own to let in another account, so whoever asks must be a role of the endpoint's
account. It also has to be there because the outcomes must be recorded where the endpoint's metrics are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from sluice.client.contract import EndpointContract


@dataclass(frozen=True)
class Grant:
    """What must stand before the application may ask, and what it needs to know about it."""

    resources: Sequence[pulumi.Resource]
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


def allowed_here(role: aws.iam.Role, endpoint: pulumi.Output[EndpointContract]) -> Grant:
    """In the endpoint's account: the platform's managed policy."""
    policy = aws.iam.RolePolicyAttachment("ask", role=role.name, policy_arn=endpoint.invoke_policy_arn)
    return Grant([policy])


def allowed_there(role: aws.iam.Role, endpoint: pulumi.Output[EndpointContract], deployer: str) -> Grant:
    """In another account: a role beside the endpoint with the platform's policy as JSON, which only the ward's role may take on.

    `deployer` is a role of that account that may make roles; a platform team may rather make this one itself.
    """
    there = aws.Provider("there", region=endpoint.region, assume_roles=[{"role_arn": deployer}])
    beside = pulumi.ResourceOptions(provider=there)
    asking = aws.iam.Role("ward-asks", assume_role_policy=trusting("AWS", role.arn), opts=beside)
    allowed = aws.iam.RolePolicy("ward-asks", role=asking.name, policy=endpoint.invoke_policy_json, opts=beside)
    taking = aws.iam.RolePolicy(
        "take-on",
        role=role.name,
        policy=pulumi.Output.json_dumps(document({"Action": "sts:AssumeRole", "Resource": asking.arn})),
    )
    return Grant([allowed, taking], {"ASK_AS": asking.arn})


def allowed_to_log(role: aws.iam.Role, logs: aws.cloudwatch.LogGroup) -> aws.iam.RolePolicy:
    """Outcomes leave the function as lines of its log, too."""
    writing = {
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": pulumi.Output.concat(logs.arn, ":*"),
    }
    return aws.iam.RolePolicy("log", role=role.name, policy=pulumi.Output.json_dumps(document(writing)))


def trusting(kind: str, who: pulumi.Input[str]) -> pulumi.Output[str]:
    """Who may take a role on."""
    return pulumi.Output.json_dumps(document({"Principal": {kind: who}, "Action": "sts:AssumeRole"}))


def document(statement: Mapping[str, object]) -> Mapping[str, object]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
