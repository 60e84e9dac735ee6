"""A rollout as OpenTelemetry spans, in OTLP's JSON: one trace a rollout, a span for each phase, events as span events.

Made from one letter at a time, so that nothing has to be read: a phase is told when it is over, the rollout when it has ended.
Ids follow from the rollout's id, so that what is sent twice is the same span. Source: opentelemetry-proto, trace.proto, and
"JSON Protobuf Encoding" of the OTLP specification (ids in hex, 64-bit numbers as text).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sluice.core.messages import Letter
from sluice.core.record import Document
from sluice.core.rollout import ENDED, Phase
from sluice.core.standing import Standing

_INTERNAL = 1
_OK, _ERROR = 1, 2
Values = Mapping[str, str | int | float]


def spans_of(letter: Letter) -> Document | None:
    """The body of an OTLP export; None for an event outside of any rollout, or the first of one: nothing is over yet."""
    stands = letter.rollout
    if stands is None:
        return None
    spans = []
    if stands.left_phase is not None and stands.left_since is not None:
        spans.append(_phase(letter, stands, stands.left_phase, stands.left_since))
    if not stands.entered:
        spans.append(_moment(letter, stands))
    if stands.phase in ENDED and stands.entered:
        spans.append(_whole(letter, stands))
    if not spans:
        return None
    resource = _attributes({"service.name": "sluice", "sluice.endpoint": letter.endpoint})
    scope = {"scope": {"name": "sluice"}, "spans": spans}
    return {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]}


def _phase(letter: Letter, stands: Standing, phase: Phase, since: int) -> Document:
    """What the phase came to is the event that ended it."""
    told: Values = {
        "sluice.phase": phase.value,
        "sluice.step": stands.step,
        "sluice.canary_percent": stands.canary_percent,
    }
    span = _span(stands, _phase_key(phase, since), phase.value, since, letter.event.at)
    return {**span, "attributes": _attributes(told), "events": [_event(letter)], "parentSpanId": _span_id(stands, "")}


def _moment(letter: Letter, stands: Standing) -> Document:
    """What happens within a phase is told before the phase is: a span without length, below it."""
    span = _span(stands, f"event:{letter.event.seq}", letter.event.kind, letter.event.at, letter.event.at)
    parent = _span_id(stands, _phase_key(stands.phase, stands.phase_since))
    return {**span, "attributes": [], "events": [_event(letter)], "parentSpanId": parent}


def _whole(letter: Letter, stands: Standing) -> Document:
    told: Values = {
        "sluice.rollout": stands.id,
        "sluice.release": stands.release,
        "sluice.stable": stands.stable,
        "sluice.outcome": stands.phase.value,
    }
    good = stands.phase is Phase.SETTLED
    status = {"code": _OK} if good else {"code": _ERROR, "message": letter.event.because}
    span = _span(stands, "", f"rollout {stands.release}", stands.started_at, letter.event.at)
    return {**span, "attributes": _attributes(told), "events": [_event(letter)], "status": status}


def _span(stands: Standing, key: str, name: str, start: int, end: int) -> Document:
    return {
        "traceId": hashlib.sha256(f"sluice/trace/{stands.id}".encode()).hexdigest()[:32],
        "spanId": _span_id(stands, key),
        "name": name,
        "kind": _INTERNAL,
        "startTimeUnixNano": _nanos(start),
        "endTimeUnixNano": _nanos(end),
    }


def _span_id(stands: Standing, key: str) -> str:
    return hashlib.sha256(f"sluice/span/{stands.id}/{key}".encode()).hexdigest()[:16]


def _phase_key(phase: Phase, since: int) -> str:
    return f"phase:{phase.value}:{since}"


def _event(letter: Letter) -> Document:
    told: Values = {
        "sluice.seq": letter.event.seq,
        "sluice.by": letter.event.by,
        "sluice.because": letter.event.because,
    }
    return {"timeUnixNano": _nanos(letter.event.at), "name": letter.event.kind, "attributes": _attributes(told)}


def _attributes(values: Values) -> list[Document]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: str | int | float) -> Document:
    if isinstance(value, str):
        return {"stringValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"doubleValue": value}


def _nanos(seconds: int) -> str:
    return str(seconds * 10**9)
