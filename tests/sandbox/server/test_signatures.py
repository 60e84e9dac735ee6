"""Our check of a signature: what botocore signs passes, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sluice.sandbox.server.signatures import BadSignature, HttpRequest, Signer, checked

SECRETS = {"AKIAOPERATOR": "secret"}


def signed(
    service: str = "lambda",
    method: str = "POST",
    url: str = "http://127.0.0.1:5566/a/b?x=1&y=%20z",
    body: bytes = b"{}",
) -> HttpRequest:
    request = AWSRequest(
        method=method, url=url, data=body, headers={"Content-Type": "application/json", "Host": "127.0.0.1:5566"}
    )
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    kind(Credentials("AKIAOPERATOR", "secret"), service, "us-east-1").add_auth(request)
    return HttpRequest(method, url, dict(request.headers.items()), body)


@pytest.mark.parametrize(
    "request_",
    [
        signed(),
        signed("s3", "PUT", "http://127.0.0.1:5566/bucket/a%20key%2B1", b"content"),
        signed("sagemaker", "GET", "http://127.0.0.1:5566/", b""),
    ],
)
def test_what_botocore_signs_passes(request_: HttpRequest) -> None:
    assert checked(request_, SECRETS.get).access_key == "AKIAOPERATOR"


def test_the_scope_says_which_service_and_region_is_meant() -> None:
    assert checked(signed("states"), SECRETS.get) == Signer("AKIAOPERATOR", "states", "us-east-1")


def without(request: HttpRequest, name: str) -> HttpRequest:
    return replace(request, headers={k: v for k, v in request.headers.items() if k != name})


def changed(request: HttpRequest, name: str, old: str, new: str) -> HttpRequest:
    assert old in request.headers[name]
    return replace(request, headers={**request.headers, name: request.headers[name].replace(old, new)})


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (without(signed(), "Authorization"), "Missing Authentication Token"),
        (changed(signed(), "Authorization", "AKIAOPERATOR", "AKIASTRANGER"), "access key AKIASTRANGER is not known"),
        (changed(signed(), "Authorization", "/lambda/", "/iam/"), "does not match the signature"),
        (changed(signed(), "Authorization", "us-east-1", "us-east-2"), "does not match the signature"),
        (changed(signed(), "X-Amz-Date", "T", "T0"), "does not match the signature"),
        (replace(signed(), body=b'{"action":"force"}'), "does not match the signature"),
        (replace(signed(), method="DELETE"), "does not match the signature"),
        (replace(signed(), url="http://127.0.0.1:5566/a/c?x=1&y=%20z"), "does not match the signature"),
        (replace(signed(), url="http://127.0.0.1:5566/a/b?x=2&y=%20z"), "does not match the signature"),
        (replace(signed("s3", "PUT"), body=b"another"), "x-amz-content-sha256 header does not match"),
    ],
)
def test_anything_changed_after_signing_is_refused_with_a_sentence(request_: HttpRequest, sentence: str) -> None:
    with pytest.raises(BadSignature, match=sentence):
        checked(request_, SECRETS.get)


def test_a_wrong_secret_is_refused() -> None:
    with pytest.raises(BadSignature, match="does not match the signature"):
        checked(signed(), {"AKIAOPERATOR": "guessed"}.get)
