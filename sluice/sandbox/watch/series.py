"""Metric storage: exact samples per metric and minute, found without scanning.

Decides which period a sample belongs to and what a reader sees of it; missing stays missing. What a statistic means is
left to `statistic`, the request language (GetMetricData) to `queries`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from sluice.sandbox.watch.statistic import Floats, Samples, merged, statistic

Points = dict[int, float]
"""Data points by the epoch second their period starts at."""

MINUTE = 60
SUB_MINUTE_PERIODS = (1, 5, 10, 20, 30)


class MetricKey(NamedTuple):
    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]] = frozenset()


def metric_key(namespace: str, name: str, dimensions: Mapping[str, str] | None = None) -> MetricKey:
    return MetricKey(namespace, name, frozenset((dimensions or {}).items()))


@dataclass(frozen=True, slots=True)
class StatisticSet:
    count: float
    total: float
    low: float
    high: float


What = Sequence[tuple[float, float]] | Floats | StatisticSet
"""Samples as (value, count) pairs, as values that occurred once each, or as one statistic set."""


@dataclass(slots=True)
class _Series:
    minutes: dict[int, Samples] = field(default_factory=dict)
    seconds: dict[int, Samples] = field(default_factory=dict)  # only what was put with high resolution

    def put(self, at: datetime, what: What, high_resolution: bool) -> None:
        second = int(at.timestamp())
        _note(self.minutes.setdefault(second - second % MINUTE, Samples()), what)
        if high_resolution:
            _note(self.seconds.setdefault(second, Samples()), what)

    def within(self, start: int, period: int) -> Samples | None:
        if period == MINUTE:
            return self.minutes.get(start)
        step, buckets = (1, self.seconds) if period < MINUTE and self.seconds else (MINUTE, self.minutes)
        found = [bucket for second in range(start, start + period, step) if (bucket := buckets.get(second)) is not None]
        return found[0] if len(found) == 1 else merged(found) if found else None


def _note(samples: Samples, what: What) -> None:
    if isinstance(what, StatisticSet):
        samples.add_set(what.count, what.total, what.low, what.high)
    elif isinstance(what, np.ndarray):
        samples.add_each(what)
    else:
        samples.add([value for value, _ in what], [count for _, count in what])


class MetricStore:
    """All metrics of one account and region. Readers get data points; nothing ever expires."""

    def __init__(self) -> None:
        self._series: dict[MetricKey, dict[str, _Series]] = {}

    def put(
        self,
        key: MetricKey,
        at: datetime,
        samples: What,
        *,
        unit: str = "None",
        high_resolution: bool = False,
    ) -> None:
        """Add samples at a time."""
        by_unit = self._series.setdefault(key, {})
        by_unit.setdefault(unit, _Series()).put(at, samples, high_resolution)

    def points(
        self, key: MetricKey, statistic_name: str, period: int, start: int, end: int, unit: str | None = None
    ) -> Points:
        """Data points of the periods starting at `start`, `start + period`, ... before `end`, where there are samples.

        ValueError for an unknown statistic or a period CloudWatch does not know."""
        check_period(period)
        statistic(statistic_name)
        every_unit = self._series.get(key)
        if every_unit is None:
            return {}
        chosen = [series for name, series in every_unit.items() if unit is None or name == unit]
        within: Callable[[int], Samples | None] = (
            chosen[0].minutes.get  # what nearly everybody asks for
            if len(chosen) == 1 and period == MINUTE
            else partial(_together, chosen, period)
        )
        points: Points = {}
        for second in range(start, end, period):
            samples = within(second)
            value = samples.value(statistic_name) if samples is not None else None
            if value is not None:
                points[second] = value
        return points

    def __iter__(self) -> Iterator[MetricKey]:
        return iter(self._series)

    def units(self, key: MetricKey) -> list[str]:
        return list(self._series.get(key, {}))


def _together(several: Sequence[_Series], period: int, start: int) -> Samples | None:
    """The samples of one period in every unit."""
    found = [part for series in several if (part := series.within(start, period)) is not None]
    return found[0] if len(found) == 1 else merged(found) if found else None


def check_period(period: int) -> None:
    if period not in SUB_MINUTE_PERIODS and (period < MINUTE or period % MINUTE):
        known = ", ".join(map(str, SUB_MINUTE_PERIODS))
        raise ValueError(f"a period is {known} or a multiple of 60 seconds, got {period}")


def aligned(moment: datetime, period: int) -> int:
    """The start of the period a moment lies in, in epoch seconds: CloudWatch rounds a start time down."""
    second = int(moment.timestamp())
    return second - second % period


@lru_cache(maxsize=4096)
def moment_of(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
