"""A game day on the whole system: the canary's own alarm is set off, and the way back is measured on the records' times."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.core.rollout import Phase
from sluice.sandbox.triage import ENDPOINT
from tests.acceptance.conftest import Stage


def typed(line: str) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, line.split(), catch_exceptions=False)
    return ran.exit_code, ran.stdout, ran.stderr


def test_a_drill_takes_the_canary_back_and_measures_every_station(stage: Stage) -> None:
    assert typed(f"drill {ENDPOINT} --yes")[0] == 2, "nothing is being tried"
    stage.up("v2")
    stage.until_weight(500)
    assert typed(f"drill {ENDPOINT}")[0] == 2, "only if it is really meant"
    assert stage.rollout.phase is Phase.BAKING

    code, shown, _ = typed(f"drill {ENDPOINT} --yes --json")

    found = json.loads(shown)
    assert code == 0, shown
    assert 0 < found["decide_seconds"] < found["act_seconds"] < found["verify_seconds"]
    assert found["act_seconds"] <= found["target_seconds"]
    assert stage.head.outcome.phase is Phase.ROLLED_BACK


def test_a_way_back_that_is_too_slow_fails_the_drill(stage: Stage) -> None:
    stage.up("v2")
    stage.until_weight(500)
    stage.sandbox.meters.endpoints.occupy(ENDPOINT, 400)

    code, shown, _ = typed(f"drill {ENDPOINT} --yes --within 1200")

    assert code == 1, shown
    assert "NOT within the target of 2 min" in shown
