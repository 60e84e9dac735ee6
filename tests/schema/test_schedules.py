"""Schedules as EventBridge's user guide explains them; times worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sluice.schema.schedule import Cron, parse_schedule
from sluice.schema.values import Wrong

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def times(text: str, count: int = 3, since: datetime = MONDAY) -> list[str]:
    """The next times of a cron, as far as there are any."""
    schedule, found = parse_schedule(text), []
    assert isinstance(schedule, Cron)
    for _ in range(count):
        following = schedule.after(since)
        if following is None:
            break
        since = following
        found.append(f"{since:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cron(0 10 ? * TUE *)", ["2026-01-06 10:00", "2026-01-13 10:00", "2026-01-20 10:00"]),
        ("cron(0 10 * * ? *)", ["2026-01-05 10:00", "2026-01-06 10:00", "2026-01-07 10:00"]),
        ("cron(0 9 * * ? *)", ["2026-01-06 09:00", "2026-01-07 09:00", "2026-01-08 09:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-05 09:15", "2026-01-05 09:30", "2026-01-05 09:45"]),
        ("cron(*/20 * * * ? *)", ["2026-01-05 09:20", "2026-01-05 09:40", "2026-01-05 10:00"]),
        ("cron(0/30 20-2/3 ? * MON-FRI *)", None),
        ("cron(5,35 8-10/2 ? * 2-6 *)", ["2026-01-05 10:05", "2026-01-05 10:35", "2026-01-06 08:05"]),
        ("cron(0 18 L * ? *)", ["2026-01-31 18:00", "2026-02-28 18:00", "2026-03-31 18:00"]),
        ("cron(0 18 LW * ? *)", ["2026-01-30 18:00", "2026-02-27 18:00", "2026-03-31 18:00"]),
        ("cron(0 8 1W * ? *)", ["2026-02-02 08:00", "2026-03-02 08:00", "2026-04-01 08:00"]),
        ("cron(0 8 31W * ? *)", ["2026-01-30 08:00", "2026-03-31 08:00", "2026-05-29 08:00"]),
        ("cron(0 8 1,15 * ? *)", ["2026-01-15 08:00", "2026-02-01 08:00", "2026-02-15 08:00"]),
        ("cron(15 10 ? * 6L *)", ["2026-01-30 10:15", "2026-02-27 10:15", "2026-03-27 10:15"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-02-02 09:00", "2026-03-02 09:00", "2026-04-06 09:00"]),
        ("cron(0 9 ? * FRI#5 *)", ["2026-01-30 09:00", "2026-05-29 09:00", "2026-07-31 09:00"]),
        ("cron(0 9 ? JAN,JUN L *)", ["2026-01-10 09:00", "2026-01-17 09:00", "2026-01-24 09:00"]),
        ("cron(0 0 29 FEB ? *)", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("cron(0 0 1 1 ? 2027-2028)", ["2027-01-01 00:00", "2028-01-01 00:00"]),
        ("cron(0 0 31 FEB ? *)", []),
    ],
)
def test_a_cron_means_these_times(text: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(Wrong, match="its hour cannot be '20-2/3'"):
            parse_schedule(text)
    else:
        assert times(text) == expected


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(3 hours)", timedelta(hours=3)),
        ("rate(14 days)", timedelta(days=14)),
    ],
)
def test_a_rate_is_an_interval(text: str, interval: timedelta) -> None:
    assert parse_schedule(text) == interval


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rate(0 days)", "must be rate"),
        ("rate(1 days)", "must be rate"),
        ("every day", "must be rate"),
        ("cron(0 10 ? * TUE)", "six fields"),
        ("cron(0 10 * * TUE *)", "must have `\\?` for the day"),
        ("cron(0 10 ? * ? *)", "must have `\\?` for the day"),
        ("cron(60 10 ? * TUE *)", "its minute cannot be '60'"),
        ("cron(0 24 ? * TUE *)", "its hour cannot be '24'"),
        ("cron(0 10 32 * ? *)", "its day of the month cannot be '32'"),
        ("cron(0 10 0W * ? *)", "its day of the month cannot be '0W'"),
        ("cron(0 10 ? 13 TUE *)", "its month cannot be '13'"),
        ("cron(0 10 ? * DIE *)", "its day of the week cannot be 'DIE'"),
        ("cron(0 10 ? * 0 *)", "its day of the week cannot be '0'"),
        ("cron(0 10 ? * 3#6 *)", "its day of the week cannot be '3#6'"),
        ("cron(0 10 ? * TUE 1969)", "its year cannot be '1969'"),
        ("cron(0/0 10 ? * TUE *)", "its minute cannot be '0/0'"),
        ("cron(*-5 10 ? * TUE *)", "its minute cannot be '\\*-5'"),
    ],
)
def test_what_eventbridge_refuses_is_refused_with_the_field(text: str, sentence: str) -> None:
    with pytest.raises(Wrong, match=sentence):
        parse_schedule(text)
