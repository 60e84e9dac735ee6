"""What came of an endpoint's answers, counted per variant and minute of the EXPOSURE: that is when the release had its effect.

Declared once when the application starts, where a mistake raises; recorded in requests, where nothing ever does. What is
counted is sums, so several processes add up, and an outcome that comes days later still counts for its minute. Sending is
left to a sink.

A rate is two counters, a mean three (number, sum, sum of squares: CloudWatch keeps no sum of squares). Values of a mean are
winsorised at fixed limits, equal for both variants, so that one wild value cannot decide about a release. A latency is counters
under fixed thresholds: how many answers took at most so long.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sluice.client.asking import Answer
from sluice.client.contract import Serving
from sluice.client.pump import Pump
from sluice.client.sinks import MINUTE, OLDEST_SECONDS, Row, Sink
from sluice.core import histogram
from sluice.core.errors import BadInput

_LOG = logging.getLogger(__name__)
MOST_MINUTES = 5_000
"""Minutes and variants kept until they are sent: a few megabytes, and a day and a half of two variants without CloudWatch."""
_FAULTS_BETWEEN_LINES = 1_000
"""A fault in every request must not fill the log: the first is written, and then every so many."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Somebody saw an answer of `slot` at `at` (seconds since the epoch). Keep it with the session, the order, the case."""

    slot: str
    at: int

    def __str__(self) -> str:
        """For a cookie or a database column; `Exposure.read` gives it back."""
        return f"{self.at}@{self.slot}"

    @staticmethod
    def read(text: str) -> Exposure:
        """Never raises: what cannot be read is an exposure of no variant, and outcomes of it are not counted."""
        at, _, slot = text.partition("@")
        return Exposure(slot, int(at)) if slot and at.isdecimal() and len(at) < 13 else Exposure("", 0)


@dataclass(slots=True)
class Account:
    """What became of recording itself: `unusable` had no variant or was too old, `lost` could not be kept or sent."""

    unusable: int = 0
    lost: int = 0
    faults: int = 0


class Outcomes:
    """Counts for one endpoint. Thread-safe; a forked child counts for itself.

    Sends every `interval_seconds` from a thread of its own and once more at exit, with zeros for slots that nobody saw. With None
    only when `flush` is called, as in a Lambda function, which is frozen between requests. Keep the interval below the
    policy's `data_lag`, or late rows look like missing ones.
    """

    def __init__(
        self,
        serving: Serving,
        sink: Sink,
        interval_seconds: float | None = 30,
        now: Callable[[], float] = time.time,
        most_minutes: int = MOST_MINUTES,
    ) -> None:
        self.account = Account()
        self._serving, self._sink, self._now, self._most = serving, sink, now, most_minutes
        self._trials: list[str] = []
        self._names: dict[str, None] = {}
        self._interval = interval_seconds
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Also in a forked child: the parent still has, and will send, what was counted before, and its thread stays there."""
        self._lock = threading.Lock()
        self._minutes: dict[tuple[str, int], dict[str, float]] = {}
        self._pump = Pump(self.flush, self._interval)

    def rate(self, events: str, of: str) -> Rate:
        """Events among trials, such as Conversions of Exposures: the metric names that a policy's `rate` has.

        Rates may share their trials: an exposure counts once.
        """
        self._declare(events, of if of not in self._trials else None)
        if of not in self._trials:
            self._trials.append(of)
        return Rate(self, events)

    def mean(self, name: str, *, at_most: float, at_least: float = 0.0, of_each_exposure: bool = False) -> Mean:
        """A mean as `<name>_n`, `<name>_sum` and `<name>_sumsq`. Values beyond the limits count as the limit.

        `of_each_exposure`: an exposure without a value counts as 0 (revenue per visit); otherwise only values count
        (size of an order). With it an exposure has one value at most.
        """
        if not at_least < at_most:
            raise BadInput((f"mean {name!r}: at_least must be below at_most, got {at_least} and {at_most}",))
        number = f"{name}_n"
        self._declare(number, f"{name}_sum", f"{name}_sumsq")
        if of_each_exposure:
            self._trials.append(number)
        return Mean(self, name, at_least, at_most, of_each_exposure)

    def latency(self, name: str, *, from_ms: float, to_ms: float) -> Latency:
        """How long answers took, as `<name>_n` and counters under thresholds from `from_ms` to `to_ms`, five to each doubling.

        For a policy's `histogram`, which may ask for less of the range. Each threshold is a CloudWatch metric per variant, and paid
        for: 5 ms to 2 s is 45 of them.
        """
        if not 0.1 <= from_ms < to_ms:
            raise BadInput(
                (f"latency {name!r}: from_ms must be at least 0.1 and below to_ms, got {from_ms} and {to_ms}",)
            )
        edges = histogram.edges(round(from_ms * 1000), round(to_ms * 1000))
        counters = (histogram.total_name(name), *(histogram.within_name(name, edge) for edge in edges))
        self._declare(*counters)
        return Latency(self, counters, edges)

    def exposed(self, seen: Answer | str | None, at: float | None = None) -> Exposure:
        """Somebody saw an answer (or: an answer of this variant), now or at `at`. Never raises."""
        slot = seen.slot if isinstance(seen, Answer) else seen
        try:
            exposure = Exposure(slot or "", int(self._now() if at is None else at))
        except (
            TypeError,
            ValueError,
            OverflowError,
        ):  # a time that is none; the outcomes of this exposure count nowhere
            exposure = Exposure("", 0)
        self.record(exposure, dict.fromkeys(self._trials, 1.0))
        return exposure

    def is_usable(self, number: object, at_least: float, at_most: float = math.inf) -> bool:
        """Whether an amount is a number within limits; one that is not, NaN too, is on the account. Never raises."""
        if isinstance(number, int | float) and at_least <= number <= at_most:
            return True
        self.account.unusable += 1
        return False

    def record(self, exposure: Exposure | str, amounts: Mapping[str, float]) -> None:
        """Add to counters in the exposure's minute. Never raises."""
        try:
            self._record(Exposure.read(exposure) if isinstance(exposure, str) else exposure, amounts)
        except Exception:  # the request that is being served matters more
            self._fault()

    def flush(self) -> None:
        """Send what is there, zeros too. What was refused for now stays for the next time. Never raises."""
        try:
            with self._lock:
                for slot in self._serving.slots if self._interval is not None else ():
                    self._minute(slot, int(self._now()))
                rows = [Row(slot, minute, amounts) for (slot, minute), amounts in sorted(self._minutes.items())]
                self._minutes = {}
            if not rows or not self._names:
                return
            sent = self._sink.send(self._serving, rows)
            with self._lock:
                self.account.lost += sent.lost
                self._keep(sent.again)
        except Exception:
            self._fault()

    def close(self) -> None:
        """Send what is there and stop the thread, where the end of the process comes too late."""
        self._pump.stop()
        self.flush()

    def _declare(self, *names: str | None) -> None:
        for name in filter(None, names):
            if name in self._names:
                raise BadInput((f"metric {name!r}: is declared twice. Give each its own name.",))
            self._names[name] = None

    def _record(self, exposure: Exposure, amounts: Mapping[str, float]) -> None:
        with self._lock:
            self._pump.start()
            if not exposure.slot or not -OLDEST_SECONDS < exposure.at - self._now() < MINUTE:
                self.account.unusable += 1
                return
            minute = self._minute(exposure.slot, exposure.at)
            if minute is None:
                self.account.lost += 1
                return
            for name, amount in amounts.items():
                minute[name] += amount

    def _minute(self, slot: str, at: int) -> dict[str, float] | None:
        """The counters of a minute, all at zero when they are new; None when there is no room for more."""
        key = (slot, at - at % MINUTE)
        if key not in self._minutes:
            if len(self._minutes) >= self._most:
                return None
            self._minutes[key] = dict.fromkeys(self._names, 0.0)
        return self._minutes[key]

    def _keep(self, rows: Iterable[Row]) -> None:
        for row in rows:
            minute = self._minute(row.slot, row.minute)
            if minute is None:
                self.account.lost += 1
                continue
            for name, amount in row.amounts.items():
                minute[name] += amount

    def _fault(self) -> None:
        self.account.faults += 1
        if self.account.faults % _FAULTS_BETWEEN_LINES == 1:
            _LOG.exception("outcomes of %s could not be recorded or sent", self._serving.endpoint_name)


@dataclass(frozen=True, slots=True)
class Rate:
    """Events of a rate; `Outcomes.exposed` counts its trials."""

    outcomes: Outcomes
    events: str

    def happened(self, exposure: Exposure | str, times: int = 1) -> None:
        """It came to this for what was seen then. Never raises."""
        if self.outcomes.is_usable(times, 0, sys.float_info.max):
            self.outcomes.record(exposure, {self.events: times})


@dataclass(frozen=True, slots=True)
class Mean:
    """Values of a mean, winsorised."""

    outcomes: Outcomes
    name: str
    at_least: float
    at_most: float
    of_each_exposure: bool = field(default=False)

    def measured(self, exposure: Exposure | str, value: float) -> None:
        """The value that came of what was seen then. Never raises."""
        if not self.outcomes.is_usable(value, -math.inf):
            return
        kept = min(max(float(value), self.at_least), self.at_most)
        number = {} if self.of_each_exposure else {f"{self.name}_n": 1.0}
        self.outcomes.record(exposure, {**number, f"{self.name}_sum": kept, f"{self.name}_sumsq": kept * kept})


@dataclass(frozen=True, slots=True)
class Latency:
    """A histogram of latencies: the first counter counts all, each other one those within its edge (in microseconds)."""

    outcomes: Outcomes
    counters: tuple[str, ...]
    edges: tuple[int, ...]

    def took(self, exposure: Exposure | str, milliseconds: float) -> None:
        """The answer that was seen took so long. Once for each answer: the judge compares their number with SageMaker's. Never raises."""
        if not self.outcomes.is_usable(milliseconds, 0):
            return
        first = 1 + bisect_left(self.edges, milliseconds * 1000)
        self.outcomes.record(exposure, dict.fromkeys((self.counters[0], *self.counters[first:]), 1.0))
