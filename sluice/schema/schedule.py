"""Schedules as EventBridge's rules write them: `rate(...)`, and `cron(...)` with six fields, in UTC: a rule has no time zone of its own.

Source: Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules": fields, names and wildcards.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product

from sluice.schema.values import Wrong

_RATE = re.compile(r"rate\((?:(1) (minute|hour|day)|([2-9]|[1-9][0-9]{1,6}) (minutes|hours|days))\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_CRON = re.compile(r"cron\((.*)\)")
_MONTHS = {
    "JAN": 1,
    "FEB": 2,
    "MAR": 3,
    "APR": 4,
    "MAY": 5,
    "JUN": 6,
    "JUL": 7,
    "AUG": 8,
    "SEP": 9,
    "OCT": 10,
    "NOV": 11,
    "DEC": 12,
}
_WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_FIELDS = 6
_SATURDAY = 7


@dataclass(frozen=True, slots=True)
class Cron:
    """Which minutes a schedule means. `days` says it of one month: (year, month) -> days."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Callable[[int, int], frozenset[int]]
    months: tuple[int, ...]
    years: tuple[int, ...]

    def after(self, moment: datetime) -> datetime | None:
        """The first time after a moment (aware, UTC); None when there is none any more."""
        return next((time for time in self._since(moment.date()) if time > moment), None)

    def _since(self, first: date) -> Iterator[datetime]:
        for year, month in product(self.years, self.months):
            if (year, month) < (first.year, first.month):
                continue
            for day in sorted(self.days(year, month)):
                if date(year, month, day) >= first:
                    for hour, minute in product(self.hours, self.minutes):
                        yield datetime(year, month, day, hour, minute, tzinfo=UTC)


def parse_schedule(text: str) -> timedelta | Cron:
    """The interval of a rate, or the times of a cron; raises Wrong for what EventBridge refuses."""
    if rate := _RATE.fullmatch(text):
        count, unit = int(rate[1] or rate[3]), rate[2] or rate[4]
        return timedelta(seconds=count * _UNITS[unit.removesuffix("s")])
    cron = _CRON.fullmatch(text)
    fields = cron[1].split(" ") if cron else []
    if len(fields) != _FIELDS:
        raise Wrong(
            "must be rate(...), or cron(...) with six fields", "for example `rate(7 days)`, `cron(0 10 ? * TUE *)`"
        )
    minute, hour, day, month, weekday, year = fields
    if (day == "?") is (weekday == "?"):
        raise Wrong("must have `?` for the day of the month (third) or of the week (fifth), and not for both")
    return Cron(
        _numbers(minute, "minute", 0, 59),
        _numbers(hour, "hour", 0, 23),
        _days_of_month(day) if weekday == "?" else _days_of_week(weekday),
        _numbers(month, "month", 1, 12, _MONTHS),
        _numbers(year, "year", 1970, 2199),
    )


def _numbers(field: str, name: str, low: int, high: int, words: dict[str, int] | None = None) -> tuple[int, ...]:
    """Lists, ranges and steps, `*` for all; in order."""
    found: set[int] = set()
    for item in field.split(","):
        parts = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/([0-9]+))?", item)
        if parts is None or parts[3] == "0" or (parts[1] == "*" and parts[2]):
            raise _wrong(name, item)
        first = low if parts[1] == "*" else _number(parts[1], item, name, words)
        last = _number(parts[2], item, name, words) if parts[2] else high if parts[1] == "*" or parts[3] else first
        if not low <= first <= last <= high:
            raise _wrong(name, item)
        found.update(range(first, last + 1, int(parts[3] or 1)))
    return tuple(sorted(found))


def _number(word: str, item: str, name: str, words: dict[str, int] | None) -> int:
    if words and word.upper() in words:
        return words[word.upper()]
    if not word.isdecimal():
        raise _wrong(name, item)
    return int(word)


def _wrong(name: str, item: str) -> Wrong:
    return Wrong(f"must be a cron of EventBridge; its {name} cannot be {item!r}")


def _days_of_month(field: str) -> Callable[[int, int], frozenset[int]]:
    """Numbers; `L` is the last day, `15W` the working day nearest to the 15th of the same month, `LW` the last one."""
    plain = [item for item in field.split(",") if not re.fullmatch(r"L|LW|[0-9]{1,2}W", item)]
    special = [item for item in field.split(",") if item not in plain]
    numbers = _numbers(",".join(plain), "day of the month", 1, 31) if plain else ()
    for item in special:
        if item not in ("L", "LW") and not 1 <= int(item[:-1]) <= 31:
            raise _wrong("day of the month", item)

    def days(year: int, month: int) -> frozenset[int]:
        last = monthrange(year, month)[1]
        wanted = {day for day in numbers if day <= last}
        for item in special:
            day = last if item in ("L", "LW") else int(item[:-1])
            if day <= last:
                wanted.add(_working_day(year, month, day) if item.endswith("W") else day)
        return frozenset(wanted)

    return days


def _working_day(year: int, month: int, day: int) -> int:
    """The nearest one, never in another month."""
    last, weekday = monthrange(year, month)[1], date(year, month, day).isoweekday()
    if weekday == 6:  # Saturday
        return day - 1 if day > 1 else day + 2
    if weekday == 7:  # Sunday
        return day + 1 if day < last else day - 2
    return day


def _days_of_week(field: str) -> Callable[[int, int], frozenset[int]]:
    """Numbers or names; `3#2` is the second Tuesday of the month, `3L` the last one, `L` Saturday."""
    wanted: list[tuple[int, int | None]] = []
    for item in field.split(","):
        special = re.fullmatch(r"(\w+?)(?:#([1-5])|L)", item)
        if item == "L":
            wanted.append((_SATURDAY, None))
        elif special:
            (number,) = _numbers(special[1], "day of the week", 1, 7, _WEEKDAYS)
            wanted.append((number, int(special[2]) if special[2] else -1))
        else:
            wanted += [(number, None) for number in _numbers(item, "day of the week", 1, 7, _WEEKDAYS)]

    def days(year: int, month: int) -> frozenset[int]:
        return frozenset(day for weekday, which in wanted for day in _picked(_all(year, month, weekday), which))

    return days


def _all(year: int, month: int, weekday: int) -> list[int]:
    """Every such day of a month."""
    last = monthrange(year, month)[1]
    return [day for day in range(1, last + 1) if date(year, month, day).isoweekday() % 7 + 1 == weekday]


def _picked(days: list[int], which: int | None) -> list[int]:
    """All, the n-th (there may be none), or the last (-1)."""
    if which is None:
        return days
    return days[-1:] if which < 0 else days[which - 1 : which]
