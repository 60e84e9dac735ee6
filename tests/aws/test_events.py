"""Events as AWS sends them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.aws.events import parse_alarm_event
from sluice.core.errors import BadInput
from sluice.core.reaction import AlarmEvent

EVENTS = Path(__file__).parent / "events"
AT = 1795255480
NAME = "sluice/sluice/test/shop/green/errors"


def event(name: str, **reason_data: object) -> str:
    document = json.loads((EVENTS / name).read_text())
    if reason_data:
        document["detail"]["state"]["reasonData"] = json.dumps(reason_data)
    return json.dumps(document)


def test_a_math_alarms_event_is_read_to_the_second() -> None:
    parsed = parse_alarm_event(event("alarm_math.json"))

    assert parsed is not None
    assert (parsed.name, parsed.state, parsed.since, parsed.rehearsal_of) == (NAME, "ALARM", AT, None)


def test_a_state_set_by_hand_has_no_reason_data() -> None:
    assert parse_alarm_event(event("alarm_set_by_hand.json")) == AlarmEvent(NAME, "ALARM", AT, "trying it out", None)


def test_a_rehearsal_is_marked_in_the_reason_data() -> None:
    parsed = parse_alarm_event(event("alarm_set_by_hand.json", sluiceRehearsal="shop-1"))

    assert parsed is not None
    assert parsed.rehearsal_of == "shop-1"


@pytest.mark.parametrize("reason_data", ["not json", "[]", "null", '{"sluiceRehearsal": 5}'])
def test_odd_reason_data_is_no_rehearsal(reason_data: str) -> None:
    document = json.loads((EVENTS / "alarm_set_by_hand.json").read_text())
    document["detail"]["state"]["reasonData"] = reason_data

    parsed = parse_alarm_event(json.dumps(document))

    assert parsed is not None
    assert parsed.rehearsal_of is None


def test_another_kind_of_event_is_somebody_elses() -> None:
    assert parse_alarm_event('{"source": "aws.sagemaker", "detail-type": "x"}') is None


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '{"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": {}}',
        '{"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",'
        ' "detail": {"alarmName": "a", "state": {"value": "ALARM", "timestamp": "yesterday"}}}',
    ],
)
def test_a_broken_event_is_refused_with_what_was_given(body: str) -> None:
    with pytest.raises(BadInput, match=r"alarm event cannot be read: \w+: .*; got"):
        parse_alarm_event(body)
