from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

import pytest

from sluice.sandbox.cloud.clock import Clock, Overslept

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with Clock(START) as running:
        yield running


def seconds(clock: Clock) -> float:
    return (clock.now() - START).total_seconds()


def test_time_stands_still_until_the_clock_moves_it(clock: Clock) -> None:
    before = (time.time(), datetime.now(UTC))
    sum(range(100_000))

    assert (time.time(), datetime.now(UTC)) == before
    clock.run_for(90)
    assert datetime.now(UTC) == START + timedelta(seconds=90) == clock.now()


def test_perf_counter_stays_real(clock: Clock) -> None:
    before = time.perf_counter()
    sum(range(10_000))

    assert time.perf_counter() > before, "watchdogs and measurements need real time"


def test_entries_run_in_the_order_of_their_instants_and_then_as_they_were_made(clock: Clock) -> None:
    ran: list[tuple[float, str]] = []
    for at, name in [(5, "late"), (1, "first"), (5, "later"), (3, "middle")]:
        clock.call_after(at, lambda name=name: ran.append((seconds(clock), name)), name)

    clock.run_for(10)

    assert ran == [(1, "first"), (3, "middle"), (5, "late"), (5, "later")]
    assert seconds(clock) == 10


def test_an_entry_beyond_the_asked_time_waits(clock: Clock) -> None:
    ran: list[str] = []
    clock.call_after(11, lambda: ran.append("x"), "x")

    clock.run_for(10)

    assert ran == []
    clock.run_for(1)
    assert ran == ["x"]


def test_an_entry_for_the_past_runs_right_after_what_runs_now_and_not_inside_it(clock: Clock) -> None:
    ran: list[str] = []

    def outer() -> None:
        clock.call_at(START, lambda: ran.append("inner"), "inner")
        ran.append("outer")

    clock.call_after(2, outer, "outer")
    clock.run_for(2)

    assert ran == ["outer", "inner"]


def test_a_cancelled_entry_does_not_run(clock: Clock) -> None:
    ran: list[str] = []
    clock.call_after(1, lambda: ran.append("x"), "x").cancel()

    clock.run_for(2)

    assert ran == []


def test_a_repeated_entry_runs_each_period_until_cancelled(clock: Clock) -> None:
    ran: list[float] = []
    entry = clock.every(60, lambda: ran.append(seconds(clock)), "minute", first=START + timedelta(seconds=30))
    clock.run_for(200)
    entry.cancel()

    clock.run_for(200)

    assert ran == [30, 90, 150]


def test_a_repeated_entry_can_cancel_itself(clock: Clock) -> None:
    ran: list[float] = []

    def once() -> None:
        ran.append(seconds(clock))
        entry.cancel()

    entry = clock.every(10, once, "once")
    clock.run_for(60)

    assert ran == [10]


def test_running_stops_at_the_instant_the_condition_holds(clock: Clock) -> None:
    ran: list[float] = []
    clock.every(10, lambda: ran.append(seconds(clock)), "tick")

    met = clock.run_for(100, stop=lambda: len(ran) == 3)

    assert met
    assert seconds(clock) == 30
    assert not clock.run_for(5, stop=lambda: len(ran) == 9), "the time ran out first"


def test_a_sleeping_operator_lets_the_world_go_on(clock: Clock) -> None:
    ran: list[float] = []
    clock.every(10, lambda: ran.append(seconds(clock)), "tick")

    time.sleep(25)

    assert seconds(clock) == 25
    assert ran == [10, 20]


def test_an_entry_that_sleeps_lets_the_others_run(clock: Clock) -> None:
    ran: list[tuple[str, float]] = []

    def sleepy() -> None:
        time.sleep(5)
        ran.append(("sleepy", seconds(clock)))

    clock.call_after(1, sleepy, "sleepy")
    clock.call_after(3, lambda: ran.append(("other", seconds(clock))), "other")
    clock.run_for(10)

    assert ran == [("other", 3), ("sleepy", 6)]


def test_threads_of_the_clock_sleep_side_by_side(clock: Clock) -> None:
    woke: list[tuple[str, float]] = []

    def sleeper(name: str, length: float) -> Callable[[], None]:
        def run() -> None:
            time.sleep(length)
            woke.append((name, seconds(clock)))

        return run

    clock.spawn(START, sleeper("long", 10), "long")
    clock.spawn(START + timedelta(seconds=1), sleeper("short", 3), "short")
    clock.run_for(20)

    assert woke == [("short", 4), ("long", 10)], "neither waited for the other"


def test_only_one_thread_runs_at_a_time(clock: Clock) -> None:
    inside = 0
    most = 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(3):
            inside += 1
            most = max(most, inside)
            sum(range(20_000))
            inside -= 1
            time.sleep(1)

    for number in range(5):
        clock.spawn(START, work, f"worker {number}")
    clock.run_for(5)

    assert most == 1


def test_an_error_in_a_thread_reaches_whoever_runs_the_world(clock: Clock) -> None:
    def fail() -> None:
        time.sleep(1)
        raise LookupError("lost")

    clock.spawn(START, fail, "failing")

    with pytest.raises(LookupError, match="lost"):
        clock.run_for(2)


def test_a_stuck_thread_becomes_a_sentence_that_names_it() -> None:
    forever = threading.Event()
    with Clock(START, patience_seconds=0.05) as clock:
        clock.spawn(START, lambda: forever.wait() and None, "tick of endpoint x")

        with pytest.raises(RuntimeError, match=r"'tick of endpoint x' still runs after 0\.05 s of real time") as caught:
            clock.run_for(1)

    forever.set()
    assert "threading.py" in str(caught.value), "it says where the thread hangs"


def test_an_interrupted_thread_wakes_at_once(clock: Clock) -> None:
    woke: list[float] = []

    def run() -> None:
        time.sleep(100)
        woke.append(seconds(clock))

    strands = []
    clock.spawn(START, lambda: (strands.append(clock.strand()), run())[1], "sleeper")
    clock.run_for(7)

    clock.interrupt(strands[0])

    assert woke == [7]
    clock.run_for(200)
    assert woke == [7], "its old waking time is gone"


def test_a_sleep_beyond_the_limit_ends_at_the_limit(clock: Clock) -> None:
    clock.sleep_limit = lambda: START + timedelta(seconds=3)

    with pytest.raises(Overslept):
        time.sleep(10)

    assert seconds(clock) == 3


def test_state_of_the_process_is_put_aside_while_a_thread_sleeps(clock: Clock) -> None:
    state: list[str] = []
    seen: list[list[str]] = []

    class Guard:
        def suspend(self) -> Callable[[], None]:
            held, state[:] = list(state), []

            def resume() -> None:
                state[:] = held

            return resume

    def run() -> None:
        state.append("mine")
        time.sleep(5)
        seen.append(list(state))
        state.clear()

    clock.guards.append(Guard())
    clock.spawn(START, run, "owner")
    clock.call_after(2, lambda: seen.append(list(state)), "onlooker")
    clock.run_for(10)

    assert seen == [[], ["mine"]]


def test_starting_and_stopping_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    for _ in range(20):
        with Clock(START) as clock:
            for length in (10, 100, 1000):
                clock.spawn(START, lambda length=length: time.sleep(length), f"sleeps {length}")
            clock.run_for(50)

    assert threading.active_count() == before
    assert abs(datetime.now(UTC) - START) > timedelta(hours=1), "real time is back"


def test_a_thread_that_is_used_again_has_a_new_name_and_nothing_of_whoever_had_it_before(clock: Clock) -> None:
    word: ContextVar[str] = ContextVar("word", default="nothing")
    seen: list[tuple[int, str, str]] = []

    def run() -> None:
        seen.append((threading.get_ident(), threading.current_thread().name, word.get()))
        word.set("mine")

    for name in ("first", "second"):
        clock.spawn(clock.now(), run, name)
    clock.run_for(1)

    assert seen == [(seen[0][0], "first", "nothing"), (seen[0][0], "second", "nothing")]


def test_a_thread_that_is_parked_is_not_given_to_somebody_else(clock: Clock) -> None:
    seen: list[tuple[str, int]] = []

    def run(name: str) -> None:
        before = threading.get_ident()
        clock.sleep(5)
        seen.append((name, threading.get_ident() - before))

    for name in ("first", "second"):
        clock.spawn(clock.now(), lambda name=name: run(name), name)
    clock.run_for(10)

    assert seen == [("first", 0), ("second", 0)]


def test_a_thread_whose_work_raised_is_used_again(clock: Clock) -> None:
    idents: list[int] = []

    def run() -> None:
        idents.append(threading.get_ident())
        raise KeyError("of the strand")

    for _ in range(2):
        clock.spawn(clock.now(), run, "raises")
        with pytest.raises(KeyError, match="of the strand"):
            clock.run_for(1)

    assert len(idents) == 2
    assert len(set(idents)) == 1


def test_a_thread_that_ends_with_the_clock_can_clean_up_but_not_sleep_again() -> None:
    steps: list[str] = []

    def run() -> None:
        try:
            time.sleep(100)
        finally:
            steps.append("cleaning up")
            time.sleep(1)
            steps.append("slept again")

    with Clock(START) as clock:
        clock.spawn(START, run, "sleeper")
        clock.run_for(1)

    assert steps == ["cleaning up"]


def test_threads_that_are_not_the_clocks_take_turns(clock: Clock) -> None:
    order: list[str] = []

    def other() -> None:
        with clock.turn():
            order.append("other")

    thread = threading.Thread(target=other)
    with clock.turn():
        thread.start()
        sum(range(100_000))
        order.append("first")
    thread.join()

    assert order == ["first", "other"]


def test_a_start_without_a_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match="must be aware"):
        Clock(datetime(2026, 3, 2))


def test_a_period_of_nothing_is_refused(clock: Clock) -> None:
    with pytest.raises(ValueError, match="longer than 0 s"):
        clock.every(0, lambda: None, "spinning")
