"""What an alarm does by itself when its state changes, as far as it is done here: telling SNS topics, as CloudWatch's message reads.

Source: CloudWatch user guide, "Notifying users on alarm changes". Autoscaling, EC2 and Systems Manager actions are not done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudwatch.models import Alarm

_CHANGE = "CloudWatch Alarm State Change"
_SUBJECT_CHARACTERS = 100


def topics_told(event: Mapping[str, Any], alarms: Mapping[str, Alarm]) -> Iterator[dict[str, str]]:
    """What SNS's Publish is called with for an event of a change: once for each topic among the actions of the new state."""
    alarm = alarms.get(event["detail"]["alarmName"]) if event["detail-type"] == _CHANGE else None
    if alarm is None or not alarm.actions_enabled:
        return
    state, before = event["detail"]["state"], event["detail"]["previousState"]
    actions = {
        "ALARM": alarm.alarm_actions,
        "OK": alarm.ok_actions,
        "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
    }
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": event["account"],
        "NewStateValue": state["value"],
        "NewStateReason": state["reason"],
        "StateChangeTime": state["timestamp"],
        "Region": event["region"],
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before["value"],
    }
    subject = f'{state["value"]}: "{alarm.name}" in {event["region"]}'[:_SUBJECT_CHARACTERS]
    for arn in actions[state["value"]] or ():
        if ":sns:" in arn:
            yield {"TopicArn": arn, "Subject": subject, "Message": json.dumps(message, indent=1)}
