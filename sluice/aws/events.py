"""Events as AWS sends them, parsed once. What is not an alarm's state change is somebody else's; what is broken is refused."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sluice.aws.watch import REHEARSAL_KEY
from sluice.core.errors import BadInput
from sluice.core.reaction import AlarmEvent

_DETAIL_TYPE = "CloudWatch Alarm State Change"
_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
_REASON_CHARACTERS = 1023
"""CloudWatch's own limit. What is kept with the decision must not grow beyond what the table takes."""


def parse_alarm_event(body: str | bytes) -> AlarmEvent | None:
    """The alarm event in an SQS message body; None for an event of another kind; BadInput for one that cannot be read.

    `reasonData` may be absent (somebody set the state by hand) or any JSON.
    """
    try:
        event = json.loads(body)
        if event.get("source") != "aws.cloudwatch" or event.get("detail-type") != _DETAIL_TYPE:
            return None
        state = event["detail"]["state"]
        return AlarmEvent(
            name=_name(event["detail"]["alarmName"]),
            state=_state(state["value"]),
            since=_seconds(state["timestamp"]),
            reason=_sound(str(state.get("reason", "no reason given")))[:_REASON_CHARACTERS],
            rehearsal_of=_rehearsal(state.get("reasonData")),
        )
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as fault:
        raise BadInput((f"alarm event cannot be read: {type(fault).__name__}: {fault}; got {body[:300]!r}",)) from None


def _name(given: Any) -> str:
    if not isinstance(given, str) or not given or given != _sound(given):
        raise ValueError(f"alarmName must be text, is {given!r}")
    return given


def _state(given: Any) -> str:
    if given not in _STATES:
        raise ValueError(f"the state must be one of {', '.join(_STATES)}, is {given!r}")
    return str(given)


def _seconds(given: Any) -> int:
    """Without its zone a time could be off by hours, and an event from before the first exposure would count."""
    at = datetime.fromisoformat(given)
    if at.tzinfo is None:
        raise ValueError(f"the timestamp must have a zone, is {given!r}")
    return int(at.timestamp())


def _sound(text: str) -> str:
    """Text that can be stored: JSON can escape half a surrogate pair, UTF-8 cannot carry it."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _rehearsal(reason_data: Any) -> str | None:
    try:
        found = json.loads(reason_data).get(REHEARSAL_KEY)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, str) else None
