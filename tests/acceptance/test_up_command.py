"""`sluice up --wait` on the whole system: the release that is taken back fails the command, the one that goes out does not."""

from __future__ import annotations

import os
from pathlib import Path

from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.cli.invoke import through_urls
from sluice.cli.outside import Outside
from sluice.sandbox.sandbox import REPOSITORY
from sluice.sandbox.triage import ENDPOINT
from tests.acceptance.conftest import Stage


def sluice_up(stage: Stage, release: str, *words: str) -> tuple[int, str]:
    """As typed in the repository's folder, with the sandbox's engine behind it; time passes as the command sleeps."""
    stage.sandbox.config["endpoints"] = stage.example.endpoints(release)
    clock = stage.sandbox.cloud.clock
    outside = Outside(
        invoke=through_urls,
        folder=REPOSITORY,
        environment=os.environ,
        request_id=lambda: "one",
        now=lambda: clock.now().timestamp(),
        sleep=lambda seconds: clock.run_for(seconds, lambda: False) and None,
        width=None,
        deploy=lambda folder, name, say: deploy(stage, folder, name),
    )
    ran = CliRunner().invoke(app, ["up", "dev", "--wait", *words], obj=outside, catch_exceptions=False)
    return ran.exit_code, ran.output


def deploy(stage: Stage, folder: Path, name: str) -> dict[str, object]:
    assert (folder, name) == (REPOSITORY, "dev")
    return dict(stage.sandbox.up().outputs)


def test_a_release_that_is_taken_back_fails_the_command(stage: Stage) -> None:
    code, said = sluice_up(stage, "v3")

    assert code == 1, said
    assert "▲ shifting         5 %  raising v3 to 5 % (step 1 of 5)" in said
    assert "↩ rolled_back           v1 serves: v3" in said.splitlines()[-1]
    assert stage.canary_weight("green") == 0


def test_a_good_one_does_not_and_giving_up_stops_nothing(stage: Stage) -> None:
    code, said = sluice_up(stage, "v2", "--within", "5m")
    assert code == 3
    assert f"not finished within 5m: sluice status dev/{ENDPOINT}" in said

    code, said = sluice_up(stage, "v2", "--until", "promoted")

    assert code == 0, said
    assert stage.rollout.phase == "soaking"
    assert stage.canary_weight("green") == 1
