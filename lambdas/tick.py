"""The clock's function: one tick of one rollout per invocation."""

from __future__ import annotations

from typing import Any

from lambdas.reporting import report
from sluice.aws.wiring import ports
from sluice.tick import Ticked, tick


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Input and output are the state machine's: who to tick, then the same with `done` and `wait_seconds`."""
    endpoint, rollout = event["endpoint"], event["rollout"]
    ticked = tick(ports(), endpoint, rollout, event["generation"], event["ticks"])
    report(
        ticked.because,
        {"Ticks": ("Count", 1), "BlockedSeconds": ("Seconds", ticked.blocked_seconds), **_seen(ticked)},
        endpoint=endpoint,
        release=ticked.release,
        rollout=rollout,
        faults=ticked.faults,
    )
    return {**event, "ticks": event["ticks"] + 1, "done": ticked.done, "wait_seconds": ticked.wait_seconds}


def _seen(ticked: Ticked) -> dict[str, tuple[str, float]]:
    """What is only known in some ticks; a metric that is not known is not published."""
    made: dict[str, tuple[str, float]] = {}
    if ticked.asked_parts is not None:
        made["CanaryAsked"] = ("Percent", ticked.asked_parts / 100)
    if ticked.actual_parts is not None:
        made["CanaryActual"] = ("Percent", ticked.actual_parts / 100)
    if ticked.restored_seconds is not None:
        made["SecondsToRestore"] = ("Seconds", ticked.restored_seconds)
    return made
