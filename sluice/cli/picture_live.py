"""A picture on a terminal that changes in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text


@contextmanager
def live_picture(no_color: bool) -> Iterator[Callable[[list[str]], None]]:
    """Hands out what draws lines over the ones before; the last ones stay."""
    console = Console(no_color=no_color, highlight=False)
    with Live(console=console, auto_refresh=False) as live:
        yield lambda lines: live.update(Text.from_ansi("\n".join(lines)), refresh=True)
