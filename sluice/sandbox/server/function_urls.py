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

Answered = tuple[int, Mapping[str, str], bytes]


def told_here(answer: bytes, server: str) -> bytes:
    """A text with the URLs in it leading to the server (`http://127.0.0.1:<port>`)."""
    return _HOST.sub(server.encode() + ROOT.encode() + rb"\1/", answer)


def is_for_a_function(request: HttpRequest) -> bool:
    return urlsplit(request.url).path.startswith(ROOT)


def is_for_anybody(cloud: Cloud, request: HttpRequest) -> bool:
    """Whether the function asks for no signature. A browser has none, and what it sends instead is not looked at."""
    return is_for_a_function(request) and urls.asks_nothing(cloud.functions, _url(request))


def called(cloud: Cloud, request: HttpRequest, signer: Signer, user: str) -> Answered:
    """The function's answer to a request whose signature was checked to be this user's; signed for another service it is refused."""
    if signer.service != "lambda":
        return urls.FORBIDDEN.status, urls.FORBIDDEN.headers, urls.FORBIDDEN.body
    return _answer(cloud, request, urls.caller_of_key(signer.access_key, cloud.place, user))


def called_by_anybody(cloud: Cloud, request: HttpRequest) -> Answered:
    """The function's answer to a request of nobody in particular."""
    return _answer(cloud, request, None)


def _answer(cloud: Cloud, request: HttpRequest, caller: str | None) -> Answered:
    asked = urls.UrlRequest(_url(request), request.method, request.headers, request.body)
    answered = urls.answer(cloud.functions, asked, caller)
    return answered.status, answered.headers, answered.body


def _url(request: HttpRequest) -> str:
    """As Lambda knows it."""
    parts = urlsplit(request.url)
    host, _, path = parts.path.removeprefix(ROOT).partition("/")
    return f"https://{host}/{path}" + (f"?{parts.query}" if parts.query else "")
