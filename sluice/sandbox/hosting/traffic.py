"""Clients that send requests to an endpoint all day, and the account of what became of them.

Decides how many requests arrive, when, with which payload and at which slot. Weights are exact: requests up to a change
of routes are served by the routes before it. What a request comes to is left to `serving`, its metrics to `meter`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from operator import eq
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sluice.core.histogram import Histogram
from sluice.sandbox.hosting.loading import CSV
from sluice.sandbox.hosting.serving import Chosen, Outcomes, Route
from sluice.sandbox.watch.meter import Meter
from sluice.sandbox.watch.series import MINUTE
from sluice.sandbox.watch.statistic import Floats

GOOD = range(200, 300)


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class TrafficClock(Protocol):
    def now(self) -> datetime: ...
    def every(
        self, seconds: float, run: Callable[[], None], label: str, *, first: datetime | None = None
    ) -> Cancellable: ...


class Destination(Protocol):
    before_change: list[Callable[[str], None]]

    def routes(self, name: str) -> Sequence[Route]: ...


@dataclass(slots=True)
class Tally:
    """What became of some requests."""

    requests: int = 0
    errors: int = 0
    first_error: datetime | None = None

    def note(self, requests: int, errors: int, first_error: datetime | None) -> None:
        self.requests += requests
        self.errors += errors
        self.first_error = self.first_error or first_error


@dataclass(slots=True)
class Account:
    """Requests by slot, by model name (one release is one model), and those no slot could take."""

    slots: dict[str, Tally] = field(default_factory=dict)
    models: dict[str, Tally] = field(default_factory=dict)
    unserved: int = 0

    @property
    def requests(self) -> int:
        return sum(tally.requests for tally in self.slots.values()) + self.unserved

    @property
    def harmed(self) -> int:
        """Requests that did not get a good answer."""
        return sum(tally.errors for tally in self.slots.values()) + self.unserved


@dataclass(frozen=True, slots=True)
class Load:
    """What clients send: requests a minute on average (a Poisson number, or exactly that if `steady`) and payloads.

    `truth` is the right first word of the answer to each payload; where it is known, the application behind the endpoint counts
    what was right into the CloudWatch namespace `outcomes`. With a `histogram` it also counts how long its answers took.
    """

    requests_per_minute: float
    payloads: Sequence[bytes]
    content_type: str = CSV
    accept: str = CSV
    steady: bool = False
    truth: Sequence[bytes] = ()
    outcomes: str = ""
    histogram: Histogram | None = None

    def __post_init__(self) -> None:
        if not self.payloads:
            raise ValueError("traffic needs at least one payload to send")
        if self.truth and len(self.truth) != len(self.payloads):
            raise ValueError(f"{len(self.payloads)} payloads need as many truths, got {len(self.truth)}")


class Traffic:
    """Requests to one endpoint. `load` may be exchanged at any time, after `catch_up`."""

    def __init__(
        self, clock: TrafficClock, endpoints: Destination, meter: Meter, endpoint: str, load: Load, *, seed: int = 0
    ) -> None:
        self.account = Account()
        self.load = load
        self._clock = clock
        self._endpoints = endpoints
        self._meter = meter
        self._endpoint = endpoint
        self._generator = np.random.default_rng([seed, *endpoint.encode()])
        self._owed = 0.0
        self._served_until: datetime | None = None
        self._entry: Cancellable | None = None

    def start(self) -> None:
        """Send from now on."""
        now = self._clock.now()
        self._served_until = now
        first = now.replace(second=0, microsecond=0) + timedelta(seconds=MINUTE)
        self._entry = self._clock.every(MINUTE, self.catch_up, f"traffic to {self._endpoint}", first=first)
        self._endpoints.before_change.append(self._before_change)

    def stop(self) -> None:
        """Send no more; what arrived until now is served."""
        self.catch_up()
        if self._entry is not None:
            self._entry.cancel()
            self._endpoints.before_change.remove(self._before_change)
        self._entry = self._served_until = None

    def _before_change(self, endpoint: str) -> None:
        if endpoint == self._endpoint:
            self.catch_up()

    def catch_up(self) -> None:
        """Serve what arrived since the last time; the account is true up to now afterwards."""
        now = self._clock.now()
        while self._served_until is not None and self._served_until < now:
            start = self._served_until
            minute_end = start.replace(second=0, microsecond=0) + timedelta(seconds=MINUTE)
            self._served_until = min(now, minute_end)
            self._serve(start, (self._served_until - start).total_seconds())

    def _serve(self, start: datetime, seconds: float) -> None:
        count = self._arrivals(seconds)
        offsets = np.sort(self._generator.uniform(0.0, seconds, count))
        chosen = self._generator.integers(len(self.load.payloads), size=count)
        routes = self._endpoints.routes(self._endpoint)
        weights = [route.weight for route in routes]
        if not any(weights):
            self.account.unserved += count
            return
        slots = _drawn(self._generator, count, weights)
        for index, route in enumerate(routes):
            mine = np.flatnonzero(slots == index) if route.weight else ()
            if len(mine):
                self._send(route, start, offsets[mine], chosen[mine])

    def _arrivals(self, seconds: float) -> int:
        expected = self.load.requests_per_minute * seconds / MINUTE
        if not self.load.steady:
            return int(self._generator.poisson(expected))
        self._owed += expected
        count = int(self._owed + 1e-9)
        self._owed -= count
        return count

    def _send(self, route: Route, start: datetime, offsets: Floats, chosen: Chosen) -> None:
        load = self.load
        outcomes = route.container.meet(load.payloads, chosen, load.content_type, load.accept)
        served = outcomes.statuses, outcomes.model_us, outcomes.overhead_us
        self._meter.record(self._endpoint, route.slot, start, *served)
        bad = (outcomes.statuses < GOOD.start) | (outcomes.statuses >= GOOD.stop)
        if load.truth:
            self._count_right(route.slot, start, outcomes, ~bad)
        if load.histogram is not None:
            waited = (outcomes.model_us + outcomes.overhead_us)[~bad]
            self._meter.record_taken(load.histogram, self._endpoint, route.slot, start, waited)
        failed = offsets[bad]
        first = start + timedelta(seconds=float(failed[0])) if len(failed) else None
        for tallies, name in (
            (self.account.slots, route.slot),
            (self.account.models, route.container.spec.model_name),
        ):
            tallies.setdefault(name, Tally()).note(len(chosen), len(failed), first)

    def _count_right(self, slot: str, start: datetime, outcomes: Outcomes, given: NDArray[np.bool_]) -> None:
        """As the application would: for each answer that was given, whether its first word was the right one."""
        right = _right(outcomes.bodies, tuple(map(self.load.truth.__getitem__, outcomes.payloads)))[outcomes.which]
        counts = int(np.count_nonzero(given)), int(np.count_nonzero(right & given))
        self._meter.record_right(self.load.outcomes, self._endpoint, slot, start, *counts)


def _drawn(generator: np.random.Generator, count: int, weights: Sequence[float]) -> Chosen:
    """Places drawn by weight, with the very numbers of `Generator.choice`, whose checks take longer than the draw."""
    shares = np.array(weights, dtype=float)
    edges = (shares / shares.sum()).cumsum()
    return np.searchsorted(edges / edges[-1], generator.random(count), side="right")


@lru_cache(maxsize=64)
def _right(bodies: tuple[bytes, ...], truth: tuple[bytes, ...]) -> NDArray[np.bool_]:
    """Of each answer, whether its first word is the right one: the same answers are given in most minutes."""
    return np.fromiter(map(eq, map(_first_word, bodies), truth), dtype=bool)


@lru_cache(maxsize=4096)
def _first_word(body: bytes) -> bytes:
    return body.partition(b",")[0]
