"""From an alarm's data points to its state, as CloudWatch documents it.

Decides M of N, missing data and the premature-alarm rule. Pure: where points come from and what a change of state sets
off is left to `alarms`. Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data"; its
tables are the tests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
STATES = (OK, ALARM, INSUFFICIENT_DATA)
MISSING_DATA = ("missing", "ignore", "breaching", "notBreaching")

EXTRA_PERIODS = 2
"""Periods looked at beyond N. The guide says "a higher number" and shows 5 for N = 3; the true one is not published."""

OPERATORS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (lambda value, limit: value > limit, "greater than"),
    "GreaterThanOrEqualToThreshold": (lambda value, limit: value >= limit, "greater than or equal to"),
    "LessThanThreshold": (lambda value, limit: value < limit, "less than"),
    "LessThanOrEqualToThreshold": (lambda value, limit: value <= limit, "less than or equal to"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """When an alarm is in ALARM: `alarm_points` (M) of the last `periods` (N) breach the threshold."""

    operator: str
    threshold: float
    periods: int
    alarm_points: int
    missing_data: str = "missing"

    def breached_by(self, value: float) -> bool:
        return OPERATORS[self.operator][0](value, self.threshold)


@dataclass(frozen=True, slots=True)
class Point:
    second: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The state to be in (None: stay as you are), the points it rests on (oldest first), and why."""

    state: str | None
    points: tuple[Point, ...]
    reason: str


def assess(condition: Condition, points: Sequence[Point], clock_text: Callable[[int], str]) -> Assessment:
    """The state `points` (the whole evaluation range, oldest first, None where missing) call for."""
    real = [point for point in points if point.value is not None]
    if len(real) >= condition.periods:
        considered = tuple(real[-condition.periods :])
        return _by_count(condition, considered, _breaching(condition, considered), 0, clock_text)
    considered = tuple(real)
    breaching, filled = _breaching(condition, considered), condition.periods - len(real)
    match condition.missing_data:
        case "breaching":
            return _by_count(condition, considered, breaching + filled, filled, clock_text)
        case "notBreaching":
            return _by_count(condition, considered, breaching, filled, clock_text)
        case _:
            return _with_gaps(condition, points, considered, breaching, clock_text)


def state_called_for(condition: Condition, values: Sequence[float | None]) -> str | None:
    """The state that points with these values call for, whenever they were: None to stay as it is."""
    real = [value for value in values if value is not None]
    if len(real) < condition.periods:
        return _state_with_gaps(condition, tuple(values))
    breaching = sum(map(condition.breached_by, real[-condition.periods :]))
    return ALARM if breaching >= condition.alarm_points else OK


@lru_cache(maxsize=4096)
def _state_with_gaps(condition: Condition, values: tuple[float | None, ...]) -> str | None:
    return assess(condition, [Point(at, value) for at, value in enumerate(values)], str).state


def _with_gaps(
    condition: Condition,
    points: Sequence[Point],
    real: tuple[Point, ...],
    breaching: int,
    clock_text: Callable[[int], str],
) -> Assessment:
    """Too few points, and nothing is put in their place: "missing", or "ignore", which would rather stay."""
    filled = condition.periods - len(real)
    if breaching >= condition.alarm_points:
        return _by_count(condition, real, breaching, filled, clock_text)
    if condition.missing_data == "ignore" and breaching == len(real):
        return Assessment(None, real, "too few datapoints were received and missing data is ignored")
    if not real:
        return Assessment(INSUFFICIENT_DATA, (), _no_data(condition.periods))
    if breaching == len(real) and _age(points, real[0]) >= condition.alarm_points:
        return Assessment(ALARM, real, _crossed(condition, real, breaching, filled, True, clock_text))
    return _by_count(condition, real, breaching, filled, clock_text)


def _age(points: Sequence[Point], point: Point) -> int:
    """How many periods back a point lies; 1 is the newest period."""
    return len(points) - points.index(point)


def _breaching(condition: Condition, points: Sequence[Point]) -> int:
    return sum(1 for point in points if point.value is not None and condition.breached_by(point.value))


def _by_count(
    condition: Condition, points: tuple[Point, ...], breaching: int, filled: int, clock_text: Callable[[int], str]
) -> Assessment:
    alarming = breaching >= condition.alarm_points
    return Assessment(
        ALARM if alarming else OK, points, _crossed(condition, points, breaching, filled, alarming, clock_text)
    )


def _no_data(periods: int) -> str:
    return f"Insufficient Data: {periods} {'datapoint was' if periods == 1 else 'datapoints were'} unknown."


def _crossed(
    condition: Condition,
    points: tuple[Point, ...],
    breaching: int,
    filled: int,
    alarming: bool,
    clock_text: Callable[[int], str],
) -> str:
    """CloudWatch's own wording, newest point first."""
    periods = condition.periods
    if filled and not points:
        treated = "Breaching" if alarming else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {_count(periods, 'period')} and "
            f"{_count(periods, 'missing datapoint')} {_was(periods)} treated as [{treated}]."
        )
    counted = min(breaching, periods) if alarming else periods - breaching
    least = condition.alarm_points if alarming else periods - condition.alarm_points + 1
    shown = ", ".join(f"{point.value} ({clock_text(point.second)})" for point in reversed(points))
    words = OPERATORS[condition.operator][1]
    return (
        f"Threshold Crossed: {counted} out of the last {periods} datapoints [{shown}] {_was(counted)} "
        f"{'' if alarming else 'not '}{words} the threshold ({condition.threshold}) "
        f"(minimum {_count(least, 'datapoint')} for {'OK -> ALARM' if alarming else 'ALARM -> OK'} transition)."
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
