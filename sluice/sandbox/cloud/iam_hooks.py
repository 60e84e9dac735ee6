"""A patch of moto's IAM, pinned to 5.2.5: who keeps what a role may do is told when that may have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.sandbox.patches import Undo, replaced


def install_role_watch(asked: Callable[[], None]) -> Undo:
    """asked() after every request to IAM, from this process or to the server: roles and their documents change by nothing else."""
    from moto.iam.responses import IamResponse

    original = IamResponse.call_action

    def watched(response: Any) -> Any:
        try:
            return original(response)
        finally:
            asked()

    return replaced(IamResponse, "call_action", watched)
