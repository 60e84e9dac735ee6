"""boto3 clients with the patience each caller needs. Made on first use, kept for the life of the process."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_PATIENT = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=3, read_timeout=10)
_BRISK = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1.5, read_timeout=1.5)
"""For the table, which answers within milliseconds or not at all: twice 1.5 s and a second between them. The alarm function has 10 s,
and must still have 5 s for the weight call that it makes without the table.
"""
_ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=3)
"""For weight calls: a raise must not be repeated behind our back after its time has run out. 2 s + 3 s is the 5 s of the design."""


@cache
def client(service: str) -> Any:
    """The client of a service with ordinary retries; with few and brief ones for the table."""
    config = _BRISK if service == "dynamodb" else _PATIENT
    return boto3.client(service, config=config)  # type: ignore[call-overload]


@cache
def once(service: str) -> Any:
    """The client of a service that tries exactly once and gives up within five seconds."""
    return boto3.client(service, config=_ONCE)  # type: ignore[call-overload]
