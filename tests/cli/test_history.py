"""`sluice history`: a log of decisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import NOW, Desk

EVENTS = [
    (9, "submitted", "pulumi", "v2 was submitted against v1: blue to green"),
    (10, "shifting", "tick", "raising v2 to 5 % (step 1 of 5)"),
    (11, "rolling_back", "unproven:ada", "rolling back v2 from 5 %: aborted by unproven:ada: customers complain, see the "
     "incident channel of the day"),
]  # fmt: skip


def answer(older: int | None = 9) -> dict[str, Any]:
    events = [
        {"seq": seq, "at": NOW + 60 * seq, "kind": kind, "by": by, "rollout": "r", "because": because}
        for seq, kind, by, because in EVENTS
    ]
    return {"schema": 1, "endpoint": "dev-triage", "events": events, "newest": 11, "older": older}


@pytest.mark.golden
def test_history(desk: Desk, golden: Callable[[str], None]) -> None:
    desk.answers = [answer()]

    golden(desk.run("history", "dev-triage", "--limit", "3").transcript)

    assert desk.asked == [
        ("shop-dev-command", "eu-west-1", {"action": "history", "endpoint": "dev-triage", "limit": 3})
    ]


@pytest.mark.golden
def test_history_on_a_narrow_terminal(desk: Desk, golden: Callable[[str], None]) -> None:
    """An alarm's name alone is longer than half of it."""
    shown = answer(older=None)
    shown["events"][2]["by"] = "alarm:sluice/sluice/dev/dev-triage/green/errors"
    desk.answers, desk.width = [shown], 80

    golden(desk.run("history", "dev-triage").transcript)


def test_the_page_before_is_asked_for_by_number(desk: Desk) -> None:
    desk.answers = [answer(older=None)]

    ran = desk.run("history", "dev-triage", "--before", "12")

    assert desk.asked[0][2] == {"action": "history", "endpoint": "dev-triage", "limit": 20, "before": 12}
    assert "older" not in ran.out


def test_an_empty_page_says_so(desk: Desk) -> None:
    desk.answers = [{**answer(None), "events": []}]

    assert desk.run("history", "dev-triage", "--before", "1").out == "dev-triage: no events before that one\n"


def test_json_is_the_answer_itself(desk: Desk) -> None:
    desk.answers = [answer()]

    assert json.loads(desk.run("history", "dev-triage", "--json").out) == answer()
