"""How far a long command has come, on stderr and only for people: what is piped stays clean."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]
_WIPE = "\r\x1b[K"


@contextmanager
def progress_to(terminal: bool) -> Iterator[Progress]:
    """What is being done, and how many of how many are. Nothing is written where there is no terminal."""
    if not terminal:
        yield lambda *_: None
        return

    def show(what: str, done: int, of: int) -> None:
        sys.stderr.write(f"{_WIPE}{done}/{of} {what}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write(_WIPE)
