"""Faults of alarms and metrics: deleted, changed, silent, wrong or late."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sluice.aws.clients import client
from sluice.sandbox.faultbook.fault import (
    FIRST_BAKE,
    PENDING,
    SECOND_BAKE,
    WENT_OFF,
    Fault,
    Happens,
    settled,
    taken_back,
)
from sluice.sandbox.faultbook.scene import Scene
from sluice.sandbox.watch.series import What

_RAIL = "over its rail of 5.0 % and 2x"


def _deleted(scene: Scene) -> None:
    scene.note("somebody deletes the canary's alarm")
    client("cloudwatch").delete_alarms(AlarmNames=[scene.alarm("green")])


def _muted(scene: Scene) -> None:
    scene.note("somebody disables the actions of all alarms")
    names = [scene.alarm("green", metric) for metric in ("errors", "errors-rail", "latency")]
    client("cloudwatch").disable_alarm_actions(AlarmNames=names)


def _loosened(scene: Scene) -> None:
    """The alarm watches something else now, and will never go off."""
    scene.note("somebody changes the canary's alarm so that it never goes off")
    client("cloudwatch").put_metric_alarm(
        AlarmName=scene.alarm("green"),
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1e9,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )


def _unevaluated(seconds: int) -> Happens:
    def happens(scene: Scene) -> None:
        scene.note(f"CloudWatch cannot evaluate the canary's alarm for {seconds // 60} minutes: EVALUATION_FAILURE")
        scene.sandbox.meters.alarms.impair(scene.alarm("green"), "EVALUATION_FAILURE")
        scene.wait(seconds)
        scene.sandbox.meters.alarms.impair(scene.alarm("green"), None)

    return happens


def _spoiled(note: str, spoil: Callable[[What], What]) -> Happens:
    """The canary's numbers are spoiled from here on."""

    def happens(scene: Scene) -> None:
        scene.note(note)
        scene.sandbox.meters.meter.distort = lambda slot, _, samples: spoil(samples) if slot == "green" else samples

    return happens


def _late(minutes: int) -> Happens:
    def happens(scene: Scene) -> None:
        scene.note(f"from here metrics appear {minutes} minutes late")
        scene.sandbox.meters.meter.delay_seconds = 60.0 * minutes

    return happens


def _not_a_number(_: What) -> What:
    return [(math.nan, 1.0)]


def _negative(_: What) -> What:
    return [(-1.0, 100.0)]


def _nothing(_: What) -> What:
    return np.array([])


FAULTS = (
    Fault(
        "alarm-deleted",
        "somebody deletes the canary's alarm in mid-rollout",
        SECOND_BAKE,
        _deleted,
        taken_back("does not exist: cannot judge"),
    ),
    Fault(
        "alarm-muted",
        "somebody disables alarm actions in mid-rollout, and the release fails",
        FIRST_BAKE,
        _muted,
        taken_back(WENT_OFF),
        release="v3",
    ),
    Fault(
        "alarm-loosened",
        "somebody changes the canary's alarm so that it never goes off, and the release fails",
        FIRST_BAKE,
        _loosened,
        taken_back(_RAIL),
        release="v3",
    ),
    Fault(
        "alarm-unevaluated",
        "CloudWatch cannot evaluate the canary's alarm for a while",
        SECOND_BAKE,
        _unevaluated(1200),
        settled(),
    ),
    Fault(
        "alarm-unevaluated-for-long",
        "CloudWatch cannot evaluate the canary's alarm any more",
        SECOND_BAKE,
        _unevaluated(7200),
        taken_back("cannot be evaluated (EVALUATION_FAILURE): cannot judge"),
    ),
    Fault(
        "metrics-not-a-number",
        "the canary's metrics are NaN",
        FIRST_BAKE,
        _spoiled("from here the canary's metrics are NaN", _not_a_number),
        taken_back("the data cannot be judged"),
    ),
    Fault(
        "metrics-negative",
        "the canary's metrics are negative",
        FIRST_BAKE,
        _spoiled("from here the canary's metrics are negative", _negative),
        taken_back("a shared incident lasted 15 min, so the canary goes to be sure"),
    ),
    Fault(
        "metrics-missing",
        "the canary's metrics never arrive",
        FIRST_BAKE,
        _spoiled("from here the canary's metrics do not arrive", _nothing),
        taken_back("the data cannot be judged: split the canary got 0 %"),
    ),
    Fault("metrics-late", "metrics arrive four minutes late", PENDING, _late(4), settled()),
    Fault(
        "metrics-late-and-bad",
        "metrics arrive four minutes late, and the release fails",
        PENDING,
        _late(4),
        taken_back(_RAIL),
        release="v3",
    ),
    Fault(
        "metrics-too-late",
        "metrics arrive ten minutes late, longer than any alarm looks back",
        PENDING,
        _late(10),
        taken_back("errors not seen: no canary requests in the last 3 minutes"),
    ),
)
