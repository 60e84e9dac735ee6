"""Whatever lies in the queue: an alarm event, somebody else's event, or a sentence. Never another error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.aws.events import parse_alarm_event
from sluice.core.errors import BadInput
from sluice.core.reaction import AlarmEvent
from sluice.core.record import canonical, encode
from tests.schema.documents import JSON, PROPERTY, mutated

EVENT = json.loads((Path(__file__).parent / "events" / "alarm_math.json").read_text())
STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


def event(**state: Any) -> str:
    changed = {**EVENT["detail"]["state"], **state}
    return json.dumps({**EVENT, "detail": {**EVENT["detail"], "state": changed}})


def named(name: Any) -> str:
    return json.dumps({**EVENT, "detail": {**EVENT["detail"], "alarmName": name}})


def is_handled(body: str | bytes) -> bool:
    """Read completely, left to others, or refused in a sentence that shows what was given."""
    try:
        found = parse_alarm_event(body)
    except BadInput as refused:
        return len(refused.faults) == 1 and refused.faults[0].startswith("alarm event cannot be read: ")
    return found is None or _is_storable(found)


def _is_storable(found: AlarmEvent) -> bool:
    canonical(encode(found)).encode()
    return bool(found.name) and found.state in STATES and len(found.reason) <= 1023


@PROPERTY
@given(st.binary())
def test_any_bytes_are_handled(body: bytes) -> None:
    assert is_handled(body)


@PROPERTY
@given(st.text())
def test_any_text_is_handled(body: str) -> None:
    assert is_handled(body)


@PROPERTY
@given(JSON)
def test_any_json_is_handled(document: Any) -> None:
    assert is_handled(json.dumps(document))


@PROPERTY
@given(mutated(EVENT))
def test_any_change_of_a_real_event_is_handled(document: Any) -> None:
    assert is_handled(json.dumps(document))


@PROPERTY
@given(JSON, JSON, JSON | st.text(), JSON)
def test_any_state_is_handled(value: Any, reason: Any, timestamp: Any, reason_data: Any) -> None:
    assert is_handled(event(value=value, reason=reason, timestamp=timestamp, reasonData=reason_data))


@PROPERTY
@given(st.datetimes().map(str) | st.datetimes(timezones=st.timezones()).map(str))
def test_any_time_is_handled(timestamp: str) -> None:
    assert is_handled(event(timestamp=timestamp))


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"detail":' * 100_000])
def test_nesting_without_end_is_refused(nested: str) -> None:
    with pytest.raises(BadInput, match="alarm event cannot be read: "):
        parse_alarm_event(nested)


def test_reason_data_nested_without_end_is_no_rehearsal() -> None:
    found = parse_alarm_event(event(reasonData="[" * 100_000))

    assert found is not None
    assert found.rehearsal_of is None


@pytest.mark.parametrize("name", [None, 5, "", ["sluice"], "half \ud800"])
def test_an_alarm_without_a_usable_name_is_refused(name: Any) -> None:
    with pytest.raises(BadInput, match="alarmName must be text"):
        parse_alarm_event(named(name))


@pytest.mark.parametrize("value", ["alarm", "BREACHING", None, 1])
def test_a_state_that_cloudwatch_does_not_have_is_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="the state must be one of OK, ALARM, INSUFFICIENT_DATA"):
        parse_alarm_event(event(value=value))


@pytest.mark.parametrize("timestamp", ["2026-11-21T10:04:40", "2026-11-21", 1795255480, None, "0001-01-01T00:00:00"])
def test_a_time_that_may_mean_several_moments_is_refused(timestamp: Any) -> None:
    with pytest.raises(BadInput, match="alarm event cannot be read: "):
        parse_alarm_event(event(timestamp=timestamp))


def test_a_reason_of_any_length_is_kept_as_far_as_the_table_takes_it() -> None:
    found = parse_alarm_event(event(reason="x" * 100_000 + "\ud800"))

    assert found is not None
    assert found.reason == "x" * 1023


def test_half_a_character_in_a_reason_does_not_stop_a_rollback() -> None:
    found = parse_alarm_event(event(reason="errors \ud800 rise"))

    assert found is not None
    assert found.reason == "errors ? rise"
