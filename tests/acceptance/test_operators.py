"""A person on call, on the whole system: the commands as typed, through boto3, against the real functions in the sandbox."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.core.rollout import Phase
from sluice.sandbox.triage import ENDPOINT
from tests.acceptance.conftest import Stage

OPERATOR = "arn:aws:iam::123456789012:user/operator"
"""Who is signed in here, as the sandbox names them."""


def typed(line: str, *more: str) -> tuple[int, str, str]:
    """What a command line prints; the repository's own folder says project, stack and region."""
    ran = CliRunner().invoke(app, [*line.split(), *more], catch_exceptions=False)
    return ran.exit_code, ran.stdout, ran.stderr


def test_status_during_a_rollout_then_abort_then_history(stage: Stage) -> None:
    stage.up("v2")
    stage.until_weight(2500)
    stage.sandbox.run_until(lambda: False, 200)
    calls = len(stage.sandbox.cloud.gate.calls)

    code, shown, _ = typed(f"status {ENDPOINT}")

    assert code == 0
    assert "v1 (champion, slot blue) 75 %, v2 (slot green) 25 %; endpoint InService" in shown, "what serves"
    assert "◑ v2 in slot green: baking for 3 min" in shown, "what is being tried"
    assert "step 2 of 5, weight asked 25 %, actual 25 %" in shown
    assert "holding 25 %: 3 min of 5 min passed; " in shown, "why it waits"
    assert "may go to 50 % in 1 min" in shown, "what happens next"
    assert f"sluice abort dev/{ENDPOINT} --reason WHY" in shown, "how to stop it"
    mine = [call for call in stage.sandbox.cloud.gate.calls[calls:] if call.role_arn is None]
    assert {(call.service, call.operation) for call in mine} == {("lambda", "GetFunctionUrlConfig")}, (
        "and a request to it"
    )

    code, shown, _ = typed(f"abort {ENDPOINT} --wait 120 --reason", "wrong day")

    assert code == 0
    assert ": wrong day" in shown.splitlines()[0]
    assert shown.splitlines()[1].startswith("the canary gets no requests any more, after ")
    assert stage.canary_weight("green") == 0
    stage.until_ended()
    assert stage.head.outcome.phase is Phase.ROLLED_BACK
    assert stage.head.quarantine == ()

    code, shown, _ = typed(f"history dev/{ENDPOINT} --limit 3 --json")

    events = json.loads(shown)["events"]
    assert code == 0
    assert [event["kind"] for event in events] == ["rolling_back", "verifying", "rolled_back"]
    assert events[0]["by"] == OPERATOR
    assert [event["seq"] for event in events] == [event.seq for event in stage.sandbox.events(ENDPOINT)][-3:]
    code, shown, _ = typed(f"status {ENDPOINT}")
    assert "  why      no rollout is live\n" in shown
    assert f"↩ v2 was rolled back: aborted by {OPERATOR}: wrong day" in shown


def test_a_rollback_in_the_soak_is_not_kept_waiting_by_the_clock_of_the_soak(stage: Stage) -> None:
    """The endpoint is busy when a person asks; the soak's own clock would only look again after five minutes."""
    stage.up("v2")
    stage.until_weight(10_000, Phase.SOAKING)
    stage.sandbox.run_until(lambda: False, 20)
    stage.sandbox.meters.endpoints.occupy(ENDPOINT, 60)

    code, shown, _ = typed(f"rollback {ENDPOINT} --wait 120 --reason", "complaints")

    assert code == 0, shown
    assert "the endpoint is busy" in shown
    assert stage.canary_weight("green") == 0
    assert stage.head.champion.release.name == "v1"


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("status dev-triag", 2, f"endpoint 'dev-triag' is not known here (known: {ENDPOINT})"),
        (f"status prod/{ENDPOINT}", 2, "there is no function sluice-prod-command"),
        (f"abort {ENDPOINT} --reason x", 2, f"endpoint '{ENDPOINT}': no rollout is live, v1 serves."),
    ],
)
def test_a_refusal_is_a_sentence_and_changes_nothing(stage: Stage, line: str, code: int, sentence: str) -> None:
    before = stage.head

    found, shown, said = typed(line)

    assert (found, shown) == (code, "")
    assert said.startswith(sentence)
    assert said.count("\n") == 1
    assert stage.head == before
