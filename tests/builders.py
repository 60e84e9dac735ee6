"""Values that tests of the core and the tick start from. Plain functions, standard library only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sluice.core.begin import adopted, begin
from sluice.core.conditions import OnBreach, OnNewRelease
from sluice.core.head import Head, Submission
from sluice.core.policy import (
    AfterSoak,
    Bad,
    IncidentThen,
    Judging,
    LatencyMetric,
    LatencyRail,
    OnInconclusive,
    Policy,
    RateMetric,
    RateRail,
    Required,
    Rollback,
    SharedIncident,
    Step,
    Terms,
    Tolerance,
)
from sluice.core.release import Artifact, Release, Smoke
from sluice.core.rollout import EndpointSettings, SlotAlarms

NOW = 1_800_000_000
SETTINGS = EndpointSettings("sluice-abc123", "arn:aws:iam::123456789012:role/exec", None, None, {})


def release(name: str = "v2", **changes: Any) -> Release:
    made = Release(
        name=name,
        artifact=Artifact(f"s3://models/{name}.tar.gz", name.encode().hex().ljust(64, "0")),
        image="repo@sha256:" + "a" * 64,
        environment={},
        contract="1",
        instance_type="ml.m5.large",
        smoke=Smoke("text/csv", "text/csv", ("1,2,3",)),
        metadata={},
    )
    return replace(made, **changes)


def step(percent: int, bake_min: int = 300, bake_max: int = 900, then: OnInconclusive = OnInconclusive.HOLD) -> Step:
    return Step(percent * 100, bake_min, bake_max, then)


def terms(ratio: float, share: float = 0.5, absolute: float = 0.0, bad: Bad = Bad.HIGH, **changes: Any) -> Terms:
    return replace(Terms(bad, share, Tolerance(ratio, absolute), None, 0, None, False), **changes)


def errors(**changes: Any) -> RateMetric:
    rail, judged = RateRail(0.05, 2.0), terms(1.10, absolute=0.0002)
    made = RateMetric("rate", "AWS/SageMaker", "Invocation5XXErrors", "Invocations", rail, None, judged)
    return replace(made, **changes)


def latency(**changes: Any) -> LatencyMetric:
    weights = {"p50": 0.2, "p90": 0.4, "p99": 0.4}
    made = LatencyMetric("quantiles", "AWS/SageMaker", "ModelLatency", weights, LatencyRail(3.0), terms(1.30))
    return replace(made, **changes)


def policy(**changes: Any) -> Policy:
    made = Policy(
        steps=(step(10), step(50), Step(10_000, 0, 0, OnInconclusive.HOLD)),
        min_samples=100,
        soak_seconds=3600,
        after_soak=AfterSoak.STANDBY,
        evidence_for_seconds=3600,
        max_hold_seconds=7200,
        on_breach=OnBreach.ROLLBACK,
        on_new_release=OnNewRelease.REJECT,
        freeze=(),
        on_rollback=(),
        shared_incident=SharedIncident(IncidentThen.ROLLBACK, 900),
        rollback=Rollback(120, 600, 86400),
        judge=Judging(120, 120, 300, 0.05, 180, None),
        harm_budget=None,
        metrics={"errors": errors(), "latency": latency()},
        alarms=(),
        required=Required(model_package=False, evaluation={}),
    )
    return replace(made, **changes)


def alarms(endpoint: str = "shop") -> dict[str, SlotAlarms]:
    def name(slot: str, metric: str) -> str:
        return f"sluice/sluice/test/{endpoint}/{slot}/{metric}"

    return {
        slot: SlotAlarms((name(slot, "errors"), name(slot, "latency")), (name(slot, "errors-rail"),))
        for slot in ("blue", "green")
    }


def submission(**changes: Any) -> Submission:
    made = Submission(1, "shop", release("v2"), "1", policy(), ("blue", "green"), alarms(), SETTINGS, 1)
    return replace(made, **changes)


def head() -> Head:
    return replace(adopted("shop", ("blue", "green"), SETTINGS, release("v1"), "blue"), version=1)


def started(**changes: Any) -> Head:
    """A head whose live rollout of v2 has just been submitted; `changes` are made to the rollout."""
    begun = begin(head(), submission(), NOW).next
    assert begun.live is not None
    return replace(begun, live=replace(begun.live, **changes))
