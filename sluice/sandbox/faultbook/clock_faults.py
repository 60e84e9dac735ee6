"""Faults of what looks at a rollout: its clock, the tick's function, the services a tick reads."""

from __future__ import annotations

from sluice.aws.clients import client
from sluice.sandbox.cloud.faults import Raise, Throw
from sluice.sandbox.faultbook.fault import FIRST_BAKE, SECOND_BAKE, Fault, settled, taken_back
from sluice.sandbox.faultbook.scene import Scene
from sluice.sandbox.sandbox import PROJECT, STACK

_MACHINE = f"arn:aws:states:us-east-1:123456789012:stateMachine:{PROJECT}-{STACK}-clock"
_BLIND = "nobody could look at it for"


def stop_clock(scene: Scene) -> None:
    scene.note("somebody stops the execution that ticks")
    execution = f"{_MACHINE.replace(':stateMachine:', ':execution:')}:{scene.rollout.clock_name}"
    client("stepfunctions").stop_execution(executionArn=execution)


def _deleted(scene: Scene) -> None:
    scene.note("somebody deletes the state machine: nothing will tick again")
    client("stepfunctions").delete_state_machine(stateMachineArn=_MACHINE)


def _throttled(scene: Scene) -> None:
    scene.note("Lambda throttles the tick for 20 minutes")
    throttle = scene.strike(
        Raise("TooManyRequestsException", "Rate Exceeded.", 429), service="lambda", operation="Invoke"
    )
    scene.wait(1200)
    scene.over(throttle)
    scene.note("Lambda runs the tick again")


def _broken(scene: Scene) -> None:
    scene.note("from here the tick fails at its first call, every time: a bad deployment")
    scene.strike(Throw(TypeError("a mistake in the new version")), "tick")


def _broken_and_busy(scene: Scene) -> None:
    _broken(scene)
    scene.note("and the endpoint is busy for 20 minutes")
    scene.endpoints.occupy(scene.endpoint, 1200)


def _cloudwatch_down(scene: Scene) -> None:
    scene.note("CloudWatch answers nothing for 30 minutes: neither alarms nor metrics can be read")
    faults = [
        scene.strike(Raise("InternalServiceFault", "down", 500), "tick", operation)
        for operation in ("DescribeAlarms", "GetMetricData")
    ]
    scene.wait(1800)
    scene.over(*faults)
    scene.note("CloudWatch answers again")


FAULTS = (
    Fault("clock-stopped", "somebody stops the rollout's execution", FIRST_BAKE, stop_clock, settled()),
    Fault("clock-deleted", "somebody deletes the state machine", SECOND_BAKE, _deleted, taken_back(_BLIND)),
    Fault(
        "tick-throttled",
        "Lambda throttles the tick for longer than max_blind",
        SECOND_BAKE,
        _throttled,
        taken_back(_BLIND),
    ),
    Fault(
        "tick-broken",
        "a deployment broke the tick: it fails whenever it runs",
        SECOND_BAKE,
        _broken,
        taken_back(_BLIND),
    ),
    Fault(
        "tick-broken-endpoint-busy",
        "the tick is broken, and the endpoint is busy when the sweep has had enough",
        SECOND_BAKE,
        _broken_and_busy,
        taken_back(_BLIND),
    ),
    Fault(
        "cloudwatch-down",
        "alarms and metrics cannot be read for longer than max_blind",
        SECOND_BAKE,
        _cloudwatch_down,
        taken_back(_BLIND),
    ),
)
