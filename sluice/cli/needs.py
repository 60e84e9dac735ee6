"""What a command needs that not every installation has, said in a sentence instead of a traceback."""

from __future__ import annotations

from importlib.util import find_spec

from sluice.core.errors import BadInput


def numpy_there(command: str) -> None:
    """Raises BadInput where numpy is not installed."""
    if find_spec("numpy") is None:
        raise BadInput(
            (f"`sluice {command}` simulates with numpy, which is not installed: pip install 'sluice[forecast]'",)
        )
