"""The stream's function: audit events from the table to the locked bucket, and to those who are told of them.

What could not be kept or posted is handed over again.
"""

from __future__ import annotations

import json
import os
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.reporting import report
from sluice.archive import archive
from sluice.aws.shelf import S3Shelf, parse_stream_record
from sluice.aws.telling import SqsOutbox
from sluice.core.audit import Event
from sluice.core.record import decode
from sluice.notify import post

_COUNTED = {"submitted": "Submitted", "settled": "Settled", "rolled_back": "RolledBack", "failed": "Failed"}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers the stream's poller with the record to begin again at; the order of events is kept by that."""
    records = [parse_stream_record(record) for record in event["Records"]]
    posted = post(SqsOutbox(os.environ["SLUICE_OUTBOX"]), records)  # first: people must not wait for a bucket
    done = archive(S3Shelf(os.environ["SLUICE_ARCHIVE"]), records)
    for text in done.new:
        _tell(decode(Event, json.loads(text)))
    for sentence in done.tampered:
        report(sentence, {"Tampered": ("Count", 1)}, faults=(sentence,))
    for sentence in posted.unreadable:
        report(sentence, {"NotTold": ("Count", 1)}, faults=(sentence,))
    failed = [(at, fault) for at, fault in ((posted.failed, posted.fault), (done.failed, done.fault)) if at]
    for at, fault in failed:
        Logger().error(f"record {at} is handed over again: {type(fault).__name__}: {fault}")
    return {"batchItemFailures": [{"itemIdentifier": at} for at, _ in failed]}


def _tell(event: Event) -> None:
    """One log line an event, and what is counted: here, because here each event comes by once, whoever made it."""
    counted = {"Archived": ("Count", 1.0)}
    if event.kind in _COUNTED:
        counted[_COUNTED[event.kind]] = ("Count", 1.0)
    latch = event.change["set"].get("live\tlatch")
    if isinstance(latch, dict) and latch["harmful"]:
        counted["Saves"] = ("Count", 1.0)
    more: dict[str, str | int] = {"seq": event.seq, "kind": event.kind, "by": event.by, "because": event.because}
    report(event.because, counted, endpoint=event.endpoint, rollout=event.rollout, more=more)
