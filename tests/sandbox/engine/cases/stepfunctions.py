"""Cases of the tables in `resources.stepfunctions`."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import Case
from tests.sandbox.stacks import client, role


def machine(start: str, **more: Any) -> aws.sfn.StateMachine:
    definition = json.dumps({"StartAt": start, "States": {start: {"Type": "Succeed"}}})
    return aws.sfn.StateMachine("x", role_arn=role().arn, definition=definition, **more)


CASES = (
    Case(
        "aws:sfn/stateMachine:StateMachine",
        lambda: machine("a"),
        lambda arn: json.loads(client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"])[
            "StartAt"
        ],
        ("a", "b"),
        lambda: machine(
            "b",
            tags={"a": "1"},
            logging_configuration={
                "level": "ALL",
                "log_destination": "arn:aws:logs:us-east-1:123456789012:log-group:m:*",
            },
        ),
        lambda: machine("b", name="other"),
    ),
)
