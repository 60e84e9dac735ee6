"""Freezes as instants: the calendar of a zone, also where its clocks change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluice.core.conditions import Approval, ApprovalThen, DatedFreeze, Frozen, Offset, WeeklyFreeze, frozen

BERLIN = (
    Offset(1_735_689_600, 3600),
    Offset(1_774_746_000, 7200),  # 29 March 2026, 01:00 UTC
    Offset(1_792_890_000, 3600),  # 25 October 2026, 01:00 UTC
)
HOUR = 3600
WEEKEND = WeeklyFreeze("weekly", "weekend", (5, 6), 0, 24 * HOUR, BERLIN)
NIGHTS = WeeklyFreeze("weekly", "nights", (0, 1, 2, 3, 4), 18 * HOUR, 8 * HOUR, BERLIN)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("now", "name", "until"),
    [
        ("2026-07-03T15:59", None, None),
        ("2026-07-03T16:00", "nights", "2026-07-05T22:00"),  # Friday evening, and the weekend follows
        ("2026-07-06T05:59", None, None),  # Sunday has no night of its own
        ("2026-07-07T05:59", "nights", "2026-07-07T06:00"),  # still the night that began on Monday
        ("2026-07-07T06:00", None, None),
        ("2026-01-17T12:00", "weekend", "2026-01-18T23:00"),
        ("2026-03-28T23:30", "weekend", "2026-03-29T22:00"),  # the night in which clocks are put forward
        ("2026-10-25T10:00", "weekend", "2026-10-25T23:00"),  # and the day on which they were put back
    ],
)
def test_a_weekly_freeze_follows_the_clocks_of_its_zone(now: str, name: str | None, until: str | None) -> None:
    found = frozen((WEEKEND, NIGHTS), at(now))

    assert found == (Frozen(name, at(until)) if name and until else None)


def test_a_window_that_ends_in_the_hour_that_is_left_out_ends_after_it() -> None:
    early = WeeklyFreeze("weekly", "early", (6,), 0, int(2.5 * HOUR), BERLIN)

    assert frozen((early,), at("2026-03-29T00:30")) == Frozen("early", at("2026-03-29T01:30"))


def test_dates_are_instants_and_a_weekend_may_follow_them() -> None:
    days_off = DatedFreeze("dates", "days off", at("2026-07-01T00:00"), at("2026-07-04T10:00"))

    assert frozen((days_off, WEEKEND), at("2026-07-02T00:00")) == Frozen("days off", at("2026-07-05T22:00"))
    assert frozen((days_off,), at("2026-07-04T10:00")) is None
    assert frozen((), at("2026-07-02T00:00")) is None


def test_windows_without_a_gap_have_no_end() -> None:
    always = WeeklyFreeze("weekly", "always", tuple(range(7)), 0, 24 * HOUR, BERLIN)

    assert frozen((always,), at("2026-07-02T00:00")) == Frozen("always", None)


def test_before_the_first_known_offset_the_first_one_stands() -> None:
    assert frozen((WEEKEND,), at("2024-01-06T12:00")) == Frozen("weekend", at("2024-01-07T23:00"))


def test_an_approver_is_known_by_a_pattern_in_which_only_the_star_is_special() -> None:
    asked = Approval(("arn:aws:sts::1:assumed-role/oncall/*",), 60, ApprovalThen.HOLD)

    assert asked.allows("arn:aws:sts::1:assumed-role/oncall/ann")
    assert not asked.allows("arn:aws:sts::1:assumed-role/oncall")
    assert not asked.allows("arn:aws:sts::1:assumed-role/oncallX/ann")
