"""The threads behind the clock's strands: each runs one strand after another, since a day of virtual time has thousands.

Decides only which thread runs what, and how two of them tell each other something; when a strand runs is the clock's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context


class Signal:
    """One thread tells another that it may go on; told again before it was heard is told once."""

    __slots__ = ("_untold",)

    def __init__(self) -> None:
        self._untold = (
            threading.Lock()
        )  # a bare lock: a semaphore is ten times as dear, and two are told at every switch
        self._untold.acquire()

    def tell(self) -> None:
        """By one thread alone: who else tells the same signal would have to take turns."""
        if self._untold.locked():
            self._untold.release()

    def wait(self, seconds: float = -1) -> bool:
        """Until told, or for so many real seconds; whether it was told."""
        return self._untold.acquire(timeout=seconds)


class Worker:
    """A thread that waits for something to run. Whoever hands it something sees to it that it is idle."""

    def __init__(self) -> None:
        self._handed = Signal()
        self._run: Callable[[], None] | None = None
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def hand(self, run: Callable[[], None], label: str) -> None:
        """Run this next, under a name of its own and with context variables as a new thread has them."""
        self.thread.name = label
        self._run = run
        self._handed.tell()

    def end(self, patience_seconds: float) -> None:
        """Let the thread end, and wait for that."""
        self._run = None
        self._handed.tell()
        self.thread.join(timeout=patience_seconds)

    def _loop(self) -> None:
        while self._handed.wait() and (run := self._run) is not None:
            Context().run(run)
