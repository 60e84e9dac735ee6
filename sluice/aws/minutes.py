"""Series of CloudWatch as rows of minutes. What has no data stays absent; what is no number is named and left out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from sluice.aws.series import INVOKED, OVER, RECORDED_TOTAL, RECORDED_WITHIN, WITHIN, Key, Series
from sluice.core.observation import Counts, Moments, Row, SlotMinute, Tail
from sluice.core.policy import LatencyMetric, LevelMetric, MeanMetric, RateMetric
from sluice.core.rows import Reading

_MINUTE = 60


@dataclass(slots=True)
class Made:
    """The rows that were made last of one reading, by minute, each with the values it was made from.

    CloudWatch mostly says the same of a minute again: then its row stays the one it was, which whoever reads on knows already.
    """

    keys: tuple[Key, ...] = ()
    rows: dict[int, tuple[tuple[float | None, ...], Row]] = field(default_factory=dict)

    def of(self, reading: Reading, series: Series) -> tuple[Row, ...]:
        """One row for each minute of the reading."""
        known = self.rows if self.keys == tuple(series) else {}
        columns = [values.get for values in series.values()]
        slots = _Slot.of(reading.canary, reading, series), _Slot.of(reading.stable, reading, series)
        self.keys, self.rows = tuple(series), {}
        for at in range(reading.since, reading.until, _MINUTE):
            values = tuple([value(at) for value in columns])
            row = known.get(at)
            self.rows[at] = row if row is not None and row[0] == values else (values, self._row(slots, at, values))
        return tuple(row for _, row in self.rows.values())

    def forget(self, before: int) -> None:
        """The rows of minutes that are not made again."""
        self.rows = {at: row for at, row in self.rows.items() if at >= before}

    def _row(self, slots: tuple[_Slot, _Slot], at: int, values: tuple[float | None, ...]) -> Row:
        canary, stable = slots
        recorded = frozenset(_recorded(canary.reading, slots, at))
        faults = (
            f"{key.metric} of {key.slot}: {key.part} is {value}"
            for key, value in zip(self.keys, values, strict=True)
            if value is not None and not math.isfinite(value)
        )
        return Row(at, canary.minute(at, recorded), stable.minute(at, recorded), faults=tuple(faults))


def rows_of(reading: Reading, series: Series) -> tuple[Row, ...]:
    """One row for each minute of the reading."""
    return Made().of(reading, series)


def _recorded(reading: Reading, slots: tuple[_Slot, _Slot], at: int) -> Iterator[str]:
    """Latencies that this minute is judged by the application's histogram for: both slots, so that like is compared with like."""
    for name, metric in reading.metrics.items():
        if isinstance(metric, LatencyMetric) and metric.histogram is not None:
            counted = any(slot.is_counted(name, at) for slot in slots)
            if metric.histogram.use == "always" or not counted:
                yield name


@dataclass(frozen=True, slots=True)
class _Slot:
    """The series of one slot; `segments` are the values of a dimension that any of them was found under."""

    reading: Reading
    values: dict[tuple[str, str, str | None], dict[int, float]]
    """By metric, part and segment."""
    segments: dict[str, tuple[str, ...]]
    limits: dict[str, tuple[str, ...]]
    edges: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, name: str, reading: Reading, series: Series) -> _Slot:
        segments: dict[str, set[str]] = {}
        limits: dict[str, dict[str, None]] = {}
        edges: dict[str, dict[str, None]] = {}
        for key in series:
            if key.slot == name and key.segment is not None:
                segments.setdefault(key.metric, set()).add(key.segment)
            for part, found in ((OVER, limits), (RECORDED_WITHIN, edges)):
                if key.slot == name and key.part.startswith(part):
                    found.setdefault(key.metric, {})[key.part.removeprefix(part)] = None
        return cls(
            reading,
            {(key.metric, key.part, key.segment): values for key, values in series.items() if key.slot == name},
            {metric: tuple(sorted(values)) for metric, values in segments.items()},
            {metric: tuple(names) for metric, names in limits.items()},
            {metric: tuple(names) for metric, names in edges.items()},
        )

    def minute(self, at: int, recorded: frozenset[str] = frozenset()) -> SlotMinute:
        """What the slot showed in the minute that starts at `at`; `recorded` latencies as the application's histogram has them."""
        kinds = self.reading.metrics
        rates = {name: self._counts(name, at) for name, metric in kinds.items() if isinstance(metric, RateMetric)}
        tails = {
            name: (self._recorded_tail(name, at) if name in recorded else None) or self._tail(name, at)
            for name, metric in kinds.items()
            if isinstance(metric, LatencyMetric)
        }
        means = {name: self._moments(name, at) for name, metric in kinds.items() if isinstance(metric, MeanMetric)}
        levels = {
            name: self._value(name, "level", at) for name, metric in kinds.items() if isinstance(metric, LevelMetric)
        }
        p90s = {name: self._value(name, "p90", at) for name in tails}
        by = {name: self._by_segment(name, at) for name in self.segments}
        return SlotMinute(
            {name: found for name, found in rates.items() if found is not None},
            {name: found for name, found in tails.items() if found is not None},
            {name: found for name, found in means.items() if found is not None},
            {name: found for name, found in levels.items() if found is not None},
            {name: found for name, found in by.items() if found},
            {name: found for name, found in p90s.items() if found is not None},
        )

    def _value(self, metric: str, part: str, at: int, segment: str | None = None) -> float | None:
        values = self.values.get((metric, part, segment))
        found = values.get(at) if values else None
        return found if found is not None and math.isfinite(found) else None

    def _counts(self, metric: str, at: int, segment: str | None = None) -> Counts | None:
        trials = self._value(metric, "trials", at, segment)
        events = self._value(metric, "events", at, segment)
        return None if trials is None or events is None else Counts(trials, events)

    def _by_segment(self, metric: str, at: int) -> dict[str, Counts]:
        found = {segment: self._counts(metric, at, segment) for segment in self.segments[metric]}
        return {segment: counts for segment, counts in found.items() if counts is not None}

    def _moments(self, metric: str, at: int) -> Moments | None:
        count, total, squares = (self._value(metric, part, at) for part in ("count", "sum", "sumsq"))
        return None if count is None or total is None or squares is None else Moments(count, total, squares)

    def _tail(self, metric: str, at: int) -> Tail | None:
        trials = self._value(metric, "trials", at)
        if trials is None or not math.isfinite(self.values.get((metric, "p90", None), {}).get(at, 0.0)):
            return None  # samples that are no numbers were counted, and lie over every limit
        counted = {name: self._over(metric, name, trials, at) for name in self.limits.get(metric, ())}
        return Tail(trials, {name: over for name, over in counted.items() if over is not None})

    def is_counted(self, metric: str, at: int) -> bool:
        """Whether CloudWatch counted the minute's requests over or within any limit."""
        names = self.limits.get(metric, ())
        return any(self._value(metric, f"{part}{name}", at) is not None for name in names for part in (OVER, WITHIN))

    def _recorded_tail(self, metric: str, at: int) -> Tail | None:
        """From the application's histogram. Counters that contradict each other stay as they are: data quality names them."""
        trials = self._value(metric, RECORDED_TOTAL, at)
        if trials is None:
            return None
        over = {}
        for name in self.edges.get(metric, ()):
            within = self._value(metric, f"{RECORDED_WITHIN}{name}", at)
            if within is not None:
                over[name] = trials - within
        invoked, *failed = (self._value(metric, part, at) or 0.0 for part in INVOKED)
        return Tail(trials, over, max(0.0, invoked - sum(failed)))

    def _over(self, metric: str, name: str, trials: float, at: int) -> float | None:
        """Requests over a limit, or all but those within it: whether an empty side is zero or missing is CloudWatch's secret.

        None when neither was answered: then trimmed counts are not to be had, and latency is not judged.
        """
        over = self._value(metric, f"{OVER}{name}", at)
        if over is not None:
            return over
        within = self._value(metric, f"{WITHIN}{name}", at)
        return None if within is None else max(0.0, trials - within)
