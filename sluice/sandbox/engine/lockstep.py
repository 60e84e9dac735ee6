"""An event loop in which a Pulumi program runs the same way every time, in one thread.

The SDK sends its requests through executor threads, in an order that depends on timing and on hash seeds. Here a request
waits until the program can do nothing more without an answer; then the first by name is served, in the calling thread.
So AWS calls never overlap, come in one order, and the sandbox's virtual clock sees a single thread.
"""

from __future__ import annotations

import asyncio
from asyncio import events
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Key = tuple[str, ...]


class Announced(Exception):
    """Raised by the monitor instead of serving: names the request, so that it can be put in order."""

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.key = key


def announce(*key: str) -> None:
    """The first line of every request handler: not served yet while the loop only asks who it is."""
    loop = events._get_running_loop()
    if isinstance(loop, Lockstep) and loop.announcing:
        raise Announced(key)


class Stuck(Exception):
    """The program waits for something that nobody is going to do."""


class Lockstep(asyncio.SelectorEventLoop):
    """Overrides `_run_once`, which Pulumi's own `_sync_await` calls as well (blocking `get_...` functions in a program)."""

    def __init__(self) -> None:
        super().__init__()
        self.announcing = False
        self._waiting: list[tuple[Key, int, Callable[[], Any], asyncio.Future[Any]]] = []
        self._count = 0

    def run_in_executor(  # type: ignore[override]
        self, _executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Requests to the monitor announce themselves and wait; anything else is done at once."""
        future: asyncio.Future[Any] = self.create_future()
        self.announcing = True
        try:
            future.set_result(func(*args))
        except Announced as announced:
            self._count += 1
            self._waiting.append((announced.key, self._count, lambda: func(*args), future))
        except Exception as error:  # handed to whoever awaits it, as an executor does
            future.set_exception(error)
        finally:
            self.announcing = False
        return future

    def _run_once(self) -> None:
        if not self._ready:  # type: ignore[attr-defined]
            self._next()
        super()._run_once()  # type: ignore[misc]

    def _next(self) -> None:
        if self._waiting:
            first = min(self._waiting, key=lambda request: request[:2])
            self._waiting.remove(first)
            _serve(first[2], first[3])
        elif not self._scheduled and not self._stopping:  # type: ignore[attr-defined]
            raise Stuck(
                "the Pulumi program waits for an output that nothing will ever set. Look for a Future it made itself"
            )


def _serve(func: Callable[[], Any], future: asyncio.Future[Any]) -> None:
    """What is served must not see our loop: a Lambda handler may well call asyncio.run."""
    loop = events._get_running_loop()
    events._set_running_loop(None)
    try:
        result = func()
    except Exception as error:  # handed to whoever awaits the request, as an executor does
        if not future.cancelled():
            future.set_exception(error)
    else:
        if not future.cancelled():
            future.set_result(result)
    finally:
        events._set_running_loop(loop)


def run(main: Any) -> None:
    """Run a coroutine to its end on a fresh loop and take the loop down, whatever came of it."""
    loop = Lockstep()
    loop.set_exception_handler(
        lambda _loop, _context: None
    )  # what failed is raised below; the rest was cancelled by us
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(main)
    finally:
        _cancel_all(loop)
        asyncio.set_event_loop(None)
        loop.close()


def _cancel_all(loop: Lockstep) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            loop.run_until_complete(task)
