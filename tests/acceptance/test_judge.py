"""The judge on the whole system: a release that raises no alarm and answers worse, and an incident that nobody is to blame for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import boto3
import yaml

from sluice.aws.evidence import read_evidence
from sluice.core.evidence import read_case
from sluice.core.histogram import Histogram
from sluice.core.judge import Verdict
from sluice.core.names import outcome_namespace
from sluice.core.rollout import Phase
from sluice.sandbox.sandbox import PROJECT, REPOSITORY, STACK
from sluice.sandbox.watch.series import StatisticSet, What
from tests.acceptance.conftest import Stage
from tests.cli.conftest import Desk, Ran


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
    assert_says_everything(next(finding for finding in answer["findings"] if finding["metric"] == "accuracy"))

    bucket = next(b["Name"] for b in boto3.client("s3").list_buckets()["Buckets"] if "audit" in b["Name"])
    case = read_case(json.loads(read_evidence(bucket, latched.facts["rows"])))
    assert case.judged_again().verdict is Verdict.ROLL_BACK, "years later the kept rows give the same judgement"
    assert case.quantiles["latency"].keys() == {"p50", "p90", "p99"}
    assert any(row.canary.tails["latency"].over for row in case.rows if row.canary.tails), (
        "trimmed counts were answered"
    )

    ran = backtested(stage, "green", "blue", latched.at)
    assert ran.exit_code == 0, ran.err
    (again,) = json.loads(ran.out)["releases"]
    assert again["because"].startswith("accuracy 8"), "CloudWatch alone remembers enough to say it again"
    first = min(row.at for row in case.rows)
    assert abs(again["back_at"] - ((case.rows[-1].at - first) // 60 + 1)) <= 2


def assert_says_everything(finding: dict) -> None:
    """Counts, the ratio with its interval, evidence and need: as numbers, and in the sentence."""
    known = finding["evidence"]
    assert min(known["canary_trials"], known["stable_trials"]) > 0
    assert known["low"] < known["ratio"] < known["high"] <= 1, "people were told wrong more often"
    assert known["weight_of_harm"] >= known["need"]
    for number in (known["canary_trials"], known["stable_trials"]):
        assert f"of {number:,.0f})" in finding["numbers"]
    for ratio in (known["ratio"], known["low"], known["high"]):
        assert f"{ratio:.2f}x" in finding["numbers"]
    assert "of 20 needed" in finding["numbers"]


def backtested(stage: Stage, canary: str, stable: str, until: int) -> Ran:
    """What `sluice backtest` says of the hours before, from the sandbox's CloudWatch, under the example's policy."""
    begin, end = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M}" for at in (until - 3 * 3600, until))
    words = ("--endpoint", stage.endpoint, "--canary", canary, "--stable", stable, "--from", begin, "--until", end)
    words += ("--outcomes", outcome_namespace(PROJECT, STACK))
    desk = Desk(Path.cwd(), clock=stage.sandbox.cloud.clock.now().timestamp())
    return desk.run("backtest", "--policy", "policies/rollouts/demo.yaml", *words, "--json")


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


OWN = Histogram(outcome_namespace(PROJECT, STACK), "AnswerTime", 1_000, 4_000_000, "fallback")


def as_a_set(_slot: str, name: str, samples: What) -> What:
    """A service that publishes its latencies as statistic sets: CloudWatch then knows neither percentiles nor trimmed counts."""
    if name != "ModelLatency" or isinstance(samples, StatisticSet):
        return samples
    values = [float(value) for value in samples]
    return StatisticSet(len(values), sum(values), min(values), max(values))


def test_where_cloudwatch_counts_no_latency_over_a_limit_the_applications_histogram_takes_a_slow_release_back(
    stage: Stage,
) -> None:
    stage.sandbox.meters.meter.distort = as_a_set
    assert stage.traffic is not None
    stage.traffic.load = replace(stage.traffic.load, histogram=OWN)
    demo = yaml.safe_load((REPOSITORY / "policies" / "rollouts" / "demo.yaml").read_text())
    demo["metrics"]["latency"]["histogram"] = {"name": "AnswerTime", "from_ms": 1, "to_ms": 4000}
    stage.sandbox.run_until(lambda: False, 10 * 60)  # stable's past

    stage.up("v4", policy=demo)
    stage.until_ended()

    (latched,) = (event for event in stage.sandbox.events(stage.endpoint) if event.kind == "rolling_back")
    assert stage.head.outcome.phase is Phase.ROLLED_BACK
    assert latched.because.startswith(
        "rolling back v4 from 5 %: latency over 3x stable's p99 as the application recorded it: "
    )
    answer = explained(stage)
    (found,) = (finding for finding in answer["findings"] if finding["metric"] == "latency")
    assert (found["word"], found["evidence"]["observed"]) == ("harmful", False)
