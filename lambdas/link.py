"""The public door of signed links, only there where links are turned on. GET shows, POST does; no other command comes through it."""

from __future__ import annotations

import base64
import binascii
import os
from typing import Any
from urllib.parse import parse_qs

from lambdas.link_page import done, offered, refused
from lambdas.reporting import report
from sluice.aws.signing import ParameterSigner
from sluice.aws.wiring import ports
from sluice.core.errors import BadInput, Forbidden, Refused
from sluice.link import follow, offer, read

_LONGEST_BODY = 8192
_LONGEST_REASON = 1000


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A request to the function's URL, answered with a page."""
    method = ((event.get("requestContext") or {}).get("http") or {}).get("method")
    try:
        if method == "GET":
            token = _one(parse_qs(event.get("rawQueryString") or ""), "token")
            return offered(token, offer(ports(), read(_signer(), token)), _LONGEST_REASON)
        if method == "POST":
            return _followed(parse_qs(_body(event)))
        return refused(405, "a link is opened, or its form sent: nothing else is possible here.")
    except BadInput as fault:
        return _refused(400, str(fault))
    except Forbidden as fault:
        return _refused(403, str(fault))
    except Refused as fault:
        return _refused(409, str(fault))


def _followed(form: dict[str, list[str]]) -> dict[str, Any]:
    link = read(_signer(), _one(form, "token"))
    reason = _one(form, "reason", "")
    if len(reason) > _LONGEST_REASON:
        raise BadInput((f"reason: must have at most {_LONGEST_REASON} characters, got {len(reason)}",))
    sentence = follow(ports(), link, reason)
    report(sentence, {"LinksFollowed": ("Count", 1)}, endpoint=link.endpoint, rollout=link.rollout)
    return done(sentence, link.endpoint)


def _refused(code: int, sentence: str) -> dict[str, Any]:
    """Into the log always. Into the audit trail only what a real link brought about: strangers do not write there."""
    report(sentence, {"LinksRefused": ("Count", 1)})
    return refused(code, sentence)


def _signer() -> ParameterSigner:
    return ParameterSigner(os.environ["SLUICE_LINK_KEY"])


def _body(event: dict[str, Any]) -> str:
    text = event.get("body") or ""
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        if len(raw) > _LONGEST_BODY:
            raise BadInput((f"body: must have at most {_LONGEST_BODY} bytes, got {len(raw)}",))
        return raw.decode()
    except (binascii.Error, ValueError):
        raise BadInput(("body: must be the form of the page",)) from None


def _one(given: dict[str, list[str]], key: str, default: str | None = None) -> str:
    values = given.get(key, [] if default is None else [default])
    if len(values) != 1:
        raise BadInput((f"{key}: must be given once, got {len(values)} of them",))
    return values[0]
