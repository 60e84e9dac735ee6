"""Rows that a warm function has read and that have settled, so that a look at a long rollout reads its last minutes only.

A cold function reads everything. What a decision rested on is archived with it, wherever the rows came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sluice.core.observation import Row
from sluice.core.rows import Reading

LATE_SECONDS = 30 * 60
"""CloudWatch rarely changes a minute that is older, unless its labels come late: then after the metric's lag."""
_MOST_READINGS = 8
_MINUTE = 60


@dataclass(slots=True)
class SettledRows:
    """The settled rows of a few rollouts, the one that was read last in front."""

    kept: list[tuple[Reading, tuple[Row, ...]]] = field(default_factory=list)

    def rows(self, reading: Reading, fetch: Callable[[Reading], tuple[Row, ...]]) -> tuple[Row, ...]:
        """What `fetch(reading)` answers, asking only for minutes that are not settled yet."""
        settled_until = reading.until - LATE_SECONDS - _longest_lag(reading)
        known = self._known(reading, settled_until)
        since = known[-1].at + _MINUTE if known else reading.since
        rows = (*known, *fetch(replace(reading, since=since)))
        kept = (_timeless(reading), tuple(row for row in rows if row.at < settled_until))
        others = [(of, theirs) for of, theirs in self.kept if of != kept[0]]
        self.kept = [kept, *others][:_MOST_READINGS]
        return rows

    def _known(self, reading: Reading, settled_until: int) -> tuple[Row, ...]:
        """The rows kept from the reading's beginning on; nothing if that was not read."""
        wanted = _timeless(reading)
        rows = next((rows for of, rows in self.kept if of == wanted), ())
        if not rows or rows[0].at > reading.since:
            return ()
        return tuple(row for row in rows if reading.since <= row.at < settled_until)


def _timeless(reading: Reading) -> Reading:
    return replace(reading, since=0, until=0)


def _longest_lag(reading: Reading) -> int:
    return max((metric.terms.lag_seconds for metric in reading.metrics.values()), default=0)
