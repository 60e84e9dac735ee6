"""Faults of the table and of telling: throttled, refused, gone, in the worst moment."""

from __future__ import annotations

from sluice.sandbox.cloud.faults import Raise
from sluice.sandbox.faultbook.fault import FIRST_BAKE, SECOND_BAKE, WENT_OFF, Fault, settled, taken_back
from sluice.sandbox.faultbook.scene import Scene

_THROTTLED = Raise("ProvisionedThroughputExceededException", "throttled", 400)
_DOWN = Raise("InternalServerError", "down", 500)


def _throttled_at_alarm_time(scene: Scene) -> None:
    scene.note("the table refuses writes; the canary's alarm goes off")
    faults = [scene.strike(_THROTTLED, None, operation, "dynamodb") for operation in ("TransactWriteItems", "PutItem")]
    scene.set_off(scene.alarm("green"))
    _back_without_the_table(scene)
    scene.over(*faults)
    scene.note("the table takes writes again")


def _gone_at_alarm_time(scene: Scene) -> None:
    scene.note("the table neither reads nor writes; the canary's alarm goes off")
    fault = scene.strike(_DOWN, service="dynamodb")
    scene.set_off(scene.alarm("green"))
    _back_without_the_table(scene)
    scene.over(fault)
    scene.note("the table is there again")


def _back_without_the_table(scene: Scene) -> None:
    """Traffic must be back before the table is."""
    began = scene.now
    back = scene.run(lambda: scene.share("green") == 0, 600)
    if not back:
        scene.wrong.append("traffic was not taken back while the table was away")
    scene.note(f"traffic is back {scene.now - began} s after the alarm, without the table")
    scene.wait(600)


def _throttled_for_a_while(scene: Scene) -> None:
    scene.note("the table refuses writes for 5 minutes")
    faults = [scene.strike(_THROTTLED, None, operation, "dynamodb") for operation in ("TransactWriteItems", "PutItem")]
    scene.wait(300)
    scene.over(*faults)
    scene.note("the table takes writes again")


def _gone_for_long(scene: Scene) -> None:
    scene.note("the table is gone for half an hour: nobody can look, and nobody can decide")
    fault = scene.strike(_DOWN, service="dynamodb")
    scene.wait(1800)
    scene.over(fault)
    scene.note("the table is there again")


def _nobody_is_told(scene: Scene) -> None:
    scene.note("SNS, EventBridge's bus and SSM are down")
    scene.strike(Raise("InternalError", "down", 500), service="sns")
    scene.strike(Raise("InternalException", "down", 500), service="events")
    scene.strike(Raise("InternalServerError", "down", 500), service="ssm")


FAULTS = (
    Fault(
        "table-throttled-at-alarm-time",
        "the table refuses writes when the canary's alarm goes off",
        SECOND_BAKE,
        _throttled_at_alarm_time,
        taken_back(WENT_OFF),
    ),
    Fault(
        "table-gone-at-alarm-time",
        "the table does not answer when the canary's alarm goes off",
        SECOND_BAKE,
        _gone_at_alarm_time,
        taken_back(WENT_OFF),
    ),
    Fault(
        "table-throttled", "the table refuses writes for five minutes", FIRST_BAKE, _throttled_for_a_while, settled()
    ),
    Fault(
        "table-gone-for-long",
        "the table is away for longer than max_blind",
        SECOND_BAKE,
        _gone_for_long,
        taken_back("nobody could look at it for"),
    ),
    Fault(
        "telling-down",
        "SNS, EventBridge's bus and SSM are down when the release fails: nobody can be told",
        FIRST_BAKE,
        _nobody_is_told,
        taken_back(WENT_OFF),
        release="v3",
    ),
)
