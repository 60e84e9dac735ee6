"""The fast way back: an alarm event becomes a latch and a weight call. Needs neither the clock nor, in the worst case, the table."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sluice.apply import LOST_RACES, settle
from sluice.core.actions import SetWeights
from sluice.core.decision import Decision
from sluice.core.errors import BadInput, StaleRecord, UnknownSchema
from sluice.core.head import Head
from sluice.core.names import parse_alarm_name
from sluice.core.reaction import AlarmEvent, is_latched, late_rollback, react
from sluice.core.weights import WHOLE
from sluice.ports import Ports, StoreUnavailable

_NO_RECORD = (StoreUnavailable, UnknownSchema, BadInput)
"""A table that does not answer and a record that cannot be read come to the same: the mirror has to do."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What an event came to at one endpoint, and whose it is. `fault` asks for another delivery."""

    endpoint: str
    release: str | None
    rollout: str | None
    sentence: str
    fault: Exception | None = None


def on_alarm(ports: Ports, event: AlarmEvent, *, redelivered: bool) -> tuple[Handled, ...]:
    """Handle one event at every endpoint it concerns. It must be delivered again when it raises or when one `fault` is set.

    Without the table it acts on what the mirror says and still raises, so that a later delivery records it.
    """
    try:
        endpoints = _affected(ports, event)
    except _NO_RECORD:
        _without_table(ports, event)
        raise
    return tuple(_handle(ports, endpoint, event, redelivered) for endpoint in endpoints)


def _affected(ports: Ports, event: AlarmEvent) -> tuple[str, ...]:
    """The endpoint in the alarm's name; for an alarm of the policy's own list, every endpoint whose rollout lists it."""
    parsed = parse_alarm_name(event.name)
    if parsed is not None:
        return (parsed.endpoint,)
    heads = [ports.store.head(endpoint) for endpoint in ports.store.unfinished()]
    return tuple(head.endpoint for head in heads if head and head.live and event.name in head.live.policy.alarms)


def _handle(ports: Ports, endpoint: str, event: AlarmEvent, redelivered: bool) -> Handled:
    """One endpoint's trouble must not keep the event from the others."""
    try:
        return _react(ports, endpoint, event, redelivered)
    except _NO_RECORD as fault:
        _without_table(ports, event)
        return Handled(endpoint, None, None, f"{endpoint}: {fault}", fault)
    except Exception as fault:
        return Handled(endpoint, None, None, f"{endpoint}: {type(fault).__name__}: {fault}", fault)


def _react(ports: Ports, endpoint: str, event: AlarmEvent, redelivered: bool) -> Handled:
    for _ in range(LOST_RACES):
        head = ports.store.head(endpoint)
        if head is None:
            return Handled(endpoint, None, None, f"alarm {event.name}: endpoint {endpoint!r} is not known here")
        decision = react(head, event, ports.now())
        if decision.kind is None and _is_asked_already(ports, decision):
            return _handled(head, decision.because)
        if decision.record_after_actions and not _is_asked_already(ports, decision):
            return _handled(
                head,
                "not answered: somebody changed the weights, and the call of a rehearsal or drill would change them back",
            )
        if redelivered and decision.kind is not None:
            decision = _recorded_late(ports, head, event, decision)
        try:
            applied = settle(ports, head, decision, f"alarm:{event.name}", _facts(event))
        except StaleRecord:
            continue
        except StoreUnavailable as fault:
            return replace(_handled(head, f"{decision.because}; not recorded yet: {fault}"), fault=fault)
        return _handled(head, "; ".join((decision.because, *applied.faults)))
    raise StaleRecord(
        f"endpoint {endpoint!r}: lost the race to record {event.name} {LOST_RACES} times: it is delivered again"
    )


def _facts(event: AlarmEvent) -> dict[str, str | int | None]:
    """`taken_at` tells how long the event took from how long the decision took."""
    return {"reason": event.reason, "since": event.since, "taken_at": event.taken_at}


def _handled(head: Head, sentence: str) -> Handled:
    rollout = head.live
    return Handled(head.endpoint, rollout.release.name if rollout else None, rollout.id if rollout else None, sentence)


def _is_asked_already(ports: Ports, decision: Decision) -> bool:
    """A second alarm, or a second delivery, does not repeat a call that was accepted: that would keep the endpoint busy."""
    wanted = [action.parts for action in decision.actions if isinstance(action, SetWeights)]
    if not wanted:
        return False
    facts = ports.endpoints.describe(decision.next.endpoint)
    return all(facts.desired_parts.get(slot, 0) == parts for slot, parts in wanted[0].items())


def _recorded_late(ports: Ports, head: Head, event: AlarmEvent, decision: Decision) -> Decision:
    """An earlier delivery may have acted without the table; then the record says so."""
    if head.live is None or not is_latched(decision.next):
        return decision
    try:
        parts = ports.endpoints.describe(head.endpoint).parts
    except Exception:  # what the event is called must not keep it from being recorded, and obeyed
        return decision
    late = late_rollback(head, event, parts.get(head.live.to_slot, 0))
    return replace(decision, kind="recorded_late") if late else decision


def _without_table(ports: Ports, event: AlarmEvent) -> None:
    """Neither read nor written: the mirror says who is canary. Acts only for the canary's alarm, and only towards a slot in service."""
    parsed = parse_alarm_name(event.name)
    if parsed is None or event.state != "ALARM" or event.rehearsal_of is not None:
        return
    mirror = ports.mirrors.read(parsed.endpoint)
    if not mirror or mirror.get("to_slot") != parsed.slot or not mirror.get("canary_parts"):
        return
    exposed, rail = mirror.get("first_exposure_at"), parsed.metric.endswith("-rail")
    if not isinstance(exposed, int) or event.since < exposed or (rail and mirror.get("canary_parts") != WHOLE):
        return
    stable = str(mirror["from_slot"])
    facts = ports.endpoints.describe(parsed.endpoint)
    variant = facts.variants.get(stable)
    if variant is not None and variant.current_instances > 0:
        ports.endpoints.set_weights(SetWeights(parsed.endpoint, {stable: WHOLE, parsed.slot: 0}, None))
