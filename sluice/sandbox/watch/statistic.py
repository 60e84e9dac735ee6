"""What CloudWatch computes from the samples of one period: Sum to percentiles and trimmed counts.

Decides how a statistic's name is read and what it yields; where samples come from and how periods are cut is left to
`series`. Source of the definitions: CloudWatch user guide, "CloudWatch statistics definitions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import mul

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = Floats | tuple[float, ...]


@dataclass(slots=True)
class Samples:
    """What was put into one period: exact values with their counts, and statistic sets, whose values are unknown."""

    count: float = 0.0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    has_sets: bool = False
    _parts: list[tuple[Numbers, Numbers | None]] = field(default_factory=list)  # values and counts; None: once each
    _in_order: bool = False
    _ranked: tuple[Floats, Floats | None] = (np.empty(0), None)
    _known: dict[str, float | None] = field(default_factory=dict)

    def add(self, values: Sequence[float], counts: Sequence[float]) -> None:
        pairs = [(value, count) for value, count in zip(values, counts, strict=True) if count]
        if pairs:  # a value that occurred no times is no sample
            some, often = zip(*pairs, strict=True)
            self._parts.append((some, often))  # no arrays: few of these are ever ranked, and a minute has twenty
            self._note(sum(often), sum(map(mul, some, often)), min(pairs)[0], max(pairs)[0])

    def add_each(self, values: Floats) -> None:
        """Values that occurred once each."""
        if len(values):
            self._parts.append((values, None))
            self._note(float(len(values)), float(values.sum()), float(values.min()), float(values.max()))

    def add_set(self, count: float, total: float, low: float, high: float) -> None:
        self.has_sets = True
        self._note(count, total, low, high)

    def add_all(self, other: Samples) -> None:
        self._parts.extend(other._parts)
        self.has_sets = self.has_sets or other.has_sets
        self._note(other.count, other.total, other.low, other.high)

    def _note(self, count: float, total: float, low: float, high: float) -> None:
        self.count += count
        self.total += total
        self.low = min(self.low, low)
        self.high = max(self.high, high)
        self._in_order = False
        self._known.clear()

    def value(self, name: str) -> float | None:
        """A statistic by name, computed once: a minute that is over is read again and again."""
        if name not in self._known:
            self._known[name] = statistic(name)(self) if self.count else None
        return self._known[name]

    def ranked(self) -> tuple[Floats, Floats]:
        """Values in rising order and, beside each, how many samples are at or below it."""
        values, counts = self._sorted_once()
        return values, np.arange(1.0, len(values) + 1) if counts is None else np.cumsum(counts)

    def once_each(self) -> Floats | None:
        """Values in rising order, where each occurred once."""
        values, counts = self._sorted_once()
        return values if counts is None else None

    def _sorted_once(self) -> tuple[Floats, Floats | None]:
        if not self._in_order:
            self._ranked, self._in_order = _sorted(self._parts), True
            self._parts = [self._ranked]
        return self._ranked


def _sorted(parts: list[tuple[Numbers, Numbers | None]]) -> tuple[Floats, Floats | None]:
    """All parts as one, with rising values."""
    values = np.concatenate([np.asarray(values, dtype=np.float64) for values, _ in parts])
    if all(counts is None for _, counts in parts):
        return np.sort(values), None
    order = np.argsort(values, kind="stable")
    counts = [np.ones(len(v)) if c is None else np.asarray(c, dtype=np.float64) for v, c in parts]
    return values[order], np.concatenate(counts)[order]


def merged(parts: Iterable[Samples]) -> Samples:
    whole = Samples()
    for part in parts:
        whole.add_all(part)
    return whole


Statistic = Callable[[Samples], float | None]

_SIMPLE: dict[str, Statistic] = {
    "Sum": lambda s: s.total,
    "SampleCount": lambda s: s.count,
    "Average": lambda s: s.total / s.count,
    "Minimum": lambda s: s.low,
    "Maximum": lambda s: s.high,
}
_NUMBER = r"\d+(?:\.\d{1,10})?"
_PERCENTILE = re.compile(rf"p({_NUMBER})")
_SHORT = re.compile(rf"(tm|tc|ts)({_NUMBER})")
_TRIMMED = re.compile(rf"(TM|TC|TS|PR)\(({_NUMBER}%?)?:({_NUMBER}%?)?\)")


@lru_cache(maxsize=512)
def statistic(text: str) -> Statistic:
    """The computation a statistic's name stands for; None is no data point. ValueError for an unknown name."""
    if text in _SIMPLE:
        return _SIMPLE[text]
    if match := _PERCENTILE.fullmatch(text):
        return _percentile(_share(match[1], text))
    if match := _SHORT.fullmatch(text):
        return _trimmed(match[1].upper(), ("0", True), (match[2], True), text)
    if text == "IQM":
        return _trimmed("TM", ("25", True), ("75", True), text)
    if match := _TRIMMED.fullmatch(text):
        return _trimmed(match[1], _bound(match[2], match[3]), _bound(match[3], match[2]), text)
    known = ", ".join(_SIMPLE)
    raise ValueError(
        f"CloudWatch has no statistic {text!r}: use one of {known}, pNN, tmNN, tcNN, "
        "TM(a:b), TC(a:b), TS(a:b), PR(a:b) or IQM"
    )


def percent_of(text: str) -> float | None:
    """The NN of a plain percentile pNN, None for any other statistic."""
    match = _PERCENTILE.fullmatch(text)
    return float(match[1]) if match else None


def _share(number: str, text: str) -> float:
    share = float(number) / 100
    if not 0 <= share <= 1:
        raise ValueError(f"statistic {text!r}: a percentage lies between 0 and 100")
    return share


def _percentile(share: float) -> Statistic:
    def nearest_rank(samples: Samples) -> float | None:
        if samples.has_sets:  # CloudWatch keeps no values of a statistic set: no percentile
            return None
        values, at_or_below = samples.ranked()
        rank = np.searchsorted(at_or_below, share * samples.count * (1 - 1e-12), side="left")
        return float(values[min(int(rank), len(values) - 1)])

    return nearest_rank


def _bound(own: str | None, other: str | None) -> tuple[str, bool] | None:
    """A bound's number and whether it is a percentage; the open side of a one-sided range follows its partner."""
    if own is None:
        return None
    if other is not None and own.endswith("%") != other.endswith("%"):
        raise ValueError(f"the bounds {own} and {other} must both be values or both be percentages")
    return own.rstrip("%"), own.endswith("%")


def _trimmed(kind: str, lower: tuple[str, bool] | None, upper: tuple[str, bool] | None, text: str) -> Statistic:
    if lower is None and upper is None:
        raise ValueError(f"statistic {text!r} has no bound: write {kind}(a:b), {kind}(a:) or {kind}(:b)")
    if kind == "PR" and ((lower and lower[1]) or (upper and upper[1])):
        raise ValueError(f"statistic {text!r}: a percentile rank takes values, not percentages")
    for bound in (lower, upper):
        if bound and bound[1]:
            _share(bound[0], text)

    # What a latency's tail is counted by, minute after minute, needs no ranks.
    plain = kind == "TC" and not any(bound and bound[1] for bound in (lower, upper))

    def within(samples: Samples) -> float | None:
        if samples.has_sets:
            return None
        if plain and (each := samples.once_each()) is not None:
            return float(max(_at_or_below(upper, each) - (_at_or_below(lower, each) if lower else 0), 0))
        values, at_or_below = samples.ranked()
        start = 0.0 if lower is None else _rank(lower, values, at_or_below)
        end = samples.count if upper is None else _rank(upper, values, at_or_below)
        below = np.concatenate(([0.0], at_or_below[:-1]))
        inside = np.clip(np.minimum(at_or_below, end) - np.maximum(below, start), 0.0, None)
        is_number = ~np.isnan(values)  # what is no number sorts last, and lies within no bounds
        kept = inside[is_number]
        return _outcome(kind, float(kept.sum()), float((kept * values[is_number]).sum()), samples.count)

    return within


def _at_or_below(bound: tuple[str, bool] | None, values: Floats) -> int:
    """How many of the values are numbers, and not above the bound."""
    return int(np.searchsorted(values, float(bound[0]) if bound else np.inf, side="right"))


def _rank(bound: tuple[str, bool], values: Floats, at_or_below: Floats) -> float:
    """How many samples lie at or below the bound: a range excludes its lower bound and includes its upper one."""
    number, is_percent = float(bound[0]), bound[1]
    if is_percent:
        return number / 100 * float(at_or_below[-1])
    index = int(np.searchsorted(values, number, side="right"))
    return float(at_or_below[index - 1]) if index else 0.0


def _outcome(kind: str, kept: float, total: float, count: float) -> float | None:
    match kind:
        case "TC":
            return kept
        case "PR":
            return 100 * kept / count
        case "TS":
            return total
        case _:
            return total / kept if kept else None
