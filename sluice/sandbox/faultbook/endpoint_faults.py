"""Faults of SageMaker: updates that fail, hang or are refused, capacity that does not come, an endpoint that is gone."""

from __future__ import annotations

from sluice.aws.clients import client
from sluice.core.rollout import Phase
from sluice.sandbox.faultbook.fault import (
    FIRST_BAKE,
    PENDING,
    SECOND_BAKE,
    SECOND_SHIFT,
    WENT_OFF,
    Ending,
    Fault,
    Happens,
    settled,
    taken_back,
)
from sluice.sandbox.faultbook.scene import Scene

_MINUTE = 60


def _falls_back(reason: str | None) -> Happens:
    def happens(scene: Scene) -> None:
        scene.note(
            f"the next update ends InService on the old configuration, {'with' if reason else 'without'} a reason"
        )
        scene.endpoints.fall_back_next(scene.endpoint, reason)

    return happens


def _sticks(seconds: int) -> Happens:
    def happens(scene: Scene) -> None:
        scene.note(f"the next change stays Updating for {seconds // _MINUTE} minutes")
        scene.endpoints.stick_next(scene.endpoint)
        scene.wait(seconds)
        scene.note("the endpoint is freed")
        scene.endpoints.unstick(scene.endpoint)

    return happens


def _sticks_in_the_shift(scene: Scene) -> None:
    scene.note("the next change of weights is accepted and hangs for 13 minutes")
    scene.endpoints.stick_next(scene.endpoint)
    scene.until(SECOND_SHIFT)
    scene.wait(13 * _MINUTE)
    scene.note("the endpoint is freed: the raise takes effect after all")
    scene.endpoints.unstick(scene.endpoint)


def _sticks_going_back(scene: Scene) -> None:
    scene.note("the next change of weights is accepted and hangs for 20 minutes; the canary's alarm goes off")
    scene.endpoints.stick_next(scene.endpoint)
    scene.set_off(scene.alarm("green"))
    scene.wait(20 * _MINUTE)
    scene.note("the endpoint is freed")
    scene.endpoints.unstick(scene.endpoint)


def _maintained(minutes: int) -> Happens:
    def happens(scene: Scene) -> None:
        scene.note(f"SageMaker maintains the endpoint for {minutes} minutes: SystemUpdating")
        scene.endpoints.occupy(scene.endpoint, minutes * _MINUTE, "SystemUpdating")

    return happens


def _maintained_at_alarm_time(scene: Scene) -> None:
    _maintained(10)(scene)
    scene.set_off(scene.alarm("green"))


def _starved(scene: Scene) -> None:
    scene.note("there are no instances to be had")
    scene.endpoints.starve(scene.endpoint)


def _loses_an_instance(scene: Scene) -> None:
    scene.note("one of the canary's two instances fails and is not replaced")
    scene.endpoints.lose_instances(scene.endpoint, "green", 1)


def _deleted(scene: Scene) -> None:
    scene.note("somebody deletes the endpoint")
    client("sagemaker").delete_endpoint(EndpointName=scene.endpoint)


FAULTS = (
    Fault(
        "fallback-silent",
        "SageMaker goes back to the old configuration without giving a reason",
        PENDING,
        _falls_back(None),
        taken_back("SageMaker gave no reason"),
    ),
    Fault(
        "fallback-with-reason",
        "SageMaker goes back to the old configuration and says why",
        PENDING,
        _falls_back("One or more containers did not pass the ping health check."),
        taken_back("did not pass the ping health check"),
    ),
    Fault(
        "endpoint-stuck-for-an-hour",
        "the update of the endpoint takes an hour",
        PENDING,
        _sticks(60 * _MINUTE),
        settled(),
    ),
    Fault(
        "endpoint-stuck-past-the-deadline",
        "the update of the endpoint takes 100 minutes, longer than preparing may take",
        PENDING,
        _sticks(100 * _MINUTE),
        taken_back("the slot was not ready after 90 min: endpoint is Updating"),
    ),
    Fault(
        "endpoint-stuck-while-shifting",
        "the call for the second step is accepted and takes effect 13 minutes later",
        FIRST_BAKE,
        _sticks_in_the_shift,
        taken_back("50 % was not applied within 10 min: endpoint is Updating"),
    ),
    Fault(
        "endpoint-stuck-while-going-back",
        "the call that takes traffic back is accepted and hangs for 20 minutes",
        SECOND_BAKE,
        _sticks_going_back,
        taken_back(WENT_OFF),
    ),
    Fault(
        "system-updating",
        "SageMaker maintains the endpoint during a bake",
        FIRST_BAKE,
        _maintained(20),
        settled(),
    ),
    Fault(
        "system-updating-for-long",
        "SageMaker maintains the endpoint for longer than the policy wants to hold",
        FIRST_BAKE,
        _maintained(60),
        taken_back("without a decision: endpoint is SystemUpdating"),
    ),
    Fault(
        "system-updating-at-alarm-time",
        "the canary's alarm goes off while SageMaker refuses every change",
        SECOND_BAKE,
        _maintained_at_alarm_time,
        taken_back(WENT_OFF),
    ),
    Fault(
        "capacity-never-comes",
        "there are no instances for the new slot",
        PENDING,
        _starved,
        taken_back("InsufficientInstanceCapacity"),
    ),
    Fault(
        "capacity-lost",
        "an instance of the canary fails during a bake and is not replaced",
        FIRST_BAKE,
        _loses_an_instance,
        taken_back("slot green has 1 of 2 instances"),
        config={"instances": 2},
    ),
    Fault(
        "endpoint-deleted",
        "somebody deletes the endpoint in mid-rollout",
        FIRST_BAKE,
        _deleted,
        Ending(Phase.FAILED, "v1", "endpoint dev-triage is Deleted"),
        gone=True,
    ),
)
