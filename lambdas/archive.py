"""The stream's function: audit events from the table to the locked bucket. What could not be kept is handed over again."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.reporting import report
from sluice.archive import archive
from sluice.aws.shelf import S3Shelf, parse_stream_record


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers the stream's poller with the record to begin again at; the order of events is kept by that."""
    done = archive(S3Shelf(os.environ["SLUICE_ARCHIVE"]), map(parse_stream_record, event["Records"]))
    sentence = "; ".join(done.tampered) or f"{done.kept} events kept"
    report(
        sentence, {"Archived": ("Count", done.kept), "Tampered": ("Count", len(done.tampered))}, faults=done.tampered
    )
    if done.failed is None:
        return {"batchItemFailures": []}
    Logger().error(f"record {done.failed} is handed over again: {type(done.fault).__name__}: {done.fault}")
    return {"batchItemFailures": [{"itemIdentifier": done.failed}]}
