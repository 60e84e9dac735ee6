"""The words of IAM documents: statements with a Sid, trust, and their JSON. What a role may do is decided elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal, NotRequired, TypedDict

Condition = Mapping[str, Mapping[str, str | list[str]]]


class Statement(TypedDict):
    """One statement. Every one has a Sid: denials, reviews and tests speak of it."""

    Sid: str
    Effect: Literal["Allow", "Deny"]
    Action: list[str]
    Resource: NotRequired[list[str]]
    Principal: NotRequired[dict[str, str]]
    Condition: NotRequired[Condition]


class Document(TypedDict):
    """A policy document."""

    Version: Literal["2012-10-17"]
    Statement: list[Statement]


def document(*statements: Statement) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(sid: str, actions: Iterable[str], resources: Iterable[str], condition: Condition | None = None) -> Statement:
    """An identity policy's statement."""
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    if condition is not None:
        statement["Condition"] = condition
    return statement


def trust(service: str) -> Document:
    """Who may assume a role: one AWS service."""
    return document(
        {"Sid": "Assume", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": service}}
    )


def text(content: Document) -> str:
    """The document as IAM takes it; equal documents give equal text, so nothing shows up as a change that is none."""
    return json.dumps(content, sort_keys=True)
