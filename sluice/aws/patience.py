"""IAM takes a while to let a new role through; `pulumi up` invokes seconds after it made one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from sluice.ports import StoreUnavailable

PERMISSION_SECONDS = 60
_PAUSE_SECONDS = 5
_DENIED = ("AccessDenied", "AccessDeniedException")
T = TypeVar("T")


def while_permissions_arrive(call: Callable[[], T]) -> T:
    """The call's answer, tried again for a minute as long as access is denied; then the denial itself."""
    for _ in range(PERMISSION_SECONDS // _PAUSE_SECONDS):
        try:
            return call()
        except (ClientError, StoreUnavailable) as fault:
            if not _is_denial(fault):
                raise
        time.sleep(_PAUSE_SECONDS)
    return call()


def _is_denial(fault: BaseException) -> bool:
    cause = fault if isinstance(fault, ClientError) else fault.__cause__
    return isinstance(cause, ClientError) and cause.response["Error"]["Code"] in _DENIED
