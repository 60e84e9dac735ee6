"""The clock's function: one tick of one rollout per invocation."""

from __future__ import annotations

from typing import Any

from lambdas.reporting import report
from sluice.aws.wiring import ports
from sluice.tick import tick


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Input and output are the state machine's: who to tick, then the same with `done` and `wait_seconds`."""
    endpoint, rollout = event["endpoint"], event["rollout"]
    ticked = tick(ports(), endpoint, rollout, event["generation"], event["ticks"])
    report(
        ticked.because,
        {"Ticks": ("Count", 1), "BlockedSeconds": ("Seconds", ticked.blocked_seconds)},
        endpoint=endpoint,
        release=ticked.release,
        rollout=rollout,
        faults=ticked.faults,
    )
    return {**event, "ticks": event["ticks"] + 1, "done": ticked.done, "wait_seconds": ticked.wait_seconds}
