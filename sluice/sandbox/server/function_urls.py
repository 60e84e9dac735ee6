"""Function URLs through the server: nobody's name server knows their hosts, so clients are told of them as paths of the server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from sluice.sandbox.cloud import urls
from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.server.signatures import HttpRequest, Signer

ROOT = "/lambda-url/"
_HOST = re.compile(rb"https://([0-9a-f]+\.lambda-url\.[a-z0-9.-]+)/")


def told_here(answer: bytes, server: str) -> bytes:
    """Lambda's answer with the URLs in it leading to the server (`http://127.0.0.1:<port>`)."""
    return _HOST.sub(server.encode() + ROOT.encode() + rb"\1/", answer)


def is_for_a_function(request: HttpRequest) -> bool:
    return urlsplit(request.url).path.startswith(ROOT)


def called(cloud: Cloud, request: HttpRequest, signer: Signer, user: str) -> tuple[int, Mapping[str, str], bytes]:
    """The function's answer to a request whose signature was checked to be this user's; signed for another service it is refused."""
    if signer.service != "lambda":
        return urls.FORBIDDEN.status, urls.FORBIDDEN.headers, urls.FORBIDDEN.body
    parts = urlsplit(request.url)
    host, _, path = parts.path.removeprefix(ROOT).partition("/")
    url = f"https://{host}/{path}" + (f"?{parts.query}" if parts.query else "")
    caller = urls.caller_of_key(signer.access_key, cloud.place, user)
    asked = urls.UrlRequest(url, request.method, request.headers, request.body)
    answered = urls.answer(cloud.functions, asked, caller)
    return answered.status, answered.headers, answered.body
