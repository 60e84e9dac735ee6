"""The judge on the whole system: a release that raises no alarm and answers worse, and an incident that nobody is to blame for."""

from __future__ import annotations

import json

import boto3

from sluice.aws.evidence import read_evidence
from sluice.core.evidence import read_case
from sluice.core.judge import Verdict
from sluice.core.rollout import Phase
from sluice.sandbox.sandbox import PROJECT, STACK
from tests.acceptance.conftest import Stage


def explained(stage: Stage) -> dict:
    request = json.dumps({"action": "explain", "endpoint": stage.endpoint}).encode()
    answer = boto3.client("lambda").invoke(
        FunctionName=f"{PROJECT}-{STACK}-command", Qualifier="pipeline", Payload=request
    )
    return json.loads(answer["Payload"].read())


def test_a_release_that_is_silently_wrong_is_taken_back_by_what_its_answers_led_to(stage: Stage) -> None:
    stage.up("v5")
    stage.until_ended()

    outcome = stage.head.outcome
    assert (outcome.phase, stage.head.champion.release.name) == (Phase.ROLLED_BACK, "v1")
    (latched,) = (event for event in stage.sandbox.events(stage.endpoint) if event.kind == "rolling_back")
    assert latched.because.startswith("rolling back v5 from ")
    assert ": accuracy 8" in latched.because
    assert latched.because.endswith("of 20 needed")
    answer = explained(stage)
    words = {finding["metric"]: finding["word"] for finding in answer["findings"]}
    assert (words["accuracy"], words["errors"]) == ("harmful", "cleared")
    assert answer["because"] == latched.because

    bucket = next(b["Name"] for b in boto3.client("s3").list_buckets()["Buckets"] if "audit" in b["Name"])
    case = read_case(json.loads(read_evidence(bucket, latched.facts["rows"])))
    assert case.judged_again().verdict is Verdict.ROLL_BACK, "years later the kept rows give the same judgement"
    assert case.quantiles["latency"].keys() == {"p50", "p90", "p99"}
    assert any(row.canary.tails["latency"].over for row in case.rows if row.canary.tails), (
        "trimmed counts were answered"
    )


def test_an_incident_that_stable_shares_holds_and_takes_nothing_back_while_it_is_short(stage: Stage) -> None:
    stage.up("v2")
    stage.until_weight(2500)
    routes = stage.sandbox.meters.endpoints.routes(stage.endpoint)
    for route in routes:
        route.container.broken = "the feature store is gone"
    stage.sandbox.run_until(lambda: "incident" in stage.kinds, 15 * 60)
    assert stage.rollout.phase is Phase.BAKING
    stage.sandbox.run_until(lambda: False, 5 * 60)

    assert stage.rollout.phase is Phase.BAKING, "neither up nor back"
    for route in routes:
        route.container.broken = None
    stage.until_ended()

    assert stage.head.champion.release.name == "v2"
    assert stage.kinds[-1] == "settled"
