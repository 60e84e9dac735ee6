"""What a policy asks of a step besides evidence: a person's approval, gates, times without changes. And what it runs after a rollback.

All of it stands only in the way up. Nothing here is asked before going back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

DAY = 86_400
_THURSDAY = 3
"""The weekday of 1 January 1970, Monday being 0."""
_MOST_WINDOWS = 100
"""Windows that follow each other without a gap are looked through so far; more than that is called endless."""


class OnBreach(StrEnum):
    """Whether harm takes the canary back, or only holds it and wakes people (who then decide within `max_hold`)."""

    ROLLBACK = "rollback"
    HOLD = "hold"


class OnNewRelease(StrEnum):
    """What another release does that is submitted while one is tried: be refused, wait, or take its place."""

    REJECT = "reject"
    QUEUE = "queue"
    SUPERSEDE = "supersede"


class ApprovalThen(StrEnum):
    """What a step comes to that nobody approved in time."""

    ROLLBACK = "rollback"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who may let a step begin (IAM ARNs, `*` for any text) and how long that may take."""

    by: tuple[str, ...]
    timeout_seconds: int
    then: ApprovalThen

    def allows(self, arn: str) -> bool:
        return any(matches(pattern, arn) for pattern in self.by)


class HookKind(StrEnum):
    """Whom a hook calls: a Lambda function by its ARN, or an HTTPS URL."""

    LAMBDA = "lambda"
    HTTPS = "https"


@dataclass(frozen=True, slots=True)
class Hook:
    """A call to somebody else's code. `retries` are further tries after the first."""

    kind: HookKind
    target: str
    timeout_seconds: int
    retries: int


@dataclass(frozen=True, slots=True)
class Offset:
    """From this instant on, clocks in a zone are so many seconds ahead of UTC."""

    since: int
    seconds: int


@dataclass(frozen=True, slots=True)
class DatedFreeze:
    """One stretch of time, as instants."""

    kind: Literal["dates"]
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WeeklyFreeze:
    """Every week on these days (Monday is 0), from and to a time of day in seconds, in the zone with these offsets.

    A window with `to_second` not after `from_second` ends on the day after.
    """

    kind: Literal["weekly"]
    name: str
    days: tuple[int, ...]
    from_second: int
    to_second: int
    offsets: tuple[Offset, ...]


Freeze = DatedFreeze | WeeklyFreeze


@dataclass(frozen=True, slots=True)
class Frozen:
    """No step up now, by the window of this name, and until when; None if no end can be seen."""

    name: str
    until: int | None


def frozen(windows: Iterable[Freeze], now: int) -> Frozen | None:
    """The freeze that is on, with the end of all windows that follow it without a gap."""
    known = tuple(windows)
    first = _first(known, now)
    if first is None:
        return None
    until = first[1]
    for _ in range(_MOST_WINDOWS):
        following = _first(known, until)
        if following is None:
            return Frozen(first[0], until)
        until = following[1]
    return Frozen(first[0], None)


def matches(pattern: str, arn: str) -> bool:
    """Whether an ARN is of a pattern in which `*` stands for any text and everything else for itself."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), arn) is not None


def _first(windows: tuple[Freeze, ...], now: int) -> tuple[str, int] | None:
    for window in windows:
        end = _end(window, now)
        if end is not None:
            return window.name, end
    return None


def _end(window: Freeze, now: int) -> int | None:
    """When the window ends that `now` is in; None outside."""
    if isinstance(window, DatedFreeze):
        return window.end if window.start <= now < window.end else None
    local = now + _offset(window.offsets, now)
    length = window.to_second - window.from_second
    length += DAY if length <= 0 else 0
    for day in (local // DAY, local // DAY - 1):
        start = day * DAY + window.from_second
        if (day + _THURSDAY) % 7 in window.days and start <= local < start + length:
            return _instant(window.offsets, start + length)
    return None


def _offset(offsets: tuple[Offset, ...], at: int) -> int:
    return next((offset.seconds for offset in reversed(offsets) if offset.since <= at), offsets[0].seconds)


def _instant(offsets: tuple[Offset, ...], local: int) -> int:
    """The instant at which clocks show this: the later one where they show it twice, and where they never do, as if not put forward."""
    readings = (
        local - offset.seconds for offset in offsets if _offset(offsets, local - offset.seconds) == offset.seconds
    )
    return max(readings, default=local - _offset(offsets, local - DAY))
