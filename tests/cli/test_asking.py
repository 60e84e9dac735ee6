"""Everything that can go wrong between the command line and the command function: one sentence, no traceback."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    ReadTimeoutError,
)

from infra.place import Place
from infra.resource_names import Names
from sluice.cli.invoke import Answer
from sluice.cli.target import Target
from tests.cli.conftest import Desk, status

NETWORK = "Check the network, and AWS_ENDPOINT_URL where it is set."
SEE = "Then see where things stand: sluice status dev/dev-triage"


def refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Invoke")


def raised(kind: str, message: str) -> Answer:
    return Answer({"errorType": kind, "errorMessage": message, "stackTrace": ["  File ..."]}, True)


CASES = {
    "credentials": (
        NoCredentialsError(),
        2,
        "no AWS access: Unable to locate credentials. Sign in (for example `aws sso login`), or set AWS_PROFILE.",
    ),
    "profile": (
        ProfileNotFound(profile="x"),
        2,
        "no AWS access: The config profile (x) could not be found. Sign in (for example `aws sso login`), or set AWS_PROFILE.",
    ),
    "region": (
        NoRegionError(),
        2,
        "no AWS region for shop-dev-command: give --region, or set `aws:region` in Pulumi.dev.yaml.",
    ),
    "function": (
        refused("ResourceNotFoundException"),
        2,
        "there is no function shop-dev-command in eu-west-1: project 'shop' and stack 'dev' have no control plane there. "
        "Check --project, --stack, --region and the AWS account, or run `pulumi up` first. "
        "For an endpoint of a shared control plane call from the folder with Pulumi.dev.yaml, or name the stack whose control plane it is.",
    ),
    "permission": (
        refused("AccessDeniedException", "User: ada is not authorized to perform: lambda:InvokeFunction."),
        2,
        "you may not ask shop-dev-command: User: ada is not authorized to perform: lambda:InvokeFunction. "
        "Whoever runs the stack gives it: `pulumi stack output control_plane` names a policy for each class of commands.",
    ),
    "expired": (
        refused("ExpiredTokenException"),
        2,
        "AWS does not take your credentials (ExpiredTokenException): sign in again.",
    ),
    "throttled": (
        refused("TooManyRequestsException", "Rate exceeded"),
        1,
        f"shop-dev-command could not be asked: TooManyRequestsException: Rate exceeded. {SEE}",
    ),
    "unreachable": (
        EndpointConnectionError(endpoint_url="https://lambda"),
        1,
        f'shop-dev-command did not answer: Could not connect to the endpoint URL: "https://lambda". {NETWORK} {SEE}',
    ),
    "slow": (
        ReadTimeoutError(endpoint_url="https://lambda"),
        1,
        f'shop-dev-command did not answer: Read timeout on endpoint URL: "https://lambda". {NETWORK} {SEE}',
    ),
    "unknown endpoint": (
        raised("BadInput", "endpoint 'dev-triage' is not known here (known: dev-fraud, dev-shop)"),
        2,
        "endpoint 'dev-triage' is not known here (known: dev-fraud, dev-shop)",
    ),
    "refused": (raised("Refused", "no rollout is live, v1 serves."), 2, "no rollout is live, v1 serves."),
    "broken": (
        raised("StoreUnavailable", "table shop-dev: throttled"),
        1,
        f"shop-dev-command failed: StoreUnavailable: table shop-dev: throttled. Its log group is /aws/lambda/shop-dev-command. {SEE}",
    ),
    "timed out": (
        raised("Sandbox.Timedout", "2026-01-05 Task timed out after 30.00 seconds"),
        1,
        f"shop-dev-command did not finish in its time. {SEE}",
    ),
    "killed": (
        Answer(None, True),
        1,
        f"shop-dev-command ended without an answer. Its log group is /aws/lambda/shop-dev-command. {SEE}",
    ),
    "another version": (
        status(schema=2),
        2,
        "shop-dev-command answers with schema 2, this command line reads 1: use the version of Sluice that the stack was "
        "deployed with, or run `pulumi up` with this one.",
    ),
    "an older version": (
        {"result": "done"},
        2,
        "shop-dev-command answers with schema None, this command line reads 1: use the version of Sluice that the stack was "
        "deployed with, or run `pulumi up` with this one.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_goes_wrong_is_one_sentence(desk: Desk, case: str) -> None:
    answer, code, sentence = CASES[case]
    desk.answers = [answer]

    ran = desk.run("status", "dev-triage")

    assert (ran.exit_code, ran.out, ran.err) == (code, "", sentence + "\n")


def test_every_fault_of_bad_input_has_its_line(desk: Desk) -> None:
    desk.answers = [raised("BadInput", "limit: must be 1 to 200, got 0\nbefore: must be an event number")]

    assert desk.run("history", "dev-triage").err.splitlines() == [
        "limit: must be 1 to 200, got 0",
        "before: must be an event number",
    ]


def test_the_function_is_called_what_the_program_calls_it() -> None:
    names = Names("shop", "dev", Place("aws", "eu-west-1", "123456789012"))

    assert Target("shop", "dev", "x", None, ()).function == names.function("command")
