"""Bucket policies as S3 reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.deploying import client

pytestmark = pytest.mark.usefixtures("cloud")


def test_a_bucket_s_policy_is_read_with_its_conditions() -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="shop")

    def deny(**condition: Any) -> None:
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::shop/*",
            **condition,
        }
        s3.put_bucket_policy(Bucket="shop", Policy=json.dumps({"Statement": [statement]}))

    deny(Condition={"Bool": {"aws:SecureTransport": "false"}})
    s3.put_object(Bucket="shop", Key="over-tls", Body=b"")
    deny()
    with pytest.raises(ClientError, match="403"):
        s3.put_object(Bucket="shop", Key="never", Body=b"")
