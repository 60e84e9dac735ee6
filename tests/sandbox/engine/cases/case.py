"""What a case of a resource table says, and the resources that several cases need around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi_aws as aws

EVERY_MINUTE = "rate(1 minute)"
PUBLIC = {"Principal": "*"}


@dataclass(frozen=True)
class Case:
    """`look` reads the thing named or identified by `x` back from AWS; `finds` is what it sees at first and after."""

    token: str
    first: Callable[[], Any]
    look: Callable[[str], Any]
    finds: tuple[Any, Any]
    changed: Callable[[], Any] | None = None
    replaced: Callable[[], Any] | None = None


def queue(name: str = "queue") -> aws.sqs.Queue:
    return aws.sqs.Queue(name)


def rule() -> aws.cloudwatch.EventRule:
    return aws.cloudwatch.EventRule("rule", schedule_expression=EVERY_MINUTE)
