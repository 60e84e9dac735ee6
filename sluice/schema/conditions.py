"""Approvals, gates, freezes and hooks of a policy document as the core's types. The one place where time zones are looked up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from sluice.core import conditions as core
from sluice.schema import conditions_document as document

_FIRST_YEAR, _LAST_YEAR = 2025, 2045
"""What a snapshot knows of clock changes. Afterwards the last known offset stands, at worst an hour off."""


def approval(model: document.Approval | None) -> core.Approval | None:
    """None where the step needs none."""
    return core.Approval(model.by, model.timeout, core.ApprovalThen(model.then)) if model else None


def hooks(models: tuple[document.Hook, ...]) -> tuple[core.Hook, ...]:
    return tuple(_hook(model) for model in models)


def freeze(model: document.Freeze) -> core.Freeze:
    if model.days is None:
        zone = ZoneInfo(model.zone)
        start, end = (_instant(document.parsed(text), zone) for text in (model.begins, model.ends))
        return core.DatedFreeze("dates", model.name, start, end)
    days = tuple(sorted({document.DAYS.index(day) for day in model.days}))
    return core.WeeklyFreeze(
        "weekly", model.name, days, _second(model.begins), _second(model.ends), offsets(model.zone)
    )


@cache
def offsets(name: str) -> tuple[core.Offset, ...]:
    """A zone's offsets from UTC, each from the instant on at which clocks change to it."""
    zone = ZoneInfo(name)
    return tuple(_changes(zone))


def _changes(zone: ZoneInfo) -> Iterator[core.Offset]:
    before = int(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(_LAST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    yield core.Offset(before, _offset(zone, before))
    for day in range(before + core.DAY, end, core.DAY):
        if _offset(zone, day) != _offset(zone, day - core.DAY):
            yield core.Offset(_change(zone, day - core.DAY, day), _offset(zone, day))


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The instant of the change, by halving the stretch it must be in."""
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone, middle) == _offset(zone, before) else (before, middle)
    return after


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _instant(local: datetime, zone: ZoneInfo) -> int:
    return int(local.replace(tzinfo=zone).timestamp())


def _second(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _hook(model: document.Hook) -> core.Hook:
    if model.function is not None:
        return core.Hook(core.HookKind.LAMBDA, model.function, model.timeout, model.retries)
    return core.Hook(core.HookKind.HTTPS, model.https or "", model.timeout, model.retries)
