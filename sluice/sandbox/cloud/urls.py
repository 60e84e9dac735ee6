"""Function URLs: a request to an alias' URL becomes an invocation, if the caller's IAM documents allow it.

Checking a signature is not done here: the caller handed in is proven already. So what is proven is our part of it, not AWS's.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sluice.sandbox.cloud import backends
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.cloud.functions import Runtime
from sluice.sandbox.cloud.url_hooks import alias_of_url, auth_type

OPERATOR = "operator"
"""The user who is signed in where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class UrlRequest:
    """One HTTP request to a function URL."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class UrlAnswer:
    """What Lambda answers with."""

    status: int
    headers: Mapping[str, str]
    body: bytes


FORBIDDEN = UrlAnswer(403, {"content-type": "application/json"}, b'{"Message":"Forbidden"}')


def answer(runtime: Runtime, request: UrlRequest, caller_arn: str | None) -> UrlAnswer:
    """The function's answer. `caller_arn` is whom a checked signature named, None without one: then Lambda does not invoke."""
    found = alias_of_url(backends.functions(runtime.place), urlsplit(request.url).netloc)
    if found is None:
        return UrlAnswer(404, {}, b'{"Message":null}')
    function, qualifier = found
    arn = f"{function.function_arn}:{qualifier}" if qualifier else str(function.function_arn)
    if auth_type(function, qualifier) == "NONE":
        if not _is_public(function):
            return FORBIDDEN
        caller_arn = None
    elif caller_arn is None or not _may(runtime, caller_arn, arn):
        return FORBIDDEN
    outcome = runtime.run(function, json.dumps(_event(runtime, request, caller_arn)).encode(), arn)
    if outcome.error:
        return UrlAnswer(502, {"content-type": "application/json"}, b'{"message":"Internal Server Error"}')
    return _answer(json.loads(outcome.payload))


def asks_nothing(runtime: Runtime, url: str) -> bool:
    """Whether a URL is some function's, and takes requests that nobody signed."""
    found = alias_of_url(backends.functions(runtime.place), urlsplit(url).netloc)
    return found is not None and auth_type(*found) == "NONE"


def caller_of(authorization: str, place: Place) -> str | None:
    """The ARN behind the access key that a SigV4 header names: of a role that was assumed, else of the account's operator."""
    found = re.search(r"Credential=([^/,]+)/", authorization)
    if not authorization.startswith("AWS4-HMAC-SHA256 ") or found is None:
        return None
    return caller_of_key(found[1], place)


def caller_of_key(access_key: str, place: Place, user: str = OPERATOR) -> str:
    """The session that STS gave this key to, else the user whose it is."""
    return backends.assumed_role(place, access_key) or f"arn:aws:iam::{place.account}:user/{user}"


def _may(runtime: Runtime, caller_arn: str, alias_arn: str) -> bool:
    """By the role's documents; users and the root of the account are its administrators here, because the sandbox has no others."""
    if ":assumed-role/" not in caller_arn:
        return True
    account, name = caller_arn.split(":")[4], caller_arn.split("/")[1]
    role = f"arn:aws:iam::{account}:role/{name}"
    through_url = {"lambda:FunctionUrlAuthType": "AWS_IAM", "lambda:InvokedViaFunctionUrl": "true"}
    needs = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    return all(runtime.authorizer.decide(role, action, alias_arn, through_url).allowed for action in needs)


def _is_public(function: Any) -> bool:
    """Whether the function's own policy lets anybody in: without a signature Lambda asks for both permissions."""
    open_to_all = {s["Action"] for s in function.policy.statements if s["Principal"] == "*" and s["Effect"] == "Allow"}
    return open_to_all >= {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}


def _event(runtime: Runtime, request: UrlRequest, caller_arn: str | None) -> dict[str, Any]:
    """Payload format 2.0, with the part that only AWS writes; of a caller without a signature it writes none."""
    parts, now = urlsplit(request.url), runtime.clock.now()
    text = request.body.decode("utf-8", errors="surrogateescape")
    plain = text.isascii() or text.encode("utf-8", errors="ignore") == request.body
    account = caller_arn.split(":")[4] if caller_arn else "anonymous"
    iam = {"accessKey": "AKIASANDBOX", "accountId": account, "callerId": "SANDBOX", "cognitoIdentity": None}
    proven = {"iam": {**iam, "principalOrgId": None, "userArn": caller_arn, "userId": "SANDBOX"}}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path or "/",
        "rawQueryString": parts.query,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "requestContext": {
            "accountId": account,
            "apiId": parts.netloc.partition(".")[0],
            "authentication": None,
            **({"authorizer": proven} if caller_arn else {}),
            "domainName": parts.netloc,
            "http": {
                "method": request.method,
                "path": parts.path or "/",
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": "sandbox",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "body": text if plain else base64.b64encode(request.body).decode(),
        "isBase64Encoded": not plain,
    }


def _answer(document: Any) -> UrlAnswer:
    """What a handler returns: a response with a status code, or anything else as the body of a 200."""
    if isinstance(document, dict) and "statusCode" in document:
        body = str(document.get("body", ""))
        raw = base64.b64decode(body) if document.get("isBase64Encoded") else body.encode()
        return UrlAnswer(int(document["statusCode"]), dict(document.get("headers", {})), raw)
    return UrlAnswer(200, {"content-type": "application/json"}, json.dumps(document).encode())
