"""The sandbox's virtual time: one baton, a queue of entries, and threads that park instead of sleeping.

Decides what runs next and at which instant; leaves what runs to the entries. Nothing here waits in real time.
"""

from __future__ import annotations

import heapq
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

import time_machine

from sluice.sandbox.cloud.strands import Signal, Worker

_REAL_SLEEP = time.sleep


class Overslept(BaseException):
    """A thread slept past its limit (`Clock.sleep_limit`); a Lambda invocation turns this into its timeout."""


class Unwound(BaseException):
    """Raised in a parked thread when the clock stops, so that the thread ends."""


class Guard(Protocol):
    """Process-wide state of whoever holds the baton (principal, os.environ, sys.modules): put aside at a switch."""

    def suspend(self) -> Callable[[], None]:
        """Put the state aside and return what brings it back."""


@dataclass(order=True, slots=True)
class Entry:
    """Something to run at an instant. Entries of one instant run in the order they were made."""

    when: datetime
    seq: int
    run: Callable[[], None] = field(compare=False)
    label: str = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


@dataclass(eq=False, slots=True)
class Strand:
    """A thread of the sandbox: it runs only while it holds the baton, and parks to sleep."""

    label: str
    thread: threading.Thread | None = None
    resumed: Signal = field(default_factory=Signal)
    yielded: Signal = field(default_factory=Signal)
    wake: Entry | None = None
    parked: bool = False
    ended: bool = False
    unwinding: bool = False
    error: BaseException | None = None


class Clock:
    """Virtual UTC time. `start` freezes time and replaces `time.sleep`; `run_until`, `run_for` and `sleep` move it."""

    def __init__(self, start: datetime, *, patience_seconds: float = 60.0) -> None:
        if start.tzinfo is None:
            raise ValueError(f"the sandbox's start time must be aware (UTC), got {start!r}. Pass tzinfo=UTC.")
        self._now = start.astimezone(UTC)
        self._patience = patience_seconds
        self._queue: list[Entry] = []
        self._seq = 0
        self._strands: dict[int, Strand] = {}
        self._idle: list[Worker] = []
        self._lock = threading.RLock()
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None
        self.guards: list[Guard] = []
        self.sleep_limit: Callable[[], datetime | None] = lambda: None

    def start(self) -> None:
        self._travel = time_machine.travel(self._now, tick=False)
        self._traveller = self._travel.start()
        time.sleep = self.sleep  # type: ignore[assignment]  # the stub's type has SupportsIndex, which nobody passes

    def stop(self) -> None:
        """End every parked thread, drop what is queued and give real time back."""
        if self._travel is None:
            return
        self._unwind()
        while self._idle:
            self._idle.pop().end(self._patience)
        self._queue.clear()
        time.sleep = _REAL_SLEEP
        self._travel.stop()
        self._travel = self._traveller = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def now(self) -> datetime:
        return self._now

    # Entries

    def call_at(self, when: datetime, run: Callable[[], None], label: str) -> Entry:
        """Run at an instant; an instant that has passed means right after what runs now, never inside it."""
        self._seq += 1
        entry = Entry(max(when, self._now), self._seq, run, label)
        heapq.heappush(self._queue, entry)
        return entry

    def call_after(self, seconds: float, run: Callable[[], None], label: str) -> Entry:
        return self.call_at(self._now + timedelta(seconds=seconds), run, label)

    def every(self, seconds: float, run: Callable[[], None], label: str, *, first: datetime | None = None) -> Entry:
        """Run again and again, the first time at `first` or after one period. Cancel the entry to end it."""
        period = timedelta(seconds=seconds)
        if period <= timedelta(0):
            raise ValueError(f"{label}: a period must be longer than 0 s, got {seconds}")

        def once() -> None:
            # The same entry goes back into the queue, so that a cancel by its holder also ends the repetition.
            self._seq += 1
            entry.when, entry.seq = entry.when + period, self._seq
            heapq.heappush(self._queue, entry)
            run()

        entry = self.call_at(first or self._now + period, once, label)
        return entry

    def spawn(self, when: datetime, run: Callable[[], None], label: str) -> Entry:
        """Like `call_at`, on a thread of its own: what sleeps in it parks and holds nobody else up."""
        return self.call_at(when, lambda: self._launch(Strand(label), run), label)

    # Moving time

    def run_for(self, seconds: float, stop: Callable[[], bool] | None = None) -> bool:
        return self.run_until(self._now + timedelta(seconds=seconds), stop)

    def run_until(self, when: datetime, stop: Callable[[], bool] | None = None) -> bool:
        """Run every entry due by `when`, moving time along. True as soon as `stop()` holds; time then stays there."""
        with self.turn(), self._aside():
            if stop is not None and stop():
                return True
            while self._queue and self._queue[0].when <= when:
                entry = heapq.heappop(self._queue)
                if entry.cancelled:
                    continue
                self._move(entry.when)
                entry.run()
                if stop is not None and stop():
                    return True
            self._move(when)
            return False

    def sleep(self, seconds: float) -> None:
        """What `time.sleep` is in the sandbox: the world goes on. A strand parks; any other thread runs the world."""
        until = self._now + timedelta(seconds=max(0.0, seconds))
        limit = self.sleep_limit()
        late = limit is not None and limit < until
        if late:
            until = max(limit or until, self._now)
        strand = self.strand()
        if strand is None:
            self.run_until(until)
        else:
            self._park(strand, until)
        if late:
            raise Overslept(f"slept until its limit {until.isoformat()}")

    def strand(self) -> Strand | None:
        """The strand of the calling thread, None for a thread that is not the clock's (the operator's)."""
        return self._strands.get(threading.get_ident())

    def interrupt(self, strand: Strand) -> None:
        """Wake a parked strand now instead of when its sleep ends, and let it run until it parks again or ends."""
        if not strand.parked or strand is self.strand():
            return
        if strand.wake is not None:
            strand.wake.cancel()
        with self.turn(), self._aside():
            self._hand_over(strand)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the baton: a strand that runs has it; other threads take turns (Pulumi calls from several)."""
        if self.strand() is not None:
            yield
            return
        if not self._lock.acquire(timeout=self._patience):
            raise RuntimeError(
                f"thread {threading.current_thread().name!r} waited {self._patience:g} s of real time for its turn "
                "in the sandbox: another thread holds it. Code in the sandbox must not wait for threads of its own."
            )
        try:
            yield
        finally:
            self._lock.release()

    # Strands

    def _launch(self, strand: Strand, run: Callable[[], None]) -> None:
        worker = self._idle.pop() if self._idle else Worker()

        def body() -> None:
            self._strands[threading.get_ident()] = strand
            try:
                run()
            except Unwound:
                pass
            except BaseException as error:  # handed to whoever runs the world, which raises it
                strand.error = error
            finally:
                del self._strands[threading.get_ident()]
                strand.ended = True
                self._idle.append(worker)
                strand.yielded.tell()

        strand.thread = worker.thread
        worker.hand(body, strand.label)
        self._await(strand)

    def _park(self, strand: Strand, until: datetime) -> None:
        if strand.unwinding:
            raise Unwound
        strand.wake = self.call_at(until, lambda: self._hand_over(strand), strand.label)
        resumes = [guard.suspend() for guard in self.guards]
        strand.parked = True
        strand.yielded.tell()
        strand.resumed.wait()
        for resume in reversed(resumes):
            resume()
        if strand.unwinding:
            raise Unwound

    def _hand_over(self, strand: Strand) -> None:
        strand.parked, strand.wake = False, None
        strand.resumed.tell()
        self._await(strand)

    def _await(self, strand: Strand) -> None:
        if not strand.yielded.wait(self._patience):
            raise RuntimeError(
                f"sandbox thread {strand.label!r} still runs after {self._patience:g} s of real time, at "
                f"{self._now.isoformat()} virtual, {_where(strand)}. It waits for something the clock does not move: "
                "a lock, a socket, another thread, or a sleep bound before the clock started."
            )
        if strand.error is not None:
            raise strand.error

    def _unwind(self) -> None:
        for strand in [s for s in self._strands.values() if s.parked]:
            strand.unwinding = True
            strand.parked = False
            strand.resumed.tell()
            strand.yielded.wait(self._patience)

    # Time and state

    def _move(self, when: datetime) -> None:
        if when > self._now:
            if self._traveller is not None:
                self._traveller.shift(when - self._now)  # `move_to` would also set the timezone anew, at every instant
            self._now = when

    @contextmanager
    def _aside(self) -> Iterator[None]:
        resumes = [guard.suspend() for guard in self.guards]
        try:
            yield
        finally:
            for resume in reversed(resumes):
                resume()


def _where(strand: Strand) -> str:
    ident = strand.thread.ident if strand.thread is not None else None
    frame = sys._current_frames().get(ident) if ident is not None else None
    return f"in {frame.f_code.co_filename}:{frame.f_lineno} ({frame.f_code.co_name})" if frame else "in no Python code"
