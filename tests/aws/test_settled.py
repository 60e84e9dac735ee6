"""What a warm function need not read again, and when it must."""

from __future__ import annotations

from dataclasses import replace

from sluice.aws.minutes import Made, rows_of
from sluice.aws.settled import LATE_SECONDS, SettledRows
from sluice.core.observation import Counts, Row, SlotMinute
from sluice.core.policy import Metric
from sluice.core.rows import Limits, Reading
from tests.builders import errors, terms

MINUTE = 1_800_000_000 // 60 * 60
LATE = LATE_SECONDS // 60
EARLIER_LIMITS, LIMITS = ({"latency": Limits({"p90x1.3": limit}, {})} for limit in (1.0, 2.0))


class CloudWatch:
    """Counts what it is asked for; its numbers change when `errors` does."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.errors = 0.0

    def fetch(self, reading: Reading, _made: Made) -> tuple[Row, ...]:
        self.asked.append(((reading.since - MINUTE) // 60, (reading.until - MINUTE) // 60))
        slot = SlotMinute({"errors": Counts(100, self.errors)})
        return tuple(Row(at, slot, slot) for at in range(reading.since, reading.until, 60))


def minutes(first: int, last: int, metric: Metric | None = None) -> Reading:
    metrics = {"errors": metric or errors()}
    return Reading("shop", "green", "blue", metrics, LIMITS, MINUTE + 60 * first, MINUTE + 60 * last)


def events(rows: tuple[Row, ...]) -> list[float]:
    return [row.canary.rates["errors"].events for row in rows]


def test_the_second_look_asks_only_for_the_minutes_that_may_still_change() -> None:
    cloudwatch, settled = CloudWatch(), SettledRows()
    settled.rows(minutes(0, 100), cloudwatch.fetch)
    cloudwatch.errors = 7.0

    rows = settled.rows(minutes(0, 102), cloudwatch.fetch)

    assert cloudwatch.asked == [(0, 100), (100 - LATE, 102)]
    assert [(row.at - MINUTE) // 60 for row in rows] == list(range(102))
    assert events(rows) == [0.0] * (100 - LATE) + [7.0] * (LATE + 2)


def test_labels_that_come_late_are_waited_for() -> None:
    cloudwatch, settled = CloudWatch(), SettledRows()
    lagging = replace(errors(), terms=replace(terms(1.1), lag_seconds=20 * 60))
    settled.rows(minutes(0, 100, lagging), cloudwatch.fetch)

    settled.rows(minutes(0, 101, lagging), cloudwatch.fetch)

    assert cloudwatch.asked[1] == (100 - LATE - 20, 101)


def test_other_limits_other_metrics_or_an_earlier_beginning_are_read_whole() -> None:
    cloudwatch, settled = CloudWatch(), SettledRows()
    settled.rows(minutes(10, 100), cloudwatch.fetch)

    for reading in (
        minutes(0, 100),
        minutes(10, 100, replace(errors(), events="Other")),
        replace(minutes(10, 100), limits=EARLIER_LIMITS),
    ):
        settled.rows(reading, cloudwatch.fetch)

    assert cloudwatch.asked[1:] == [(0, 100), (10, 100), (10, 100)]


def test_a_later_beginning_drops_what_lies_before_it() -> None:
    cloudwatch, settled = CloudWatch(), SettledRows()
    settled.rows(minutes(0, 100), cloudwatch.fetch)

    rows = settled.rows(minutes(5, 101), cloudwatch.fetch)

    assert (rows[0].at - MINUTE) // 60 == 5
    assert cloudwatch.asked[1] == (100 - LATE, 101)


def test_a_look_at_an_earlier_time_keeps_nothing_beyond_it() -> None:
    cloudwatch, settled = CloudWatch(), SettledRows()
    settled.rows(minutes(0, 100), cloudwatch.fetch)

    rows = settled.rows(minutes(0, 60), cloudwatch.fetch)

    assert [(row.at - MINUTE) // 60 for row in rows] == list(range(60))
    assert cloudwatch.asked[1] == (60 - LATE, 60)


def test_the_rows_made_last_are_handed_to_the_next_fetch_of_the_same_rollout() -> None:
    settled, handed = SettledRows(), list[Made]()

    def fetch(reading: Reading, made: Made) -> tuple[Row, ...]:
        handed.append(made)
        return rows_of(reading, {})

    for reading in (minutes(0, 100), replace(minutes(0, 100), endpoint="other"), minutes(0, 101)):
        settled.rows(reading, fetch)

    assert handed[0] is handed[2]
    assert handed[0] is not handed[1]
