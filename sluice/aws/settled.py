"""Rows that a warm function has read and that have settled, so that a look at a long rollout reads its last minutes only.

A cold function reads everything. What a decision rested on is archived with it, wherever the rows came from.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sluice.aws.minutes import Made
from sluice.core.observation import Row
from sluice.core.rows import Reading

LATE_SECONDS = 30 * 60
"""CloudWatch rarely changes a minute that is older, unless its labels come late: then after the metric's lag."""
_MOST_READINGS = 8
_MINUTE = 60


@dataclass(slots=True)
class _Kept:
    """What was read of one rollout, whatever the time."""

    reading: Reading
    settled: tuple[Row, ...] = ()
    recent: Made = field(default_factory=Made)


@dataclass(slots=True)
class SettledRows:
    """The settled rows of a few rollouts, the one that was read last in front."""

    kept: list[_Kept] = field(default_factory=list)

    def rows(self, reading: Reading, fetch: Callable[[Reading, Made], tuple[Row, ...]]) -> tuple[Row, ...]:
        """What `fetch(reading, made)` answers, asking only for minutes that are not settled yet; `made` are the rows it made last."""
        settled_until = reading.until - LATE_SECONDS - _longest_lag(reading)
        wanted = _timeless(reading)
        kept = next((kept for kept in self.kept if kept.reading == wanted), None) or _Kept(wanted)
        known = _between(kept.settled, reading.since, settled_until)
        since = known[-1].at + _MINUTE if known else reading.since
        rows = (*known, *fetch(replace(reading, since=since), kept.recent))
        kept.settled = _between(rows, reading.since, settled_until)
        kept.recent.forget(settled_until)
        self.kept = [kept, *(other for other in self.kept if other is not kept)][:_MOST_READINGS]
        return rows


def _between(rows: tuple[Row, ...], since: int, until: int) -> tuple[Row, ...]:
    """The rows in [since, until), which come in order; nothing if they begin later."""
    if not rows or rows[0].at > since:
        return ()
    first, end = (bisect_left(rows, at, key=lambda row: row.at) for at in (since, until))
    return rows[first:end]


def _timeless(reading: Reading) -> Reading:
    return replace(reading, since=0, until=0)


def _longest_lag(reading: Reading) -> int:
    return max((metric.terms.lag_seconds for metric in reading.metrics.values()), default=0)
