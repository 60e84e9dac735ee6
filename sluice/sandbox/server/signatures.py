"""Whether a request was signed by who it says: SigV4 computed again with botocore's own signer, and compared.

This proves that our check works and that clients sign; it does not prove AWS's own. Dates are not judged: the sandbox's time
is not the client's, so a recorded request could be sent again. The server listens on this machine only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_UNHASHED = ("UNSIGNED-PAYLOAD", "STREAMING-")
"""S3's words for bodies whose hash is not in the signature."""


class BadSignature(Exception):
    """The sentence says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as it came in; `url` as the client signed it, `body` without its transfer's chunks."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, for which service and region."""

    access_key: str
    service: str
    region: str


def checked(request: HttpRequest, secret_of: Callable[[str], str | None]) -> Signer:
    """Who signed the request; raises BadSignature. `secret_of` gives the secret of an access key, None for an unknown one."""
    given = {name.lower(): value for name, value in request.headers.items()}
    found = _HEADER.fullmatch(given.get("authorization", ""))
    if found is None:
        raise BadSignature("Missing Authentication Token: the request carries no SigV4 Authorization header")
    secret = secret_of(found["key"])
    if secret is None:
        raise BadSignature(
            f"The security token included in the request is invalid: access key {found['key']} is not known"
        )
    _check_body(request, given)
    expected = _signature(request, given, found, secret)
    if not hmac.compare_digest(expected, found["signature"]):
        raise BadSignature("The request signature we calculated does not match the signature you provided")
    return Signer(found["key"], found["service"], found["region"])


def _check_body(request: HttpRequest, given: Mapping[str, str]) -> None:
    told = given.get("x-amz-content-sha256")
    if told is not None and not told.startswith(_UNHASHED) and told != hashlib.sha256(request.body).hexdigest():
        raise BadSignature("The provided x-amz-content-sha256 header does not match what was computed")


def _signature(request: HttpRequest, given: Mapping[str, str], found: re.Match[str], secret: str) -> str:
    kind = S3SigV4Auth if found["service"] == "s3" else SigV4Auth
    signer = kind(Credentials(found["key"], secret), found["service"], found["region"])
    signed = {name: given.get(name, "") for name in found["signed"].split(";")}
    again = AWSRequest(method=request.method, url=request.url, data=request.body, headers=signed)
    again.context["timestamp"] = given.get("x-amz-date", "")
    text = signer.string_to_sign(again, signer.canonical_request(again))
    return signer.signature(text, again)
