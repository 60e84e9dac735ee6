"""The stream's other function: an incident for each release that was taken back. What failed is handed over again."""

from __future__ import annotations

import json
import os
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.reporting import report
from sluice.aws.incidents import OpsDesk
from sluice.aws.shelf import parse_stream_record
from sluice.aws.wiring import ports
from sluice.core.audit import Event
from sluice.core.record import decode
from sluice.incident import on_event


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers the stream's poller with the record to begin again at. Its own place in the stream holds up nobody else."""
    for given in event["Records"]:
        record = parse_stream_record(given)
        if record.text is None:
            continue
        try:
            _handle(decode(Event, json.loads(record.text)))
        except Exception:
            Logger().exception(f"record {record.position} is handed over again")
            return {"batchItemFailures": [{"itemIdentifier": record.position}]}
    return {"batchItemFailures": []}


def _handle(event: Event) -> None:
    sentence = on_event(ports(), OpsDesk(os.environ["SLUICE_ARCHIVE"]), event)
    if sentence is not None:
        report(sentence, {"Incidents": ("Count", 1)}, endpoint=event.endpoint, rollout=event.rollout)
