"""Doing what was decided: the record first, then the calls. The only module that changes the world for the tick."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, assert_never

from sluice.core.actions import (
    Action,
    DeregisterTarget,
    EnsureConfig,
    EnsureModel,
    Mirror,
    Notify,
    RegisterTarget,
    SetAlarm,
    SetInstances,
    SetWeights,
    StartClock,
    UpdateEndpoint,
)
from sluice.core.audit import NOTICES, record
from sluice.core.decision import Decision
from sluice.core.errors import EndpointBusy
from sluice.core.head import Head
from sluice.core.record import encode
from sluice.ports import Ports, StoreUnavailable

LOST_RACES = 5
"""How often something is decided anew on a newer record. Each lost race means that somebody else wrote a decision; five in a row do not
happen to one endpoint."""
Telling = Mirror | StartClock
"""What machines are told after the fact. All of it is made up for: by the next tick, or the sweep. People are told from the event."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a decision: the head as stored, and what went wrong telling people about it."""

    head: Head
    faults: tuple[str, ...]


def settle(ports: Ports, before: Head | None, decision: Decision, by: str, facts: Mapping[str, Any]) -> Applied:
    """Record the decision, then act on it (or the other way round where it says so).

    Raises StaleRecord, before any call, when somebody else decided first; StoreUnavailable when the record cannot be
    written, after a way back was made all the same; EndpointBusy when SageMaker refused a change, after everything that only
    tells people was still done.
    """
    if decision.kind is None:
        return Applied(decision.next, _act(ports, decision, decision.next))
    notices = tuple(action for action in decision.actions if isinstance(action, Notify))
    told = {**facts, NOTICES: encode(notices)} if notices else facts
    if decision.record_after_actions:
        faults = _act(ports, decision, decision.next)
        change = record(before, decision.next, decision.kind, by, decision.because, ports.now(), told)
        ports.store.commit(change)
        return Applied(change.head, faults)
    change = record(before, decision.next, decision.kind, by, decision.because, ports.now(), told)
    try:
        ports.store.commit(change)
    except StoreUnavailable:
        _take_back_unrecorded(ports, decision)
        raise
    return Applied(change.head, _act(ports, decision, change.head))


def _take_back_unrecorded(ports: Ports, decision: Decision) -> None:
    """A dead table must not keep traffic on a canary: the decision stands, whoever made it comes again, and then it is recorded."""
    for action in decision.actions:
        if isinstance(action, SetWeights) and not action.is_raise:
            with suppress(EndpointBusy):
                ports.endpoints.set_weights(action)


def _act(ports: Ports, decision: Decision, recorded: Head) -> tuple[str, ...]:
    """Changes in order, stopping at the first that fails; then everything that tells, whatever failed."""
    telling = [action for action in decision.actions if isinstance(action, Telling)]
    try:
        for action in decision.actions:
            if not isinstance(action, Telling):
                _do(ports, action, recorded)
    finally:
        faults = tuple(fault for action in telling if (fault := _tell(ports, action, recorded)))
    return faults


def _do(ports: Ports, action: Action, recorded: Head) -> None:
    match action:
        case SetWeights():
            _set_weights(ports, action, recorded)
        case EnsureModel():
            ports.endpoints.ensure_model(action)
        case EnsureConfig():
            ports.endpoints.ensure_config(action)
        case UpdateEndpoint():
            ports.endpoints.update(action.endpoint, action.config_name)
        case SetInstances():
            ports.endpoints.set_instances(action)
        case RegisterTarget():
            ports.scaling.register(action)
        case DeregisterTarget():
            ports.scaling.deregister(action)
        case StartClock() | Mirror() | Notify():
            _announce(ports, action)
        case SetAlarm():
            ports.alarms.force(action)
        case _:
            assert_never(action)


def _announce(ports: Ports, action: Telling | Notify) -> None:
    """People are told from the event, where the notice stands by now (`sluice.notify`)."""
    match action:
        case StartClock():
            ports.clocks.start(action)
        case Mirror():
            ports.mirrors.write(action.endpoint, action.document)
        case Notify():
            pass


def _set_weights(ports: Ports, action: SetWeights, recorded: Head) -> None:
    """A raise is made only if its intent is still the last word and its time has not run out. A way back is always made."""
    if action.call_before is not None:
        current = ports.store.head(action.endpoint)
        if current is None or current.version != recorded.version or ports.now() >= action.call_before:
            return
    ports.endpoints.set_weights(action)


def _tell(ports: Ports, action: Telling, recorded: Head) -> str | None:
    """Telling must never undo or delay what was done: a fault here is reported, not raised."""
    try:
        _do(ports, action, recorded)
    except Exception as fault:
        return f"{type(action).__name__} failed: {fault}"
    return None
