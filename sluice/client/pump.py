"""Runs something every so often in a thread of its own, and once more when the process ends."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

_LONGEST_SECONDS = 5
"""What a process that ends waits for a call under way."""


class Pump:
    """Does nothing before `start`, and nothing at all with an interval of None. `run` must not raise."""

    def __init__(self, run: Callable[[], None], interval_seconds: float | None) -> None:
        self.interval_seconds = interval_seconds
        self._run = run
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """From now on; a second time changes nothing."""
        if self.interval_seconds is None or self._thread is not None:
            return
        self._thread = threading.Thread(target=self._turn, name="sluice-outcomes", daemon=True)
        self._thread.start()
        atexit.register(self._end)

    def stop(self) -> None:
        """No more from now on."""
        if self._thread is None or self._stopped.is_set():
            return
        self._stopped.set()
        self._thread.join(timeout=_LONGEST_SECONDS)
        atexit.unregister(self._end)

    def _end(self) -> None:
        self.stop()
        self._run()

    def _turn(self) -> None:
        while not self._stopped.wait(self.interval_seconds):
            self._run()
