"""The locked bucket of audit events, and the records of the table's stream. What is kept when, is `sluice.archive`'s affair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sluice.archive import StreamRecord
from sluice.aws.clients import client

_THERE = ("PreconditionFailed", "412")


@dataclass(frozen=True, slots=True)
class S3Shelf:
    """`sluice.archive.Shelf` on one bucket. The lock is the bucket's default, so it needs no permission of its own."""

    bucket: str

    def put(self, key: str, text: str) -> bool:
        """Only if nothing is there: a conditional write, so that two deliveries at once make one object."""
        try:
            client("s3").put_object(
                Bucket=self.bucket,
                Key=key,
                Body=text.encode(),
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
            )
        except ClientError as fault:
            if fault.response["Error"]["Code"] in _THERE:
                return False
            raise
        return True

    def get(self, key: str) -> str:
        body: bytes = client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body.decode()


def parse_stream_record(record: dict[str, Any]) -> StreamRecord:
    """A record as Lambda hands it over; the mapping's filter lets only audit events through."""
    told = record["dynamodb"]
    keys, image = told["Keys"], told.get("NewImage")
    return StreamRecord(
        position=told["SequenceNumber"],
        endpoint=keys["pk"]["S"].removeprefix("E#"),
        seq=int(keys["sk"]["S"].removeprefix("V#")),
        happened=record["eventName"],
        text=image["document"]["S"] if image else None,
    )
