"""An account of its own: nothing of the machine is in it, and equal runs are equal."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from sluice.sandbox.cloud.cloud import Cloud
from tests.sandbox.deploying import ECHO, START, allow, function, invoke, polling, queue, role


def test_equal_runs_have_equal_ids() -> None:
    def one_run() -> Any:
        with Cloud(START):
            function("ids", "def handler(event, context): return [context.aws_request_id, context.log_stream_name]")
            return invoke("ids"), queue("q"), polling("q"), time.time()

    assert one_run() == one_run()


def test_the_sandbox_sees_nothing_of_a_profile_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-the-developer")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # of a LocalStack, or of a served sandbox
    with Cloud(START):
        function("echo", ECHO)
        answer = invoke("echo", 1)

    assert answer == (1, None)
    assert os.environ["AWS_PROFILE"] == "of-the-developer"
    assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-3"
    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"


def test_what_a_role_may_is_read_anew_after_a_change_that_did_not_go_through_boto3(cloud: Cloud) -> None:
    from moto.core.models import botocore_stubber

    role_arn = role("reader", allow("Read", "s3:GetObject", "*"))
    before = cloud.authorizer.decide(role_arn, "s3:GetObject", "*").allowed
    form = "Action=DeleteRolePolicy&Version=2010-05-08&RoleName=reader&PolicyName=inline"
    headers = HTTPHeaders.from_dict({"Content-Type": "application/x-www-form-urlencoded"})
    sent = AWSPreparedRequest("POST", "https://iam.amazonaws.com/", headers, form, False)
    answer = botocore_stubber.process_request(sent)

    assert before
    assert answer[0] == 200
    assert not cloud.authorizer.decide(role_arn, "s3:GetObject", "*").allowed
