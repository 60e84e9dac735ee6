"""A game day on the whole system: the canary's own alarm is set off, and the way back is measured on the records' times."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.core.rollout import Phase
from sluice.sandbox.triage import ENDPOINT
from sluice.sandbox.watch.series import metric_key
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
    assert 0 < found["detect_seconds"] <= found["decide_seconds"] < found["act_seconds"] < found["verify_seconds"]
    assert found["act_seconds"] <= found["target_seconds"]
    assert stage.head.outcome.phase is Phase.ROLLED_BACK
    a_scheduled_drill_moves_nothing(stage)


def a_scheduled_drill_moves_nothing(stage: Stage) -> None:
    """On the same stage, because it needs one on which something was rolled out, and nothing is under way any more."""
    assert stage.traffic is not None
    stage.traffic.stop()
    stage.sandbox.config["drills"] = {"schedule": "rate(1 hour)"}
    stage.up("v1")
    before = stage.canary_weight("green")

    assert stage.sandbox.run_until(lambda: stage.head.drilled_at is not None, 3 * 3600), stage.kinds

    assert stage.kinds[-3:] == ["drill_asked", "drill_answered", "drilled"]
    assert stage.canary_weight("green") == before == 0
    said = stage.sandbox.events(ENDPOINT)[-1].because
    assert "green/errors-rail: detected +" in said
    assert "within the target of 2 min" in said
    stage.sandbox.run_until(lambda: False, 3700)
    calls = stage.sandbox.cloud.gate.calls
    assert not [call for call in calls if call.outcome.startswith(("AccessDenied", "Authorization"))]
    now = int(stage.sandbox.cloud.clock.now().timestamp()) // 3600 * 3600
    key = metric_key("Sluice/sluice/dev", "DaysSinceDrill", {"service": "sweep"})
    (days,) = stage.sandbox.meters.store.points(key, "Maximum", 3600, now, now + 3600).values()
    assert 0 < days < 1


def test_a_way_back_that_is_too_slow_fails_the_drill(stage: Stage) -> None:
    stage.up("v2")
    stage.until_weight(500)
    stage.sandbox.meters.endpoints.occupy(ENDPOINT, 400)

    code, shown, _ = typed(f"drill {ENDPOINT} --yes --within 1200")

    assert code == 1, shown
    assert "NOT within the target of 2 min" in shown
