"""What is counted, for which variant and minute, and what never happens to the request that is being served."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from sluice.client import Answer, Exposure, Outcomes, Serving
from sluice.client.sinks import Row, Sent
from sluice.core.errors import BadInput
from tests.client.conftest import NOON, Kept, Watch


@pytest.fixture
def outcomes(serving: Serving, sink: Kept, watch: Watch) -> Outcomes:
    return Outcomes(serving, sink, interval_seconds=None, now=watch)


def test_an_outcome_counts_in_the_minute_of_its_exposure_however_late_it_comes(
    outcomes: Outcomes, sink: Kept, watch: Watch
) -> None:
    conversions = outcomes.rate("Conversions", of="Exposures")
    shown = outcomes.exposed(Answer(b"1", "text/csv", "green"))
    outcomes.flush()

    watch.at += 3 * 3600
    conversions.happened(str(shown))
    outcomes.flush()

    assert sink.rows == [
        Row("green", NOON, {"Conversions": 0.0, "Exposures": 1.0}),
        Row("green", NOON, {"Conversions": 1.0, "Exposures": 0.0}),
    ]


def test_no_event_is_a_zero_and_not_silence(outcomes: Outcomes, sink: Kept) -> None:
    outcomes.rate("Conversions", of="Exposures")

    for _ in range(3):
        outcomes.exposed("blue")
    outcomes.flush()

    assert sink.rows == [Row("blue", NOON, {"Conversions": 0.0, "Exposures": 3.0})]


def test_with_a_thread_slots_that_nobody_saw_are_zero_too(serving: Serving, sink: Kept, watch: Watch) -> None:
    outcomes = Outcomes(serving, sink, interval_seconds=3600, now=watch)
    outcomes.rate("Conversions", of="Exposures")

    outcomes.exposed("blue")
    outcomes.close()

    assert [(row.slot, row.amounts["Exposures"]) for row in sink.rows] == [("blue", 1.0), ("green", 0.0)]


def test_rates_share_their_trials_and_an_exposure_counts_once(outcomes: Outcomes, sink: Kept) -> None:
    clicks, buys = outcomes.rate("Clicks", of="Exposures"), outcomes.rate("Buys", of="Exposures")

    shown = outcomes.exposed("blue")
    clicks.happened(shown, times=2)
    buys.happened(shown)
    outcomes.flush()

    assert sink.rows == [Row("blue", NOON, {"Clicks": 2.0, "Buys": 1.0, "Exposures": 1.0})]


def test_a_mean_is_a_number_a_sum_and_a_sum_of_squares_winsorised(outcomes: Outcomes, sink: Kept) -> None:
    orders = outcomes.mean("Orders", at_most=500)

    shown = outcomes.exposed("blue")
    for value in (20, 100_000, -3):
        orders.measured(shown, value)
    outcomes.flush()

    assert sink.rows == [Row("blue", NOON, {"Orders_n": 3.0, "Orders_sum": 520.0, "Orders_sumsq": 250_400.0})]


def test_a_mean_of_each_exposure_counts_those_without_a_value_as_zero(outcomes: Outcomes, sink: Kept) -> None:
    revenue = outcomes.mean("Revenue", at_most=500, of_each_exposure=True)

    outcomes.exposed("blue")
    revenue.measured(outcomes.exposed("blue"), 30)
    outcomes.flush()

    assert sink.rows == [Row("blue", NOON, {"Revenue_n": 2.0, "Revenue_sum": 30.0, "Revenue_sumsq": 900.0})]


def test_what_has_no_variant_or_no_possible_time_is_not_counted_but_accounted_for(
    outcomes: Outcomes, sink: Kept
) -> None:
    conversions = outcomes.rate("Conversions", of="Exposures")
    orders = outcomes.mean("Orders", at_most=500)

    outcomes.exposed(Answer(b"", "text/csv", None))
    for broken in ("", "green", "@green", "1767614400@", f"{NOON - 15 * 24 * 3600}@green", f"{NOON + 3600}@green"):
        conversions.happened(broken)
    orders.measured(Exposure("green", NOON), float("nan"))
    orders.measured(Exposure("green", NOON), "7")  # type: ignore[arg-type]
    outcomes.flush()

    assert sink.rows == []
    assert (outcomes.account.unusable, outcomes.account.faults) == (9, 0)


def test_a_sink_that_fails_never_reaches_the_request_and_says_so_once(
    outcomes: Outcomes, sink: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes.rate("Conversions", of="Exposures")
    sink.answers = [OSError("no route"), OSError("no route")]

    for _ in range(2):
        outcomes.exposed("blue")
        outcomes.flush()

    assert outcomes.account.faults == 2
    assert len(caplog.records) == 1


def test_what_was_refused_is_sent_again_with_what_came_since(outcomes: Outcomes, sink: Kept) -> None:
    outcomes.rate("Conversions", of="Exposures")
    outcomes.exposed("blue")
    sink.answers = [Sent(again=(Row("blue", NOON, {"Conversions": 0.0, "Exposures": 1.0}),))]
    outcomes.flush()
    assert sink.rows == []

    outcomes.exposed("blue")
    outcomes.flush()

    assert sink.rows == [Row("blue", NOON, {"Conversions": 0.0, "Exposures": 2.0})]


def test_memory_is_bounded_and_what_had_no_room_is_accounted_for(serving: Serving, sink: Kept, watch: Watch) -> None:
    outcomes = Outcomes(serving, sink, interval_seconds=None, now=watch, most_minutes=2)
    outcomes.rate("Conversions", of="Exposures")

    for minute in range(5):
        outcomes.exposed("blue", at=NOON - 60 * minute)
    outcomes.flush()

    assert len(sink.rows) == 2
    assert outcomes.account.lost == 3


def test_names_are_declared_once_at_the_start(outcomes: Outcomes) -> None:
    outcomes.rate("Conversions", of="Exposures")

    with pytest.raises(BadInput, match="'Conversions': is declared twice"):
        outcomes.rate("Conversions", of="Visits")
    with pytest.raises(BadInput, match="at_least must be below at_most, got 5 and 5"):
        outcomes.mean("Orders", at_most=5, at_least=5)


def test_threads_lose_nothing(outcomes: Outcomes, sink: Kept) -> None:
    conversions = outcomes.rate("Conversions", of="Exposures")

    def serve() -> None:
        for _ in range(500):
            conversions.happened(outcomes.exposed("blue"))
            outcomes.flush()

    threads = [threading.Thread(target=serve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sink.total("blue", "Exposures"), sink.total("blue", "Conversions")) == (2000, 2000)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_counts_for_itself(outcomes: Outcomes, sink: Kept) -> None:
    outcomes.rate("Conversions", of="Exposures")
    outcomes.exposed("blue")

    child = os.fork()
    if child == 0:
        outcomes.exposed("blue")
        outcomes.flush()
        os._exit(int(sink.total("blue", "Exposures")))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1, "the parent's exposure is the parent's to send"


AT_EXIT = """
import io, sys
from sluice.client import EmfLines, Outcomes, Serving
serving = Serving("dev-triage", "us-east-1", ("blue",), "/sluice/a/b/c", "Shop")
outcomes = Outcomes(serving, EmfLines(), interval_seconds=3600)
outcomes.rate("Conversions", of="Exposures")
outcomes.exposed("blue")
"""


def test_the_end_of_the_process_sends_what_is_there() -> None:
    ended = subprocess.run([sys.executable, "-c", AT_EXIT], capture_output=True, text=True, check=True)

    assert '"Exposures": 1.0' in ended.stdout


def test_a_latency_counts_within_every_edge_that_is_not_below_it(outcomes: Outcomes, sink: Kept) -> None:
    answers = outcomes.latency("AnswerTime", from_ms=16, to_ms=32)

    for milliseconds in (3, 16.384, 20, 32.768, 400):
        answers.took(Exposure("green", NOON), milliseconds)
    outcomes.flush()

    assert sink.rows == [
        Row(
            "green",
            NOON,
            {
                "AnswerTime_n": 5.0,
                "AnswerTime_le_14263us": 1.0,
                "AnswerTime_le_16384us": 2.0,
                "AnswerTime_le_18820us": 2.0,
                "AnswerTime_le_21619us": 3.0,
                "AnswerTime_le_24834us": 3.0,
                "AnswerTime_le_28526us": 3.0,
                "AnswerTime_le_32768us": 4.0,
            },
        )
    ]


@pytest.mark.parametrize("value", [float("nan"), -1.0, None, "quick"])
def test_a_latency_that_is_none_is_not_counted_and_disturbs_nobody(
    outcomes: Outcomes, sink: Kept, value: object
) -> None:
    answers = outcomes.latency("AnswerTime", from_ms=16, to_ms=32)

    answers.took(Exposure("green", NOON), value)  # type: ignore[arg-type]
    outcomes.flush()

    assert (outcomes.account.unusable, sink.rows) == (1, [])


def test_a_latency_whose_range_is_none_is_refused_when_it_is_declared(outcomes: Outcomes) -> None:
    with pytest.raises(BadInput, match="from_ms must be at least 0.1 and below to_ms, got 50 and 5"):
        outcomes.latency("AnswerTime", from_ms=50, to_ms=5)


@pytest.mark.parametrize("at", [float("nan"), float("inf"), "yesterday"])
def test_a_time_that_is_none_is_an_exposure_that_counts_nowhere(outcomes: Outcomes, sink: Kept, at: object) -> None:
    outcomes.rate("Conversions", of="Exposures")

    shown = outcomes.exposed("blue", at=at)
    outcomes.flush()

    assert (shown, sink.rows, outcomes.account.unusable) == (Exposure("", 0), [], 1)


@pytest.mark.parametrize("times", [float("nan"), float("inf"), -1, None])
def test_a_number_of_times_that_is_none_does_not_poison_its_minute(
    outcomes: Outcomes, sink: Kept, times: object
) -> None:
    conversions = outcomes.rate("Conversions", of="Exposures")
    shown = outcomes.exposed("blue")

    conversions.happened(shown, times=times)
    outcomes.flush()

    assert sink.rows == [Row("blue", NOON, {"Conversions": 0.0, "Exposures": 1.0})]
    assert outcomes.account.unusable == 1
