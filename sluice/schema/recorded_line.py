"""One line of a table of recorded minutes: what it says of one metric of one slot in one minute. docs/recordings.md has the columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, assert_never

from sluice.core.judge.quality import moments_fault
from sluice.core.observation import Counts, Moments, Row, SlotMinute, Tail
from sluice.core.policy import LatencyMetric, LevelMetric, MeanMetric, Metric, Policy, RateMetric

_SLOTS = ("canary", "stable")
_MINUTE = 60
Line = Mapping[str, Any]


@dataclass(slots=True)
class _Side:
    """What was read so far of one slot's minute, by metric."""

    rates: dict[str, Counts] = field(default_factory=dict)
    tails: dict[str, tuple[float, dict[str, float]]] = field(default_factory=dict)
    means: dict[str, Moments] = field(default_factory=dict)
    levels: dict[str, float] = field(default_factory=dict)
    segments: dict[str, dict[str, Counts]] = field(default_factory=dict)

    def take(self, name: str, metric: Metric, line: Line) -> None:
        """Raises ValueError with a sentence for numbers that cannot be, and for what was said before."""
        match metric:
            case RateMetric():
                self._take_rate(name, metric, line)
            case LatencyMetric():
                self._take_tail(name, line)
            case MeanMetric():
                _once(self.means, name, _moments(line))
            case LevelMetric():
                _once(self.levels, name, _number("value", line.get("value"), least=-math.inf))
            case _:
                assert_never(metric)

    def _take_rate(self, name: str, metric: RateMetric, line: Line) -> None:
        segment = str(line.get("segment") or "")
        if segment and metric.terms.segment is None:
            raise ValueError(f"segment: {name} has none in the policy, got {segment!r}")
        if segment:
            _once(self.segments.setdefault(name, {}), segment, _counts(line))
        else:
            _once(self.rates, name, _counts(line))

    def _take_tail(self, name: str, line: Line) -> None:
        counts, threshold = _counts(line), str(line["threshold"] or "")
        if not threshold:
            raise ValueError("threshold: missing; a latency is counted over one, such as p90x1.3")
        trials, over = self.tails.setdefault(name, (counts.trials, {}))
        if trials != counts.trials:
            raise ValueError(
                f"trials: {counts.trials:g} requests, and {trials:g} over another threshold of the same minute"
            )
        _once(over, threshold, counts.events)

    def minute(self) -> SlotMinute:
        tails = {name: Tail(*tail) for name, tail in self.tails.items()}
        return SlotMinute(self.rates, tails, self.means, self.levels, self.segments)


@dataclass(slots=True)
class Minutes:
    """What was read so far."""

    policy: Policy
    steps: dict[tuple[str, int], int] = field(default_factory=dict)
    """By release and minute."""
    sides: dict[tuple[str, int, str], _Side] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """Raises ValueError with a sentence."""
        release, slot, name = str(line["release"]), str(line["slot"]), str(line["metric"])
        if slot not in _SLOTS:
            raise ValueError(f"slot: must be canary or stable, got {slot!r}")
        metric = self.policy.metrics.get(name)
        if metric is None:
            raise ValueError(f"metric: the policy has no {name!r}; it has {', '.join(sorted(self.policy.metrics))}")
        at, step = moment(line["at"]), _number("step", line["step"])
        if not 0 <= step < len(self.policy.steps) or step != int(step):
            raise ValueError(f"step: must be 0 to {len(self.policy.steps) - 1}, got {line['step']!r}")
        if self.steps.setdefault((release, at), int(step)) != step:
            raise ValueError(f"step: {step:g}, and {self.steps[release, at]} in another line of the same minute")
        self.sides.setdefault((release, at, slot), _Side()).take(name, metric, line)

    def rows(self) -> dict[str, tuple[Row, ...]]:
        """By release, in order of time."""
        found: dict[str, list[Row]] = {}
        for (release, at), step in sorted(self.steps.items(), key=lambda item: item[0][1]):
            canary, stable = (self.sides.get((release, at, slot), _Side()).minute() for slot in _SLOTS)
            found.setdefault(release, []).append(Row(at, canary, stable, step))
        return {release: tuple(found[release]) for release in dict.fromkeys(release for release, _ in self.steps)}


def moment(value: object) -> int:
    """The minute's start; a datetime, seconds since the epoch, or ISO 8601 (UTC where it says nothing)."""
    text = str(value)
    if text.isdigit():
        return int(text) // _MINUTE * _MINUTE
    found = datetime.fromisoformat(text)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) // _MINUTE * _MINUTE


def _once(known: dict[str, Any], key: str, value: object) -> None:
    if key in known:
        raise ValueError(f"{key}: said before of the same minute and slot")
    known[key] = value


def _counts(line: Line) -> Counts:
    trials, events = _number("trials", line["trials"]), _number("events", line["events"])
    if events > trials:
        raise ValueError(f"events: {events:g} of {trials:g} trials")
    return Counts(trials, events)


def _moments(line: Line) -> Moments:
    total = _number("sum", line.get("sum"), least=-math.inf)
    moments = Moments(_number("trials", line["trials"]), total, _number("sumsq", line.get("sumsq")))
    if fault := moments_fault(moments):
        raise ValueError(fault)
    return moments


def _number(what: str, value: object, least: float = 0.0) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not (least <= number < math.inf and math.isfinite(number)):
        bound = "" if least < 0 else ", 0 or more"
        raise ValueError(f"{what}: must be a number{bound}, got {'nothing' if value in (None, '') else repr(value)}")
    return number
