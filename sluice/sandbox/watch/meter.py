"""The metrics SageMaker publishes for an endpoint's requests.

Decides their names, units, dimensions and when they appear: a minute's worth comes at once, `delay_seconds` after the
minute has ended. What a request cost and whether it failed is left to `serving`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sluice.core.histogram import Histogram
from sluice.sandbox.watch.series import MINUTE, MetricKey, MetricStore, What, metric_key
from sluice.sandbox.watch.statistic import Floats

Statuses = NDArray[np.int64]
"""HTTP statuses, one per request."""

NAMESPACE = "AWS/SageMaker"
LABELLED, CORRECT = "Labelled", "Correct"
"""What the application behind an endpoint counts: answers whose truth is known, and those that were right."""
ERROR_METRICS = ("Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")


class Timer(Protocol):
    def now(self) -> datetime: ...
    def call_at(self, when: datetime, run: Callable[[], None], label: str) -> object: ...


@dataclass(slots=True)
class _Minute:
    statuses: list[Statuses] = field(default_factory=list)
    model_us: list[Floats] = field(default_factory=list)
    overhead_us: list[Floats] = field(default_factory=list)
    labelled: dict[str, list[int]] = field(default_factory=dict)
    """By the application's namespace: answers whose truth is known, and the right ones."""
    taken: list[tuple[Histogram, Floats]] = field(default_factory=list)
    """What the application measured of its answers, in microseconds, and the counters it keeps of that."""


class Meter:
    """Collects what was served and publishes it minute by minute."""

    def __init__(self, clock: Timer, store: MetricStore, *, delay_seconds: float = 10.0) -> None:
        self._clock = clock
        self._store = store
        self.delay_seconds = delay_seconds
        self.distort: Callable[[str, str, What], What] = lambda _slot, _name, samples: samples
        """What becomes of a slot's samples of a metric on their way: tests lose and spoil them here."""
        self._open: dict[datetime, dict[tuple[str, str], _Minute]] = {}

    def record(
        self,
        endpoint: str,
        slot: str,
        at: datetime,
        statuses: Statuses,
        model_us: Floats,
        overhead_us: Floats,
    ) -> None:
        """Note requests served in the minute of `at`, one entry per request in each array."""
        minute = self._minute(endpoint, slot, at)
        minute.statuses.append(statuses)
        minute.model_us.append(model_us)
        minute.overhead_us.append(overhead_us)

    def record_right(self, namespace: str, endpoint: str, slot: str, at: datetime, labelled: int, right: int) -> None:
        """Note what the application behind the endpoint learns about answers it got in the minute of `at`."""
        counts = self._minute(endpoint, slot, at).labelled.setdefault(namespace, [0, 0])
        counts[0] += labelled
        counts[1] += right

    def record_taken(self, histogram: Histogram, endpoint: str, slot: str, at: datetime, us: Floats) -> None:
        """Note how long the application waited for answers it got in the minute of `at`."""
        self._minute(endpoint, slot, at).taken.append((histogram, us))

    def _minute(self, endpoint: str, slot: str, at: datetime) -> _Minute:
        start = at.astimezone(UTC).replace(second=0, microsecond=0)
        if start not in self._open:
            self._open[start] = {}
            when = max(start + timedelta(seconds=MINUTE + self.delay_seconds), self._clock.now())
            self._clock.call_at(when, lambda: self._publish(start), "SageMaker publishes metrics")
        return self._open[start].setdefault((endpoint, slot), _Minute())

    def _publish(self, start: datetime) -> None:
        for (endpoint, slot), minute in self._open.pop(start).items():
            statuses = np.concatenate(minute.statuses)
            count = float(len(statuses))
            self._put(endpoint, slot, start, "Invocations", [(1.0, count)], "None")
            for name, errors in zip(ERROR_METRICS, _error_counts(statuses), strict=True):
                self._put(endpoint, slot, start, name, [(0.0, count - errors), (1.0, errors)], "None")
            for name, values in (("ModelLatency", minute.model_us), ("OverheadLatency", minute.overhead_us)):
                self._put(endpoint, slot, start, name, np.concatenate(values), "Microseconds")
            for namespace, (labelled, right) in minute.labelled.items():
                self._put(endpoint, slot, start, LABELLED, [(1.0, float(labelled))], "Count", namespace)
                split = [(0.0, float(labelled - right)), (1.0, float(right))]
                self._put(endpoint, slot, start, CORRECT, split, "Count", namespace)
            self._publish_taken(endpoint, slot, start, minute)

    def _publish_taken(self, endpoint: str, slot: str, start: datetime, minute: _Minute) -> None:
        """As `sluice.client` sends it: all, and those within each edge."""
        for histogram, us in minute.taken:
            counted = {histogram.total_name: len(us)}
            counted |= {histogram.within_name(edge): int(np.count_nonzero(us <= edge)) for edge in histogram.edges}
            for name, count in counted.items():
                self._put(endpoint, slot, start, name, [(float(count), 1.0)], "None", histogram.namespace)

    def _put(
        self, endpoint: str, slot: str, at: datetime, name: str, samples: What, unit: str, namespace: str = NAMESPACE
    ) -> None:
        self._store.put(_key(namespace, name, endpoint, slot), at, self.distort(slot, name, samples), unit=unit)


@lru_cache(maxsize=4096)
def _key(namespace: str, name: str, endpoint: str, slot: str) -> MetricKey:
    return metric_key(namespace, name, {"EndpointName": endpoint, "VariantName": slot})


def _error_counts(statuses: Statuses) -> tuple[float, float, float]:
    """4XX, 5XX, and of the model (anything that is not a 2XX answer of the container)."""
    if statuses.max(initial=0) < 400:
        return 0.0, 0.0, 0.0  # as nearly always
    client = float(np.count_nonzero((statuses >= 400) & (statuses < 500)))
    server = float(np.count_nonzero(statuses >= 500))
    return client, server, client + server
