"""Spans to an OpenTelemetry collector: OTLP over HTTP, in JSON, with the standard library. Tried once: a trace is worth no queue."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from urllib.error import URLError
from urllib.parse import unquote
from urllib.request import HTTPRedirectHandler, Request, build_opener

from botocore.exceptions import BotoCoreError, ClientError

from sluice.aws.clients import client
from sluice.core.record import Document, canonical

TIMEOUT_SECONDS = 3
"""Of the whole letter's time, which has 30."""
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
_SECURE = "SecureString"


class _BadHeaders(Exception):
    """The sentence says what is wrong and where, and nothing of what is secret."""


def export(url: str, spans: Document, headers_in: str | None = None) -> str | None:
    """Why it was not taken; None when it was. Never raises for what a collector, a network or Parameter Store may do.

    `headers_in` names the SecureString with the headers to send besides. Read each time, so that a changed key is used at once.
    """
    try:
        headers = {**_headers(headers_in), "Content-Type": "application/json"}
        request = Request(url, data=canonical(spans).encode(), headers=headers, method="POST")  # noqa: S310 - the scheme is checked where it is configured
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS) as answer:
            answer.read(64 * 1024)
    except (URLError, OSError, http.client.HTTPException, ValueError) as fault:
        return f"collector {url}: {type(fault).__name__}: {fault}"
    except (ClientError, BotoCoreError, _BadHeaders) as fault:
        return f"collector {url}: its headers in parameter {headers_in}: {fault}"
    return None


def parsed(text: str) -> Mapping[str, str]:
    """Headers as OpenTelemetry's OTEL_EXPORTER_OTLP_HEADERS has them: `name=value`, separated by commas, values percent-encoded.

    Raises _BadHeaders, which repeats nothing of the text: http.client's own error would.
    """
    found = {}
    for number, entry in enumerate(text.split(","), 1):
        name, equals, value = entry.strip().partition("=")
        said = unquote(value.strip())
        if not equals or not _NAME.fullmatch(name.strip()) or not _VALUE.fullmatch(said):
            raise _BadHeaders(f"entry {number} is not name=value with a plain header in it")
        found[name.strip()] = said
    return found


def _headers(parameter: str | None) -> Mapping[str, str]:
    if parameter is None:
        return {}
    found = client("ssm").get_parameter(Name=parameter, WithDecryption=True)["Parameter"]
    if found.get("Type") != _SECURE:
        raise _BadHeaders(f"is a {found.get('Type')}, and must be a {_SECURE}")
    return parsed(str(found["Value"]))


class _NoRedirect(HTTPRedirectHandler):
    """A key goes where the configuration says and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None
