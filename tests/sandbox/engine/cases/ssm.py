"""Cases of the tables in `resources.ssm`."""

from __future__ import annotations

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import Case
from tests.sandbox.stacks import client

CASES = (
    Case(
        "aws:ssm/parameter:Parameter",
        lambda: aws.ssm.Parameter("x", type="String", value="one"),
        lambda name: client("ssm").get_parameter(Name=name)["Parameter"]["Value"],
        ("one", "two"),
        lambda: aws.ssm.Parameter("x", type="String", value="two", description="d", tags={"a": "1"}),
        lambda: aws.ssm.Parameter("x", name="/other", type="String", value="two"),
    ),
)
