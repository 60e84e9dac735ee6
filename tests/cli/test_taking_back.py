"""`sluice abort` and `sluice rollback`: the sentence, and with --wait whether it is done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluice.cli.invoke import Answer
from tests.cli.conftest import Desk, baking, outcome, status

DONE = {
    "schema": 1,
    "endpoint": "dev-triage",
    "result": "rolling back v2 from 25 %: aborted by arn:aws:iam::1:user/ada: wrong day",
}
TIMED_OUT = Answer({"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 30.00 seconds"}, True)


def going_back(**changes: Any) -> dict[str, Any]:
    return baking(**{"phase": "rolling_back", "canary_parts": 0, "stop": None, **changes})


@pytest.mark.parametrize("command", ["abort", "rollback"])
def test_the_sentence_is_printed_and_the_reason_and_an_id_are_sent(desk: Desk, command: str) -> None:
    desk.answers = [DONE]

    ran = desk.run(command, "dev-triage", "--reason", "wrong day")

    assert (ran.exit_code, ran.out) == (0, DONE["result"] + "\n")
    request = {"action": command, "endpoint": "dev-triage", "reason": "wrong day", "request": "id-1"}
    assert desk.asked == [("shop-dev-command", "eu-west-1", request)]


def test_a_reason_must_be_given_and_not_be_empty(desk: Desk) -> None:
    missing, empty = desk.run("abort", "dev-triage"), desk.run("abort", "dev-triage", "--reason", " ")

    assert missing.exit_code == empty.exit_code == 2
    assert empty.err == "--reason: must say why; it is kept with the decision.\n"
    assert desk.asked == [], "nobody was asked"


def test_waiting_ends_when_asked_desired_and_actual_weight_are_zero(desk: Desk) -> None:
    still = going_back(desired_parts=0)
    landed = going_back(desired_parts=2500, actual_parts=0)
    desk.answers = [DONE, still, landed, going_back(desired_parts=0, actual_parts=0)]

    ran = desk.run("abort", "dev-triage", "--reason", "x", "--wait", "60")

    assert ran.exit_code == 0
    assert ran.out.splitlines()[1] == "the canary gets no requests any more, after 6 s"
    assert [request["action"] for _, _, request in desk.asked] == ["abort", "status", "status", "status"]


def test_waiting_ends_when_the_rollout_has(desk: Desk) -> None:
    desk.answers = [DONE, status(last_outcome=outcome())]

    assert desk.run("abort", "dev-triage", "--reason", "x", "--wait", "60").exit_code == 0


def test_not_back_in_time_says_where_it_stands_and_exits_3(desk: Desk) -> None:
    desk.answers = [DONE, going_back()]

    ran = desk.run("abort", "dev-triage", "--reason", "x", "--wait", "10")

    assert ran.exit_code == 3
    assert ran.out.splitlines()[1] == (
        "not back within 10 s: the canary is at 25 %, endpoint InService. See sluice status dev/dev-triage"
    )
    assert desk.clock == 12


def test_a_status_that_cannot_be_had_is_asked_for_again(desk: Desk) -> None:
    unseen = going_back(actual_parts=None, desired_parts=None)
    unseen["seen"] = {"status": None, "parts": None, "desired_parts": None, "fault": "Timeout: x"}
    desk.answers = [DONE, TIMED_OUT, unseen]

    ran = desk.run("abort", "dev-triage", "--reason", "x", "--wait", "5")

    assert ran.exit_code == 3
    assert "not back within 5 s: the endpoint cannot be seen (Timeout: x)." in ran.out
    desk.answers = [DONE, TIMED_OUT]
    assert "did not finish in its time" in desk.run("abort", "dev-triage", "--reason", "x", "--wait", "0").out


def test_a_rollback_that_failed_exits_1(desk: Desk) -> None:
    desk.answers = [DONE, status(last_outcome=outcome("failed", because="no weight call was accepted for 24 h"))]

    ran = desk.run("rollback", "dev-triage", "--reason", "x", "--wait", "60")

    assert ran.exit_code == 1
    assert "the rollout failed: no weight call was accepted for 24 h" in ran.out


def test_json_says_whether_it_was_waited_for(desk: Desk) -> None:
    desk.answers = [DONE]
    assert json.loads(desk.run("abort", "dev-triage", "--reason", "x", "--json").out) == DONE

    desk.answers = [DONE, going_back(desired_parts=0, actual_parts=0)]
    waited = json.loads(desk.run("abort", "dev-triage", "--reason", "x", "--json", "--wait", "9").out)

    assert waited == {**DONE, "waited_seconds": 0, "canary_at_zero": True}
