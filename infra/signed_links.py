"""Signed links to approve and abort, where they are turned on: their key, who gets them, and the public address that takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from infra.control_functions import FunctionArgs, control_function
from infra.resource_names import LINK_FUNCTION
from infra.signing_key import link_key

SNS_KEY = "alias/aws/sns"
"""AWS's own: whoever of the account may publish may use it through SNS, without a permission about keys."""


@dataclass(frozen=True, slots=True)
class SignedLinks:
    """What others need: who gets links, and what the sending function is told."""

    topic: aws.sns.Topic
    told: Mapping[str, pulumi.Input[str]]


def signed_links(args: FunctionArgs, seconds: int, parent: pulumi.Resource) -> SignedLinks:
    """A function of its own behind the address, which knows nothing but to approve and to take back.

    A topic of its own, because whoever gets a link may use it: who submits releases should not be subscribed.
    """
    names, opts = args.scope.names, pulumi.ResourceOptions(parent=parent)
    key = link_key(names, parent)
    # Links are as good as keys while they last. The topic of pages cannot have this key: CloudWatch's alarms may not use it.
    topic = aws.sns.Topic("approvals", name=names.approvals, kms_master_key_id=SNS_KEY, opts=opts)
    told = {**args.told, LINK_FUNCTION: {"SLUICE_LINK_KEY": key.name}}
    function = control_function(LINK_FUNCTION, replace(args, told=told), parent)
    address = _public_address(function, opts)
    return SignedLinks(
        topic,
        {
            "SLUICE_LINK_KEY": key.name,
            "SLUICE_LINK_URL": address.function_url,
            "SLUICE_LINK_SECONDS": str(seconds),
            "SLUICE_APPROVALS_ARN": topic.arn,
        },
    )


def _public_address(function: aws.lambda_.Function, opts: pulumi.ResourceOptions) -> aws.lambda_.FunctionUrl:
    """Without AWS's signature: the link carries one of ours. Lambda wants both permissions for that."""
    url = aws.lambda_.FunctionUrl("link", function_name=function.name, authorization_type="NONE", opts=opts)
    aws.lambda_.Permission(
        "link-url",
        action="lambda:InvokeFunctionUrl",
        function=function.name,
        principal="*",
        function_url_auth_type="NONE",
        opts=opts,
    )
    aws.lambda_.Permission(
        "link-invoke",
        action="lambda:InvokeFunction",
        function=function.name,
        principal="*",
        invoked_via_function_url=True,
        opts=opts,
    )
    return url
