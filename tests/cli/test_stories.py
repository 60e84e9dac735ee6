"""`sluice demo --fault` and `--release`: what is asked for is found or refused in a sentence; the exit code says whether the end was safe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sluice.cli import fault
from sluice.sandbox.faultbook.story import Told
from sluice.sandbox.timeline import NOTE, Line
from tests.cli.conftest import Desk

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
BACK = "v3 was rolled back: alarm went off"


def line(sentence: str, phase: str = "baking", said_by: str = "tick") -> Line:
    return Line(AT, said_by, "v3", phase, 1000, 1000, sentence)


LINES = (
    line("v3 serves 10 %"),
    line("somebody stops the clock", "idle", NOTE),
    line("holding 10 %: 1 of 5 min"),
    line("holding 10 %: 2 of 5 min"),
    line("holding 10 %: 3 of 5 min"),
    line(BACK, "rolled_back"),
)


def told(wrong: tuple[str, ...] = ()) -> Told:
    return Told("x", BACK, "v1", LINES, frozenset({"v3 serves 10 %", BACK}), 1200, 7, 600.0, wrong)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--fault", "alarm-event-lots"),
            "there is no fault 'alarm-event-lots'. Did you mean 'alarm-event-lost'? `sluice demo --help` lists all",
        ),
        (("--release", "v9"), "there is no release 'v9'."),
        (("--fault", "refresh", "--release", "v2"), "--fault and --release exclude each other"),
        (("--fault", "refresh", "--facts", "facts.json"), "--facts does not go with --fault or --release"),
    ],
)
def test_what_cannot_be_told_is_refused_before_anything_starts(
    desk: Desk, words: tuple[str, ...], sentence: str
) -> None:
    ran = desk.run("demo", *words)

    assert (ran.exit_code, ran.out) == (2, "")
    assert ran.err.startswith(sentence)


@pytest.mark.parametrize(
    ("story", "code", "last"),
    [
        (
            told(),
            0,
            [
                "  checked: one release has all traffic, no step was exceeded, the audit events replay to the record",
                "Safe",
            ],
        ),
        (told(wrong=("green gets 5 % of traffic",)), 1, ["  not as it must be: green gets 5 % of traffic", "NOT SAFE"]),
    ],
)
def test_the_exit_code_says_whether_the_end_was_safe(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, story: Told, code: int, last: list[str]
) -> None:
    monkeypatch.setattr(fault, "train", lambda folder: folder)
    monkeypatch.setattr(fault, "tell", lambda *_: story)

    ran = desk.run("demo", "--fault", "clock-stopped")

    assert ran.exit_code == code
    assert ran.out.splitlines()[-2:] == last
    assert f"  {BACK}\n  v1 serves; 7 of 1,200 requests failed in 10 min\n" in ran.out


def test_nothing_is_said_to_serve_where_no_endpoint_is_left(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault, "train", lambda folder: folder)
    monkeypatch.setattr(fault, "tell", lambda *_: replace(told(), gone=True))

    ran = desk.run("demo", "--fault", "clock-stopped")

    assert ran.out.splitlines()[-3:] == [
        "  nothing serves, v1 is on record; 7 of 1,200 requests failed in 10 min",
        "  checked: no step was exceeded, the audit events replay to the record",
        "Safe",
    ]


def test_what_happens_is_marked_and_looks_that_only_wait_are_folded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fault, "train", lambda folder: folder)
    monkeypatch.setattr(fault, "tell", lambda *_: told())

    shown = [row[12:].strip() for row in desk.run("demo", "--fault", "clock-stopped").out.splitlines()[4:9]]

    assert shown == [
        "baking           10 %    10 %  v3 serves 10 %",
        "! somebody stops the clock",
        "baking           10 %    10 %  holding 10 %: 1 of 5 min",
        "baking           10 %    10 %  holding 10 %: 3 of 5 min (1 look before it)",
        f"rolled_back      10 %    10 %  {BACK}",
    ]


@pytest.mark.parametrize(
    ("name", "begins"), [("clock-stopped", "v1 serves from blue."), ("first-up-fails", "Nothing serves yet.")]
)
def test_a_story_says_what_serves_as_it_begins(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str, begins: str
) -> None:
    monkeypatch.setattr(fault, "train", lambda folder: folder)
    monkeypatch.setattr(fault, "tell", lambda *_: told())

    ran = desk.run("demo", "--fault", name)

    assert ran.out.splitlines()[1].startswith(begins)
