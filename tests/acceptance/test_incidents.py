"""An incident after a rollback, on the whole system: opened once, after the weights are back, and in nobody's way."""

from __future__ import annotations

import json
import re

import boto3
import pytest

from sluice.aws.trail import archive_bucket_of
from sluice.core.rollout import Phase
from sluice.sandbox.cloud.faults import Fault, Raise
from sluice.sandbox.triage import ENDPOINT
from tests.acceptance.conftest import Stage


def opened() -> list[dict[str, object]]:
    found: list[dict[str, object]] = boto3.client("ssm").describe_ops_items()["OpsItemSummaries"]
    return found


def kept(rollout: str, name: str) -> bytes:
    key = f"incidents/{ENDPOINT}/{rollout}/{name}"
    body: bytes = boto3.client("s3").get_object(Bucket=archive_bucket_of("sluice-dev-archive"), Key=key)["Body"].read()
    return body


def test_a_rollback_opens_an_incident_with_its_postmortem_and_its_artifact(stage: Stage) -> None:
    stage.up("v3")
    stage.until_ended()
    outcome = stage.head.outcome
    assert outcome.phase is Phase.ROLLED_BACK
    assert opened() == [], "never before the weights are back, and not in the decision's way"
    stage.sandbox.run_until(lambda: False, 60)

    (item,) = opened()
    text = kept(outcome.rollout_id, "postmortem.md").decode()

    assert item["Title"] == f"{ENDPOINT}: v3 rolled back"
    assert json.loads(item["OperationalData"]["/aws/dedup"]["Value"]) == {"dedupString": outcome.rollout_id}  # type: ignore[index]
    assert f"# {ENDPOINT}: v3 rolled back" in text
    assert "at most 5 %" in text
    assert "Verified healthy: v1 in blue has all traffic" in text
    assert "No: it is the first release taken back here." in text
    assert re.search(r"against v1, 2026-01-05 \d\d:\d\d to \d\d:\d\d UTC\.", text)
    harmed = {line.split(":")[0]: line for line in text.splitlines() if "than stable's own rate would give" in line}
    assert re.search(
        r"(\d+) of \d+ \([\d.]+ %\) requests to the canary, 0 of .* of stable's; \1 more than", harmed["- errors"]
    )
    assert " fewer than stable's own rate would give" in harmed["- accuracy"], "right answers are wanted"
    assert "`SAGEMAKER_PROGRAM=inference.py`" in text
    assert kept(outcome.rollout_id, "model.tar.gz") == (stage.example.folder / "v3" / "model.tar.gz").read_bytes()


def test_an_incident_that_cannot_be_opened_is_tried_again_and_nothing_waits_for_it(stage: Stage) -> None:
    down = stage.sandbox.cloud.gate.inject(
        Fault(Raise("InternalServerError", status=500), function="sluice-dev-incident", service="ssm", times=None)
    )
    stage.up("v3")
    stage.until_ended()
    stage.sandbox.run_until(lambda: False, 600)
    assert opened() == []
    stage.up("v2")
    stage.until_weight(500)

    stage.sandbox.cloud.gate.faults.remove(down)
    stage.sandbox.run_until(lambda: False, 120)

    assert [item["Title"] for item in opened()] == [f"{ENDPOINT}: v3 rolled back"], "once, however often it was tried"


@pytest.mark.parametrize("command", ["abort"])
def test_a_release_taken_back_without_blame_is_no_incident(stage: Stage, command: str) -> None:
    stage.up("v2")
    stage.until_weight(500)
    order = {"action": command, "endpoint": ENDPOINT, "reason": "wrong day"}
    boto3.client("lambda").invoke(FunctionName="sluice-dev-command", Payload=json.dumps(order))
    stage.until_ended()
    stage.sandbox.run_until(lambda: False, 120)

    assert opened() == []
