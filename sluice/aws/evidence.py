"""The rows behind decisions, compressed and under their own digest in the bucket that also holds the archived events."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from botocore.exceptions import ClientError

from sluice.aws.clients import client, once

ROWS = "rows/"
"""Prefix of the keys; `infra` lets the tick write there and nowhere else."""
_THERE = ("PreconditionFailed", "412")


def evidence_key(digest: str) -> str:
    return f"{ROWS}{digest}.json.gz"


@dataclass(frozen=True, slots=True)
class S3Evidence:
    """`sluice.ports.Evidence` on one bucket."""

    bucket: str

    def keep(self, digest: str, text: str) -> None:
        """Only if nothing is there: the key says what the content is. Tried once and briefly: nothing waits for it."""
        try:
            once("s3").put_object(
                Bucket=self.bucket,
                Key=evidence_key(digest),
                Body=gzip.compress(text.encode(), mtime=0),
                ContentType="application/json",
                ContentEncoding="gzip",
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
            )
        except ClientError as fault:
            if fault.response["Error"]["Code"] not in _THERE:
                raise


def read_evidence(bucket: str, digest: str) -> str:
    """The text that was kept under a digest."""
    body: bytes = client("s3").get_object(Bucket=bucket, Key=evidence_key(digest))["Body"].read()
    return gzip.decompress(body).decode()
