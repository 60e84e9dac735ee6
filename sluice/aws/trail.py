"""The audit trail as it lies in the table and in the archive, read as an auditor: raw, so that damage is seen and named."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime
from typing import Any

from sluice.aws.clients import client
from sluice.core.record import Document
from sluice.core.trail import Archive, Kept

_EVENT = re.compile(r"events/.+/(\d{9})\.json")
_EVIDENCE = re.compile(r"tampering/.+/(\d{9})-(\w+)-.+\.json")


def table_trail(table: str, endpoint: str) -> tuple[Kept, ...]:
    """Every stored event by its key, in the order of the keys."""
    pages = (
        client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues={":pk": {"S": f"E#{endpoint}"}, ":event": {"S": "V#"}},
            ConsistentRead=True,
        )
    )
    return tuple(
        Kept(_number(item["sk"]["S"].removeprefix("V#")), _document(item.get("document", {}).get("S")))
        for page in pages
        for item in page["Items"]
    )


def table_time(table: str, endpoint: str) -> int:
    """What time it is where the records are, in seconds since the epoch: DynamoDB's own word, not the clock of whoever asks.

    A laptop's clock may be wrong by minutes, and a served sandbox has a time of its own.
    """
    key = {"pk": {"S": f"E#{endpoint}"}, "sk": {"S": "HEAD"}}
    answer = client("dynamodb").get_item(TableName=table, Key=key, ProjectionExpression="pk")
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return int(parsedate_to_datetime(said).timestamp()) if said else int(time.time())


def archived_trail(bucket: str, endpoint: str) -> Archive:
    """Every version of every archived event, oldest first: what was written over a locked object is another version."""
    versions, marked = _versions(bucket, f"events/{endpoint}/")
    kept = tuple(
        Kept(int(found[1]), _document(_body(bucket, version)))
        for version in versions
        if (found := _EVENT.fullmatch(version["Key"]))
    )
    evidence, _ = _versions(bucket, f"tampering/{endpoint}/")
    witnessed = tuple(
        (int(found[1]), found[2]) for version in evidence if (found := _EVIDENCE.fullmatch(version["Key"]))
    )
    numbers = tuple(int(found[1]) for marker in marked if (found := _EVENT.fullmatch(marker["Key"])))
    return Archive(kept, numbers, witnessed)


def archive_bucket_of(function: str) -> str:
    """The bucket a stack's archive function writes to."""
    settings = client("lambda").get_function_configuration(FunctionName=function)
    bucket: str = settings["Environment"]["Variables"]["SLUICE_ARCHIVE"]
    return bucket


def _versions(bucket: str, prefix: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    versions: list[dict[str, Any]] = []
    markers: list[dict[str, Any]] = []
    for page in client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        versions += page.get("Versions", [])
        markers += page.get("DeleteMarkers", [])
    return _oldest_first(versions), markers


def _oldest_first(versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """S3 lists the versions of a key newest first; its times have whole seconds only."""
    backwards = versions[::-1]
    return sorted(backwards, key=lambda version: str(version["Key"]))


def _body(bucket: str, version: dict[str, Any]) -> str:
    answer = client("s3").get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    body: bytes = answer["Body"].read()
    return body.decode("utf-8", "replace")


def _number(text: str) -> int:
    """The number in a key; 0, which no event has, for a key somebody made up."""
    return int(text) if text.isdecimal() else 0


def _document(text: str | None) -> Document | None:
    try:
        found = json.loads(text or "", parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
