"""Functions that stop existing in mid-air, at each call they make: just before it took effect, and just after.

Where one kill does not keep another call from being made they all happen in one rollout, so that what heals one kill is
killed itself; the rest get a rollout each.
"""

from __future__ import annotations

from collections.abc import Iterator

from sluice.sandbox.cloud.delivery import Event
from sluice.sandbox.cloud.faults import Fault as Disturbance
from sluice.sandbox.cloud.faults import Kill, Moment
from sluice.sandbox.engine.program import ProgramFailed
from sluice.sandbox.faultbook.clock_faults import stop_clock
from sluice.sandbox.faultbook.fault import (
    BEFORE,
    FIRST_BAKE,
    PENDING,
    WENT_OFF,
    At,
    Ending,
    Fault,
    Happens,
    settled,
    taken_back,
)
from sluice.sandbox.faultbook.scene import Scene

Calls = tuple[str, ...]
_COMMIT, _WEIGHTS = "TransactWriteItems", "UpdateEndpointWeightsAndCapacities"
TICK_UP: tuple[Calls, ...] = (
    (
        *("GetItem", "DescribeEndpoint", "DescribeEndpointConfig", "HeadObject", "CreateModel", "CreateEndpointConfig"),
        *("UpdateEndpoint", "InvokeEndpoint", "DescribeAlarms", "SetAlarmState", "GetMetricData", "PutItem"),
        *(_COMMIT, _WEIGHTS, "PutParameter"),
    ),
)
TICK_BACK: tuple[Calls, ...] = (
    ("GetItem", "DescribeEndpoint", "DescribeAlarms", "PutItem", _COMMIT, _WEIGHTS, "PutParameter"),
)
ALARM: tuple[Calls, ...] = (("GetItem", _COMMIT, _WEIGHTS), ("StartExecution",), ("PutParameter",))
COMMAND = ALARM
SWEEP: tuple[Calls, ...] = (("Query", "GetItem", "DescribeExecution", _COMMIT, "StartExecution"),)
SUBMIT: tuple[Calls, ...] = (
    ("GetItem", "HeadObject", "DescribeAlarms", _COMMIT),
    ("StartExecution",),
    ("PutParameter",),
)
_EVERY_TIME = {_COMMIT: range(1, 16, 2), _WEIGHTS: (1, 3, 5)}
"""Of these the first try is killed each time; the one that follows it goes through."""
_TRIES = 10


def _rounds(
    function: str, rounds: tuple[Calls, ...], moment: Moment, release: str, at: At | None, then: Happens
) -> Happens:
    """A rollout for each round, all but the last taken back."""

    def happens(scene: Scene) -> None:
        for number, calls in enumerate(rounds):
            if number and at is not None:
                scene.wait(120)  # until the release is out of quarantine
                scene.up(release, nonce=f"round-{number}")
                scene.until(at)
            scene.note(
                f"{function} is killed {moment} it calls {', '.join(calls)}"
                if moment == "before"
                else f"{function} is killed after it called {', '.join(calls)}"
            )
            kills = list(_armed(scene, function, calls, moment))
            then(scene)
            scene.until_ended()
            scene.wrong += _unmade(kills)
            scene.over(*kills)

    return happens


def _armed(scene: Scene, function: str, calls: Calls, moment: Moment) -> Iterator[Disturbance]:
    for call in calls:
        for nth in _EVERY_TIME.get(call, (1,)):
            yield scene.strike(Kill(), function, call, nth=nth, times=1, moment=moment)


def _unmade(kills: list[Disturbance]) -> Iterator[str]:
    """A kill that never came would prove nothing."""
    made = {kill.operation for kill in kills if kill.applied}
    for call in sorted({str(kill.operation) for kill in kills if kill.operation not in made}):
        yield f"nobody was killed at {call}: the call was not made"


def _nothing(scene: Scene) -> None:
    """The release does the rest."""


def _lose_events(scene: Scene) -> None:
    """So that the tick has to do it all."""

    def is_alarm(event: Event) -> bool:
        return event.get("source") == "aws.cloudwatch"

    scene.sandbox.cloud.delivery.drop(10**6, is_alarm)


def _abort(scene: Scene) -> None:
    """A person who gets no answer asks again."""
    for _ in range(_TRIES):
        if scene.head.live is None or (scene.rollout.latch is not None and scene.share("green") == 0):
            return
        scene.command("abort", "wrong week")
        scene.wait(30)


def _submit(moment: Moment) -> Happens:
    def happens(scene: Scene) -> None:
        for number, calls in enumerate(SUBMIT):
            if number:
                scene.command("abort", "the next round")
                scene.until_ended()
            scene.note(f"submit is killed {moment} {', '.join(calls)}: pulumi up fails and is run again")
            kills = list(_armed(scene, "submit", calls, moment))
            _up_until_done(scene, f"round-{number}")
            scene.wrong += _unmade(kills)
            scene.over(*kills)

    return happens


def _up_until_done(scene: Scene, nonce: str) -> None:
    for _ in range(_TRIES):
        try:
            scene.up("v2", nonce=nonce)
            return
        except ProgramFailed:
            continue
    scene.wrong.append(f"pulumi up failed {_TRIES} times")


def _faults(moment: Moment) -> Iterator[Fault]:
    back = taken_back(WENT_OFF)
    for word, about, at, rounds, then, ends, release in (
        ("tick", "the tick on the way up", PENDING, TICK_UP, _nothing, settled(), "v2"),
        (
            "tick-going-back",
            "the tick on the way back, when alarm events are lost",
            FIRST_BAKE,
            TICK_BACK,
            _lose_events,
            back,
            "v3",
        ),
        ("alarm", "the function that takes traffic back", FIRST_BAKE, ALARM, _nothing, back, "v3"),
        (
            "command",
            "the function that people ask, as they abort",
            FIRST_BAKE,
            COMMAND,
            _abort,
            taken_back("aborted by"),
            "v2",
        ),
        ("sweep", "the sweep, when the rollout's clock was stopped", FIRST_BAKE, SWEEP, stop_clock, settled(), "v2"),
    ):
        yield _killed(
            word, about, moment, at, _rounds(word.split("-")[0], rounds, moment, release, at, then), ends, release
        )
    yield _killed("submit", "the function that takes a release", moment, BEFORE, _submit(moment), settled(), "v2")


def _killed(
    word: str, about: str, moment: Moment, at: At | None, happens: Happens, ends: Ending, release: str
) -> Fault:
    return Fault(
        f"killed-{word}-{moment}",
        f"Lambda ends {about}, {moment} each call it makes",
        at,
        happens,
        ends,
        release,
        policy={"rollback": {"target": "2m", "max_blind": "10m", "cooldown": "1m"}},
    )


FAULTS = (*_faults("before"), *_faults("after"))
