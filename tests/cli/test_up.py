"""`sluice up`: what it says on the way, and what a pipeline gets to know at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import HTTPClientError

from sluice.cli.engine import NoEngine, UpFailed, reason, through_pulumi
from sluice.core.errors import BadInput
from tests.cli.conftest import NOW, Desk, baking, outcome, status

V2 = {"release": "v2", "digest": "2" * 64}
OUTPUTS: dict[str, Any] = {
    "contract_version": 1,
    "control_plane": {"parameter_root": "/sluice/shop/dev/"},
    "endpoints": {"triage": {"endpoint_name": "dev-triage", "region": "eu-west-1", "desired": V2}},
}
SERVES = status(live=V2, slot="green", last_outcome=outcome("settled", release_name="v2", release_digest="2" * 64))
TAKEN_BACK = status(last_outcome=outcome(release_name="v2", release_digest="2" * 64))


def deploying(outputs: Any = OUTPUTS) -> Callable[..., Any]:
    """`pulumi up` that prints a line and exports these outputs, or ends with this exception."""

    def deploy(folder: Path, stack: str, say: Callable[[str], None]) -> Mapping[str, Any]:
        if isinstance(outputs, Exception):
            raise outputs
        say(f"Updating ({stack})")
        return dict(outputs)

    return deploy


def test_a_rollout_is_followed_to_its_end(desk: Desk, golden: Callable[[str], None]) -> None:
    first = baking(phase="shifting", canary_parts=500, because="raising v2 to 5 % (step 1 of 5)")
    desk.deploy = deploying()
    desk.answers = [first, first, baking(), {**baking(), "now": NOW + 60}, SERVES]

    ran = desk.run("up", "dev", "--wait")

    assert ran.exit_code == 0
    assert desk.clock == 4 * 15, "a sentence that has been said is not said again"
    golden(ran.transcript)


def test_a_rollback_fails_the_pipeline(desk: Desk, golden: Callable[[str], None]) -> None:
    desk.deploy = deploying()
    desk.answers = [baking(), baking(phase="rolling_back", canary_parts=0, because="errors went off"), TAKEN_BACK]

    ran = desk.run("up", "dev", "--wait")

    assert ran.exit_code == 1
    golden(ran.transcript)


@pytest.mark.parametrize(
    ("answers", "words", "code"),
    [
        ([baking()], ["--within", "60s"], 3),
        ([baking(phase="soaking", canary_parts=10_000)], ["--until", "promoted"], 0),
        ([baking(phase="soaking", canary_parts=10_000)], ["--until", "settled", "--within", "1h"], 3),
        ([SERVES], [], 0),
        ([status()], [], 1),
        ([baking(), KeyboardInterrupt()], [], 3),
    ],
    ids=["time is up", "promoted", "soaking is not settled", "it served already", "refused", "given up"],
)
def test_the_exit_code_says_how_it_ended(desk: Desk, answers: list[Any], words: list[str], code: int) -> None:
    desk.deploy, desk.answers = deploying(), answers

    assert desk.run("up", "dev", "--wait", *words).exit_code == code


def test_a_stack_served_by_anothers_control_plane_asks_that_one(desk: Desk) -> None:
    desk.deploy = deploying({**OUTPUTS, "control_plane": {"parameter_root": "/sluice/platform/prod/"}})
    desk.answers = [SERVES]

    assert desk.run("up", "dev", "--wait").exit_code == 0
    assert [function for function, _, _ in desk.asked] == ["platform-prod-command"]


def test_without_wait_nobody_is_asked(desk: Desk) -> None:
    desk.deploy = deploying()

    assert desk.run("up", "dev").exit_code == 0
    assert desk.asked == []


def test_a_control_plane_that_does_not_answer_is_asked_again(desk: Desk) -> None:
    desk.deploy = deploying()
    desk.answers = [HTTPClientError(error=ConnectionError("reset")), SERVES]

    ran = desk.run("up", "dev", "--wait")

    assert ran.exit_code == 0
    assert "dev-triage: shop-dev-command did not answer" in ran.out


def test_as_json_progress_goes_to_stderr(desk: Desk) -> None:
    desk.deploy, desk.answers = deploying(), [TAKEN_BACK]

    ran = desk.run("up", "dev", "--wait", "--json")

    assert json.loads(ran.out) == {
        "schema": 1,
        "deployed": True,
        "endpoints": {"dev-triage": {"exit": 1, "because": f"v1 serves: {TAKEN_BACK['last_outcome']['because']}"}},
    }
    assert ran.err.startswith("Updating (dev)\n")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (NoEngine("pulumi is neither here nor there"), 3),
        (UpFailed("`pulumi up` of stack 'dev' failed: the artifact of v2 was changed"), 1),
        (BadInput(("stack: there is no 'dev'",)), 2),
    ],
)
def test_where_nothing_is_deployed_there_is_a_sentence(desk: Desk, fault: Exception, code: int) -> None:
    desk.deploy = deploying(fault)

    ran = desk.run("up", "dev", "--wait")

    assert (ran.exit_code, ran.out + ran.err) == (code, f"{fault}\n")
    assert desk.asked == []


def test_a_stack_of_something_else_is_told_apart(desk: Desk) -> None:
    desk.deploy = deploying({"name": "x"})

    ran = desk.run("up", "dev", "--wait")

    assert ran.exit_code == 2
    assert "it exports no endpoints: is it a stack of Sluice?" in ran.err


def test_a_duration_without_its_unit_is_refused(desk: Desk) -> None:
    ran = desk.run("up", "dev", "--wait", "--within", "60")

    assert (ran.exit_code, ran.err) == (
        2,
        "--within: must be a duration with its unit, such as 90s, 7m, 24h or 2d, got '60'\n",
    )


def test_without_a_cli_the_sentence_says_where_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoEngine, match=r"pulumi is neither on PATH nor in .*/\.tools/pulumi/bin.*run `make pulumi`"):
        through_pulumi(tmp_path, "dev", print)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            "Diagnostics:\n  aws:lambda:Invocation (submit):\n    error: the artifact of v2 was changed\n"
            "  pulumi:pulumi:Stack (dev):\n    error: update failed\n",
            "the artifact of v2 was changed",
        ),
        (
            "    error: 1 error occurred:\n    \t* creating Role: no\n    error: update failed",
            "1 error occurred: creating Role: no",
        ),
        ("error: update failed", "see above"),
    ],
)
def test_of_all_that_pulumi_prints_the_cause_is_told(told: str, sentence: str) -> None:
    assert reason(told) == sentence
