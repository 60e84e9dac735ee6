"""Minutes of a rollout pooled into what a chart or a table can show: rates with their intervals, and latencies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sluice.cli.report.story import Story
from sluice.core.observation import Row, SlotMinute
from sluice.core.rollout import Phase

_Z = 1.959964
"""The normal quantile of 95 %."""
BUCKETS = 48
"""Points a chart shows at most: about one for every eight pixels of a phone."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Events among trials with Wilson's 95 % interval: it stays within 0 and 1 and is honest with few trials."""

    trials: float
    events: float
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.events / self.trials


@dataclass(frozen=True, slots=True)
class Point:
    """One pooled stretch of a metric; a side without requests is None. Latencies are in seconds."""

    at: int
    canary: Rate | float | None
    stable: Rate | float | None


@dataclass(frozen=True, slots=True)
class Series:
    """A metric over the rollout. `is_rate` tells shares with intervals from latencies."""

    metric: str
    is_rate: bool
    pooled_minutes: int
    points: tuple[Point, ...]

    @property
    def title(self) -> str:
        if self.is_rate:
            return self.metric.capitalize()
        worst = ", slowest minute" if self.pooled_minutes > 1 else ""
        return f"{self.metric.capitalize()}, p90{worst}"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a step showed in all, by metric: (metric, canary, stable)."""

    number: int
    weight_parts: int
    since: int
    until: int
    rates: tuple[tuple[str, Rate | None, Rate | None], ...]


def wilson(events: float, trials: float) -> Rate | None:
    """Wilson's score interval (1927); None without trials."""
    if trials <= 0:
        return None
    share, z2 = events / trials, _Z * _Z
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return Rate(trials, events, max(0.0, middle - half), min(1.0, middle + half))


def series(rows: Sequence[Row]) -> tuple[Series, ...]:
    """Every metric that any minute shows, rates first, each by name."""
    rates = sorted({name for row in rows for side in (row.canary, row.stable) for name in side.rates})
    latencies = sorted({name for row in rows for side in (row.canary, row.stable) for name in side.p90_us})
    size = block_minutes(rows)
    pooled = [rows[start : start + size] for start in range(0, len(rows), size)]
    return (
        *(Series(name, True, size, tuple(_rate_point(block, name) for block in pooled)) for name in rates),
        *(Series(name, False, size, tuple(_latency_point(block, name) for block in pooled)) for name in latencies),
    )


def block_minutes(rows: Sequence[Row]) -> int:
    """How many minutes one point stands for."""
    return max(1, -(-len(rows) // BUCKETS))


def stages(story: Story) -> tuple[Stage, ...]:
    """Each step that was reached, with what was counted while its weight was on; none of a rollout that ended before its first."""
    begun = [
        (moment.event.at, moment.asked_parts)
        for moment in story.moments
        if moment.event.kind == Phase.SHIFTING.value and moment.phase is Phase.SHIFTING
    ]
    if not begun:
        return ()
    ends = [at for at, _ in begun[1:]]
    names = sorted({name for row in story.rows for name in row.canary.rates})
    made = []
    for number, ((since, parts), until) in enumerate(zip(begun, [*ends, story.until], strict=True), 1):
        mine = [row for row in story.rows if since <= row.at < until]
        rates = tuple(
            (name, _pool((r.canary for r in mine), name), _pool((r.stable for r in mine), name)) for name in names
        )
        made.append(Stage(number, parts, since, until, rates))
    return tuple(made)


def total(rows: Iterable[Row], metric: str) -> tuple[Rate | None, Rate | None]:
    """The canary's and stable's rate over everything."""
    listed = list(rows)
    return _pool((row.canary for row in listed), metric), _pool((row.stable for row in listed), metric)


def _rate_point(block: Sequence[Row], name: str) -> Point:
    return Point(block[0].at, _pool((r.canary for r in block), name), _pool((r.stable for r in block), name))


def _latency_point(block: Sequence[Row], name: str) -> Point:
    return Point(block[0].at, _slowest((r.canary for r in block), name), _slowest((r.stable for r in block), name))


def _pool(minutes: Iterable[SlotMinute], name: str) -> Rate | None:
    counts = [minute.rates[name] for minute in minutes if name in minute.rates]
    return wilson(sum(c.events for c in counts), sum(c.trials for c in counts))


def _slowest(minutes: Iterable[SlotMinute], name: str) -> float | None:
    """The worst minute's p90: percentiles of minutes cannot be pooled, and an average would hide the worst."""
    return max((minute.p90_us[name] / 1e6 for minute in minutes if name in minute.p90_us), default=None)
