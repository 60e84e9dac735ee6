"""The simulated world of the commands, with v1 on it."""

from __future__ import annotations

from tests.command.conftest import until, world

__all__ = ["until", "world"]
