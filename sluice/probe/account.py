"""The account a probe runs in: its clients, its clock, and what its errors mean. Decides nothing about the questions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from sluice.core.errors import Refused

T = TypeVar("T")
_DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")
_MISSING = (
    *("NoSuchEntity", "NoSuchBucket", "NoSuchKey", "404", "ResourceNotFound", "ResourceNotFoundException"),
    *("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
)
_NOT_FOUND = "Could not find"
"""SageMaker has no error code of its own for what is not there, only this in a ValidationException."""
_PERMISSION = re.compile(r"not authorized to perform: ([\w-]+:\w+)")


class TookTooLong(Exception):
    """What was waited for did not come; the text says what and for how long."""


class Denied(Refused):
    """The caller lacks a permission; the text names it."""


@dataclass(frozen=True, slots=True)
class Account:
    """`client` makes a boto3 client of a service; `now` is in seconds. `partition` is aws, or that of China or GovCloud."""

    client: Callable[[str], Any]
    now: Callable[[], float]
    sleep: Callable[[float], None]
    number: str
    region: str
    partition: str = "aws"

    def until(self, look: Callable[[], T | None], every: float, limit: float, what: str) -> T:
        """What `look` first gives that is not None; raises TookTooLong after `limit` seconds."""
        deadline = self.now() + limit
        while True:
            found = look()
            if found is not None:
                return found
            if self.now() >= deadline:
                raise TookTooLong(f"{what}: not after {limit:.0f} s")
            self.sleep(every)


def is_missing(fault: ClientError) -> bool:
    error = fault.response["Error"]
    return error["Code"] in _MISSING or _NOT_FOUND in error.get("Message", "")


def denial(fault: ClientError) -> Denied | None:
    """The error as a sentence that names the permission; None where it is no denial."""
    error = fault.response["Error"]
    if error["Code"] not in _DENIED:
        return None
    message = error.get("Message", "")
    found = _PERMISSION.search(message)
    lacking = found[1] if found else fault.operation_name
    return Denied(
        f"the permission {lacking} is missing ({message or error['Code']}). "
        "`sluice probe --policy` prints the IAM policy a probe needs."
    )
