"""Faults of the way from an alarm to the function that takes traffic back."""

from __future__ import annotations

from sluice.aws.clients import client
from sluice.sandbox.cloud.delivery import Event
from sluice.sandbox.cloud.faults import Throw
from sluice.sandbox.faultbook.fault import FIRST_BAKE, PENDING, WENT_OFF, Fault, settled, taken_back
from sluice.sandbox.faultbook.scene import Scene
from sluice.sandbox.sandbox import PROJECT, STACK

_FOREVER = 10**6


def _is_alarm(event: Event) -> bool:
    return event.get("source") == "aws.cloudwatch"


def _lost(scene: Scene) -> None:
    scene.note("from here every alarm event is lost on its way")
    scene.sandbox.cloud.delivery.drop(_FOREVER, _is_alarm)


def _twice(scene: Scene) -> None:
    scene.note("from here every alarm event is delivered twice")
    scene.sandbox.cloud.delivery.duplicate(_FOREVER, _is_alarm)


def _late(scene: Scene) -> None:
    scene.note("from here every alarm event takes 40 minutes")
    scene.sandbox.cloud.delivery.delay(2400, _FOREVER, _is_alarm)


def _arrives_after_all(scene: Scene) -> None:
    """When the late event arrives, nothing may move any more."""
    before = scene.head.version
    scene.wait(3000)
    heard = {event.kind for event in scene.sandbox.events(scene.endpoint) if event.seq > before}
    if heard != {"alarm_noted"}:
        scene.wrong.append(f"the late event was not noted, or more than noted: {sorted(heard)}")


def _foreign(scene: Scene) -> None:
    scene.note(
        "alarm events arrive of another endpoint, another stack and another slot's past, and a message that is none"
    )
    now = scene.now
    for alarm in (
        scene.alarm("green").replace("dev-triage", "dev-other"),
        scene.alarm("green").replace(f"/{STACK}/", "/prod/"),
        "payments-are-down",
    ):
        scene.publish_alarm(alarm, now)
    scene.sandbox.cloud.delivery.inject(f"arn:aws:sqs:us-east-1:123456789012:{PROJECT}-{STACK}-alarm", "not an event")


def _old(scene: Scene) -> None:
    scene.note("an event of green's alarm arrives that is an hour old: of the release before")
    scene.publish_alarm(scene.alarm("green"), scene.now - 3600)


def _deaf(scene: Scene) -> None:
    scene.note("the rule on the event bus is switched off: no alarm event is delivered")
    client("events").disable_rule(Name=f"{PROJECT}-{STACK}-alarm")


def _broken(scene: Scene) -> None:
    scene.note("from here the alarm function fails at its first call, every time: a bad deployment")
    scene.strike(Throw(TypeError("a mistake in the new version")), "alarm")


FAULTS = (
    Fault(
        "alarm-event-lost",
        "EventBridge loses the event of the canary's alarm",
        FIRST_BAKE,
        _lost,
        taken_back(WENT_OFF),
        release="v3",
    ),
    Fault(
        "alarm-event-twice",
        "the event of the canary's alarm is delivered twice, as EventBridge and SQS may",
        FIRST_BAKE,
        _twice,
        taken_back(WENT_OFF),
        release="v3",
    ),
    Fault(
        "alarm-event-late",
        "the event of the canary's alarm arrives when everything is over",
        FIRST_BAKE,
        _late,
        taken_back(WENT_OFF),
        release="v3",
        later=_arrives_after_all,
    ),
    Fault(
        "alarm-event-foreign",
        "alarm events of others, and garbage, arrive in the queue",
        FIRST_BAKE,
        _foreign,
        settled(),
    ),
    Fault(
        "alarm-event-old",
        "an alarm event of an earlier release arrives in this one's bake",
        FIRST_BAKE,
        _old,
        settled(),
    ),
    Fault(
        "alarm-path-deaf",
        "somebody switched the rule off, so no rollback could be set off by an alarm",
        PENDING,
        _deaf,
        taken_back("rehearsal failed: the rollback path did not answer"),
    ),
    Fault(
        "alarm-function-broken",
        "a deployment broke the function that takes traffic back: it fails whenever it runs",
        FIRST_BAKE,
        _broken,
        taken_back(WENT_OFF),
        release="v3",
    ),
)
