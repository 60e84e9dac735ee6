"""Freezes against the calendar itself: what the core computes from offsets is what zoneinfo says."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sluice.core.conditions import frozen
from sluice.schema import conditions
from sluice.schema.conditions_document import DAYS, Freeze

HOUR = 3600


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_a_weekly_freeze_is_on_exactly_when_clocks_in_its_zone_say_so(zone: str) -> None:
    window = conditions.freeze(
        Freeze.model_validate({"name": "x", "zone": zone, "days": ["fri", "sun"], "from": "17:00", "to": "24:00"})
    )
    start = int(datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).timestamp())

    for at in range(start, start + 366 * 24 * HOUR, HOUR):
        local = datetime.fromtimestamp(at, ZoneInfo(zone))
        assert (frozen((window,), at) is not None) == (DAYS[local.weekday()] in ("fri", "sun") and local.hour >= 17), (
            local
        )


def test_clock_changes_are_found_to_the_second() -> None:
    berlin = conditions.offsets("Europe/Berlin")

    assert [offset.seconds for offset in berlin[:3]] == [3600, 7200, 3600]
    assert berlin[1].since == int(datetime(2025, 3, 30, 3, tzinfo=ZoneInfo("Europe/Berlin")).timestamp())
    assert len(conditions.offsets("UTC")) == 1
