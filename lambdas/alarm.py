"""The fast way back: alarm events from the queue. A message that could not be handled completely is delivered again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.reporting import report
from sluice.alarm import on_alarm
from sluice.aws.events import parse_alarm_event
from sluice.aws.surroundings import wall_clock
from sluice.aws.wiring import ports
from sluice.core.errors import EndpointBusy


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers SQS with the messages to deliver again; any fault is a reason to deliver again, until the dead-letter queue pages."""
    failed = []
    for message in event["Records"]:
        try:
            _handle(message)
        except Exception:
            Logger().exception(f"message {message['messageId']} is delivered again")
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


def _handle(message: dict[str, Any]) -> None:
    alarm = parse_alarm_event(message["body"])
    if alarm is None:
        report(f"message {message['messageId']} is not an alarm's state change: ignored", {"Ignored": ("Count", 1)})
        return
    alarm = replace(alarm, taken_at=wall_clock())
    redelivered = int(message["attributes"]["ApproximateReceiveCount"]) > 1
    handled = on_alarm(ports(), alarm, redelivered=redelivered)
    for done in handled:
        waited = wall_clock() - alarm.since if isinstance(done.fault, EndpointBusy) else 0
        measured = {"AlarmsHandled": ("Count", 1.0), "BlockedSeconds": ("Seconds", waited)}
        report(done.sentence, measured, endpoint=done.endpoint, release=done.release, rollout=done.rollout)
    faults = [done.fault for done in handled if done.fault is not None]
    if faults:
        raise faults[0]
