"""Scheduled drills: begun at every endpoint where nothing speaks against it, concluded by the sweep, and how long ago the last was."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.apply import settle
from sluice.core.decision import Decision
from sluice.core.drill import ANSWERED, ask, conclude, drill_alarm
from sluice.core.errors import StaleRecord
from sluice.core.head import Head
from sluice.core.observation import AlarmFacts
from sluice.ports import Ports

BY = "drill"
_DAY = 86_400
_LATEST_EVENTS = 20
"""More than happens to an endpoint between a drill and its end."""


@dataclass(frozen=True, slots=True)
class Drilled:
    """A sentence for each endpoint, and what went wrong."""

    sentences: tuple[str, ...]
    faults: tuple[str, ...]


def drill_all(ports: Ports) -> Drilled:
    """Begin a drill wherever one may begin; what was let go may not even exist any more. A fault at one endpoint does not keep
    the others from theirs.
    """
    sentences, faults = [], []
    for endpoint in ports.store.endpoints():
        try:
            head = ports.store.head(endpoint)
            if head is not None and head.let_go_at is None:
                sentences.append(f"{endpoint}: {_begun(ports, head)}")
        except Exception as fault:  # the handler reports it as a failure
            faults.append(f"{endpoint}: {type(fault).__name__}: {fault}")
    return Drilled(tuple(sentences), tuple(faults))


def concluded(ports: Ports, head: Head, now: int) -> Decision:
    """What became of the drill under way."""
    since = max(1, head.version - _LATEST_EVENTS)
    asked_at = head.drill.asked_at if head.drill else now
    answers = (event.at for event in ports.store.events(head.endpoint, since) if event.kind == ANSWERED)
    acted_at = next((at for at in answers if at >= asked_at), None)
    alarm = _alarm(ports, head.drill.alarm if head.drill else None)
    return conclude(head, ports.endpoints.describe(head.endpoint), alarm, acted_at, now)


def days_since_drill(ports: Ports) -> float:
    """Of the endpoint that has waited longest; one that was never drilled waits since its first event. 0 without endpoints."""
    return max((_days(ports, head) for head in map(ports.store.head, ports.store.endpoints()) if head), default=0.0)


def _days(ports: Ports, head: Head) -> float:
    """What was let go needs no drill."""
    if head.let_go_at is not None:
        return 0.0
    since = head.drilled_at or next(iter(ports.store.events(head.endpoint, 1, 1))).at
    return (ports.now() - since) / _DAY


def _begun(ports: Ports, head: Head) -> str:
    decision = ask(head, ports.endpoints.describe(head.endpoint), _alarm(ports, drill_alarm(head)), ports.now())
    try:
        settle(ports, head, decision, BY, {})
    except StaleRecord:
        return "no drill: somebody decided something just now"
    return decision.because


def _alarm(ports: Ports, name: str | None) -> AlarmFacts | None:
    return ports.alarms.states((name,)).get(name) if name else None
