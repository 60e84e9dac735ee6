"""A patch of moto's IAM, pinned to 5.2.5: who keeps what a role may do is told when that may have changed."""

from __future__ import annotations

from collections.abc import Callable

from sluice.sandbox.patches import Undo, told_after


def install_role_watch(asked: Callable[[], None]) -> Undo:
    """asked() after every request to IAM, from this process or to the server: roles and their documents change by nothing else."""
    from moto.iam.responses import IamResponse

    return told_after(IamResponse, "call_action", lambda _: asked())
