"""The fallback slot in the sandbox: made by the first rollout, asked for by a person through the real function with its own role."""

from __future__ import annotations

import json

import boto3

from sluice.core.rollout import Phase
from sluice.sandbox.triage import ENDPOINT
from tests.acceptance.conftest import Stage


def fallback(stage: Stage) -> dict[str, object]:
    return {"release": stage.example.document("v1"), "instances": 1}


def ask(action: str) -> dict[str, object]:
    order = {"action": action, "endpoint": ENDPOINT, "reason": "both answer nonsense", "by": "ann"}
    answer = boto3.client("lambda").invoke(
        FunctionName="sluice-dev-command", Qualifier="pipeline", Payload=json.dumps(order)
    )
    found: dict[str, object] = json.loads(answer["Payload"].read())
    return found


def test_a_person_sends_everything_to_the_fallback_slot_and_a_release_comes_back_from_it(stage: Stage) -> None:
    stage.up("v2", fallback=fallback(stage))
    stage.until_weight(500)
    assert {route.slot for route in stage.sandbox.meters.endpoints.routes(ENDPOINT)} == {"blue", "green", "fallback"}
    assert stage.canary_weight("fallback") == 0

    said = ask("fall_back")

    assert "falling back to v1" in str(said["result"])
    assert stage.sandbox.run_until(lambda: stage.canary_weight("fallback") == 1, 120)
    stage.until_ended()
    assert stage.head.champion.slot == "fallback"
    assert "fell_back" in stage.kinds

    stage.up("v4", fallback=fallback(stage))
    stage.until_ended()
    assert stage.head.outcome is not None
    assert stage.head.outcome.phase in (Phase.SETTLED, Phase.ROLLED_BACK)
    serving = {route.slot for route in stage.sandbox.meters.endpoints.routes(ENDPOINT)}
    assert "fallback" in serving, "it is kept, whichever way the release went"
    denied = [c for c in stage.sandbox.cloud.gate.calls if c.outcome.startswith(("AccessDenied", "Authorization"))]
    assert denied == []
