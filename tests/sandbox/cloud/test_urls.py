"""Function URLs in the sandbox: each alias its own, callers by their role's documents, requests as Lambda hands them over."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.urls import UrlRequest, answer, caller_of

ECHO = """
def handler(event, context):
    if event["body"] == "boom":
        raise ValueError("boom")
    caller = event["requestContext"].get("authorizer", {}).get("iam", {}).get("userArn")
    said = {"caller": caller, "arn": context.invoked_function_arn, "body": event["body"], "path": event["rawPath"]}
    import json
    return {"statusCode": 201, "headers": {"x-a": "b"}, "body": json.dumps(said)}
"""
ARN = "arn:aws:lambda:us-east-1:123456789012:function:echo"
ROOT = "arn:aws:iam::123456789012:user/operator"


def role(name: str, *statements: dict[str, object]) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = boto3.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(
            RoleName=name,
            PolicyName="p",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}),
        )
    return str(made)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(datetime(2026, 1, 5, tzinfo=UTC)) as made:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as file:
            file.writestr("echo.py", ECHO)
        functions = boto3.client("lambda")
        functions.create_function(
            FunctionName="echo",
            Runtime="python3.13",
            Role=role("echo"),
            Handler="echo.handler",
            Code={"ZipFile": code.getvalue()},
        )
        for alias in ("observe", "operate"):
            functions.create_alias(FunctionName="echo", Name=alias, FunctionVersion="$LATEST")
            functions.create_function_url_config(FunctionName="echo", Qualifier=alias, AuthType="AWS_IAM")
        yield made


def url(alias: str) -> str:
    return boto3.client("lambda").get_function_url_config(FunctionName="echo", Qualifier=alias)["FunctionUrl"]


def sent(cloud: Cloud, alias: str, caller: str | None, body: bytes = b"{}"):
    return answer(cloud.functions, UrlRequest(url(alias), "POST", {"User-Agent": "test"}, body), caller)


def test_each_alias_has_its_own_url(cloud: Cloud) -> None:
    assert url("observe") != url("operate")
    boto3.client("lambda").delete_function_url_config(FunctionName="echo", Qualifier="observe")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        url("observe")
    with pytest.raises(ClientError, match="ResourceConflictException"):
        boto3.client("lambda").create_function_url_config(FunctionName="echo", Qualifier="operate", AuthType="NONE")
    boto3.client("lambda").update_function_url_config(FunctionName="echo", Qualifier="operate", AuthType="AWS_IAM")
    assert url("operate")


def test_the_function_sees_who_asked_and_by_which_alias(cloud: Cloud) -> None:
    answered = sent(cloud, "operate", ROOT)

    assert (answered.status, answered.headers) == (201, {"x-a": "b"})
    said = json.loads(answered.body)
    assert said == {"caller": ROOT, "arn": f"{ARN}:operate", "body": "{}", "path": "/"}


def test_bytes_that_are_no_text_come_encoded(cloud: Cloud) -> None:
    assert json.loads(sent(cloud, "operate", ROOT, b"\xff").body)["body"] == "/w=="


def test_nobody_is_not_served(cloud: Cloud) -> None:
    assert sent(cloud, "operate", None).status == 403
    assert answer(cloud.functions, UrlRequest("https://x.lambda-url.y", "POST", {}, b""), ROOT).status == 404


def test_without_signatures_both_permissions_are_needed_and_nobody_is_named(cloud: Cloud) -> None:
    functions = boto3.client("lambda")
    functions.update_function_url_config(FunctionName="echo", Qualifier="observe", AuthType="NONE")
    everybody = {"FunctionName": "echo", "Principal": "*"}
    assert sent(cloud, "observe", None).status == 403
    functions.add_permission(
        **everybody, StatementId="a", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE"
    )
    assert sent(cloud, "observe", None).status == 403
    functions.add_permission(**everybody, StatementId="b", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)

    answered = sent(cloud, "observe", ROOT)

    assert (answered.status, json.loads(answered.body)["caller"]) == (201, None)
    assert sent(cloud, "operate", None).status == 403, "another URL of the function is as closed as before"


def test_a_failure_says_nothing(cloud: Cloud) -> None:
    assert (sent(cloud, "operate", ROOT, b"boom").status, sent(cloud, "operate", ROOT, b"boom").body) == (
        502,
        b'{"message":"Internal Server Error"}',
    )


def test_a_role_needs_both_permissions_on_this_alias_and_only_through_the_url(cloud: Cloud) -> None:
    through = {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    call = {"Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": f"{ARN}:operate"}
    invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": f"{ARN}:operate", "Condition": through}
    role("both", call, invoke)
    role("half", call)
    session = "arn:aws:sts::123456789012:assumed-role/{}/ann"

    assert sent(cloud, "operate", session.format("both")).status == 201
    assert sent(cloud, "observe", session.format("both")).status == 403
    assert sent(cloud, "operate", session.format("half")).status == 403
    assert sent(cloud, "operate", session.format("nobody")).status == 403


def test_the_caller_is_whose_key_signed(cloud: Cloud) -> None:
    arn = role("oncall")
    given = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="ann")["Credentials"]["AccessKeyId"]
    header = "AWS4-HMAC-SHA256 Credential={}/20260105/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"

    assert caller_of(header.format(given), cloud.place) == "arn:aws:sts::123456789012:assumed-role/oncall/ann"
    assert caller_of(header.format("sandbox"), cloud.place) == ROOT
    assert caller_of("", cloud.place) is None
    assert caller_of("Bearer x", cloud.place) is None
