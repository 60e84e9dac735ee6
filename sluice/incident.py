"""An incident for a release that was taken back: told after the weights are back, told again until it went through, in nobody's way.

It hangs on the stream of audit events, which is written after the fact. So nothing of it can delay or stop a rollback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sluice.core.audit import Event, states
from sluice.core.head import Head, Outcome
from sluice.core.observation import Row
from sluice.core.release import Release
from sluice.core.rollout import Phase, Rollout
from sluice.core.rows import Reading, limits
from sluice.core.weights import WHOLE
from sluice.ports import Ports
from sluice.postmortem import Incident, postmortem

_MINUTE = 60
_TOLD = (Phase.ROLLED_BACK.value, Phase.FAILED.value)


class Desk(Protocol):
    """Where incidents go. Every method may be called again for the same incident, and changes nothing then."""

    def preserve(self, release: Release, folder: str) -> str:
        """Keep the artifact where it cannot be deleted; says where, or in a sentence why not."""

    def file(self, folder: str, text: str) -> str:
        """Keep the postmortem; says where."""

    def open(self, incident: Incident, postmortem_at: str) -> None: ...


def on_event(ports: Ports, desk: Desk, event: Event) -> str | None:
    """Open the incident that an event asks for; the sentence that says so, None for events that ask for none."""
    if event.kind not in _TOLD or event.rollout is None:
        return None
    events = tuple(ports.store.events(event.endpoint, 1, event.seq))
    rollout, outcome = _ended(events, event.rollout)
    if outcome is None or not _is_incident(rollout, outcome):
        return None
    folder = f"incidents/{event.endpoint}/{rollout.id}"
    preserved = desk.preserve(rollout.release, folder)
    incident = Incident(rollout, outcome, events, _rows(ports, rollout, outcome), preserved, _stable(ports, rollout))
    filed = desk.file(folder, postmortem(incident))
    desk.open(incident, filed)
    return f"incident opened: {incident.title}; postmortem in {filed}"


def _is_incident(rollout: Rollout, outcome: Outcome) -> bool:
    """Harm, or an end that needs a person; an abort for other reasons is none."""
    return outcome.phase is Phase.FAILED or (rollout.latch is not None and rollout.latch.harmful)


def _ended(events: Iterable[Event], rollout_id: str) -> tuple[Rollout, Outcome | None]:
    """The rollout as it was last, and how it ended."""
    last: Rollout | None = None
    head: Head | None = None
    for _, head in states(events):
        if head.live is not None and head.live.id == rollout_id:
            last = head.live
    assert last is not None
    assert head is not None
    return last, head.outcome


def _rows(ports: Ports, rollout: Rollout, outcome: Outcome) -> tuple[Row, ...]:
    since = rollout.first_exposure_at
    if since is None:
        return ()
    until = -(-outcome.ended_at // _MINUTE) * _MINUTE
    wanted = Reading(
        rollout.endpoint,
        rollout.to_slot,
        rollout.from_slot,
        rollout.policy.metrics,
        limits(rollout),
        since // _MINUTE * _MINUTE,
        until,
    )
    return ports.metrics.rows(wanted)


def _stable(ports: Ports, rollout: Rollout) -> str:
    """What serves now, as SageMaker says it."""
    facts = ports.endpoints.describe(rollout.endpoint)
    has = facts.parts.get(rollout.from_slot, 0)
    alarms = rollout.alarms[rollout.from_slot]
    firing = [a.name for a in ports.alarms.states((*alarms.relative, *alarms.rails)).values() if a.is_firing]
    if has == WHOLE and facts.in_service and not firing:
        who = f"{rollout.stable.name} in {rollout.from_slot}"
        return f"Verified healthy: {who} has all traffic, the endpoint is {facts.status}, none of its alarms fires."
    trouble = f"; alarms that fire: {', '.join(firing)}" if firing else ""
    return f"NOT verified: {rollout.from_slot} has {has / 100:g} % of the traffic, the endpoint is {facts.status}{trouble}."
