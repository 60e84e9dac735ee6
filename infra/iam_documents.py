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


def trust(service: str, account: str | None = None) -> Document:
    """Who may assume a role: one AWS service, and with `account` only for what is in that account, so that nobody else's endpoint
    or state machine gets it through the service. Services that do not say for whom they act would be shut out by it.
    """
    statement: Statement = {
        "Sid": "Assume",
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Principal": {"Service": service},
    }
    if account is not None:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return document(statement)


def text(content: Document) -> str:
    """The document as IAM takes it; equal documents give equal text, so nothing shows up as a change that is none."""
    return json.dumps(content, sort_keys=True)
