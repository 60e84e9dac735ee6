"""One alarm event and one tick, our own work only: the ports are in memory. Beside it, one bare boto3 call answered in process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from benchmarks.system.measure import Row, cpu_ms
from sluice.alarm import on_alarm
from sluice.core.reaction import AlarmEvent
from sluice.core.rollout import Phase
from sluice.sim.turmoil import Turmoil
from sluice.submit import submit
from sluice.tick import tick
from tests.tick.incidents import NAMES, live, made, next_submission

_ALARMS, _TICKS, _CALLS = 50, 400, 200
_BARE_CALL = "a bare boto3 weight call, answered in process"


def rows() -> Iterator[Row]:
    bare = f"{cpu_ms(_weight_call(), _CALLS):.2f} ms CPU"
    worlds = [_baking() for _ in range(_ALARMS + 1)]
    yield Row(
        "an alarm event, from parsed to latched and asked back",
        f"{cpu_ms(lambda: _alarm(worlds.pop()), _ALARMS):.2f} ms CPU",
        bare,
        _BARE_CALL,
    )
    world = _baking()
    yield Row("a tick in a bake", f"{cpu_ms(lambda: _tick(world), _TICKS):.2f} ms CPU", bare, _BARE_CALL)


def _baking() -> Turmoil:
    """A rollout in its first bake, with a minute of metrics."""
    world, _ = made()
    submit(world.ports, next_submission(world))
    world.live(3 * 3600, lambda: (rollout := live(world)) is not None and rollout.phase is Phase.BAKING)
    world.live(150)
    return world


def _alarm(world: Turmoil) -> None:
    name = next(name for name in NAMES if name.endswith("green/errors"))
    (handled,) = on_alarm(world.ports, AlarmEvent(name, "ALARM", world.now, "bench", None), redelivered=False)
    if handled.fault is not None or not (rollout := live(world)) or rollout.latch is None:
        raise RuntimeError(f"the alarm did not take the canary back: {handled.sentence}")


def _tick(world: Turmoil) -> None:
    rollout = live(world)
    if rollout is None or rollout.phase is not Phase.BAKING:
        raise RuntimeError("the bake is over: a tick would measure something else")
    tick(world.ports, world.endpoint, rollout.id, 1, 0)


def _weight_call() -> Any:
    """UpdateEndpointWeightsAndCapacities, signed and parsed, without a network."""
    client = boto3.client(
        "sagemaker", region_name="us-east-1", aws_access_key_id="nobody", aws_secret_access_key="nothing"
    )
    client.meta.events.register("before-send", _answer)
    wanted = [{"VariantName": "blue", "DesiredWeight": 1.0}, {"VariantName": "green", "DesiredWeight": 0.0}]
    return lambda: client.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=wanted
    )


class _Raw:
    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield b'{"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/shop"}'


def _answer(request: Any, **_: object) -> AWSResponse:
    return AWSResponse(request.url, 200, {"content-type": "application/x-amz-json-1.1"}, _Raw())
