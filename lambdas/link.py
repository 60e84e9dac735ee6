"""The public door of signed links, only there where links are turned on. GET shows, POST does; no other command comes through it."""

from __future__ import annotations

import base64
import binascii
import html
import os
from typing import Any
from urllib.parse import parse_qs

from lambdas.reporting import report
from sluice.aws.signing import ParameterSigner
from sluice.aws.wiring import ports
from sluice.core.errors import BadInput, Forbidden, Refused
from sluice.link import Offer, follow, offer, read

_LONGEST_BODY = 8192
_LONGEST_REASON = 1000
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",  # the address is the key
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sluice</title><style>:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui; max-width: 34rem; margin: 3rem auto; padding: 0 1rem }}
input, button {{ font: inherit; padding: .5rem; width: 100%; box-sizing: border-box; margin-top: .5rem }}</style>
<h1>{title}</h1><p>{text}</p>{form}</html>"""
_FORM = """<form method="post"><input type="hidden" name="token" value="{token}">
<label>Why? It is kept with the decision.<input name="reason" required maxlength="1000" autocomplete="off"></label>
<button>{word}</button></form>"""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A request to the function's URL, answered with a page."""
    method = ((event.get("requestContext") or {}).get("http") or {}).get("method")
    try:
        if method == "GET":
            token = _one(parse_qs(event.get("rawQueryString") or ""), "token")
            return _offered(token, offer(ports(), read(_signer(), token)))
        if method == "POST":
            return _followed(parse_qs(_body(event)))
        return _page(405, "Not possible", "A link is opened, or its form sent.")
    except BadInput as fault:
        return _refused(400, str(fault))
    except Forbidden as fault:
        return _refused(403, str(fault))
    except Refused as fault:
        return _refused(409, str(fault))


def _offered(token: str, found: Offer) -> dict[str, Any]:
    """Nothing happens before somebody sends the form: mail scanners and previews open links too."""
    form = _FORM.format(token=html.escape(token, quote=True), word=found.link.action.capitalize())
    return _page(200, f"{found.link.action.capitalize()}?", found.sentence, form)


def _followed(form: dict[str, list[str]]) -> dict[str, Any]:
    link = read(_signer(), _one(form, "token"))
    reason = _one(form, "reason", "")
    if len(reason) > _LONGEST_REASON:
        raise BadInput((f"reason: must have at most {_LONGEST_REASON} characters, got {len(reason)}",))
    sentence = follow(ports(), link, reason)
    report(sentence, {"LinksFollowed": ("Count", 1)}, endpoint=link.endpoint, rollout=link.rollout)
    return _page(200, "Done", sentence)


def _refused(code: int, sentence: str) -> dict[str, Any]:
    """Into the log always. Into the audit trail only what a real link brought about: strangers do not write there."""
    report(sentence, {"LinksRefused": ("Count", 1)})
    return _page(code, "Refused", sentence)


def _page(code: int, title: str, text: str, form: str = "") -> dict[str, Any]:
    body = _PAGE.format(title=html.escape(title), text=html.escape(text), form=form)
    return {"statusCode": code, "headers": _HEADERS, "body": body}


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
