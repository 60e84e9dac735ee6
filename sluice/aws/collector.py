"""Spans to an OpenTelemetry collector: OTLP over HTTP, in JSON, with the standard library. Tried once: a trace is worth no queue."""

from __future__ import annotations

import http.client
from urllib.error import URLError
from urllib.request import Request, urlopen

from sluice.core.record import Document, canonical

TIMEOUT_SECONDS = 3
"""Of the whole letter's time, which has 30."""


def export(url: str, spans: Document) -> str | None:
    """Why it was not taken; None when it was. Never raises for what a collector or a network may do."""
    request = Request(  # noqa: S310 - the scheme is checked where it is configured
        url, data=canonical(spans).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            answer.read(64 * 1024)
    except (URLError, OSError, http.client.HTTPException, ValueError) as fault:
        return f"collector {url}: {type(fault).__name__}: {fault}"
    return None
