"""Incidents on AWS: the failed artifact and the postmortem in the locked bucket, an OpsItem for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from sluice.aws.clients import client
from sluice.aws.shelf import S3Shelf
from sluice.core.release import Release
from sluice.postmortem import Incident

_COPIED_BYTES = 5 * 1024**3
"""What S3 copies in one call."""
_UNREADABLE = ("404", "NoSuchKey", "NoSuchBucket", "NotFound", "403", "AccessDenied")
"""Of a missing artifact: who may not list its bucket is told that access is denied."""
_GONE = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")
_TITLE_CHARACTERS, _DESCRIPTION_CHARACTERS = 1024, 2048


@dataclass(frozen=True, slots=True)
class OpsDesk:
    """`sluice.incident.Desk`. `bucket` locks what is written there."""

    bucket: str

    def preserve(self, release: Release, folder: str) -> str:
        location, key = urlsplit(release.artifact.url), f"{folder}/model.tar.gz"
        source = {"Bucket": location.netloc, "Key": location.path.lstrip("/")}
        try:
            size = client("s3").head_object(**source)["ContentLength"]
            if size > _COPIED_BYTES:
                return f"{release.artifact.url}; it is over 5 GiB and was not copied: keep it from being deleted there."
            if not self._has(key):
                client("s3").copy_object(Bucket=self.bucket, Key=key, CopySource=source, ChecksumAlgorithm="SHA256")
        except ClientError as fault:
            if fault.response["Error"]["Code"] not in _UNREADABLE:
                raise
            return f"{release.artifact.url} is gone, or may not be read; only its SHA-256 is known."
        return f"preserved, locked, as `s3://{self.bucket}/{key}` (from {release.artifact.url})."

    def file(self, folder: str, text: str) -> str:
        """The first one is kept: told again, it would differ only in what is true later."""
        key = f"{folder}/postmortem.md"
        S3Shelf(self.bucket).put(key, text)
        return f"s3://{self.bucket}/{key}"

    def open(self, incident: Incident, postmortem_at: str) -> None:
        """OpsCenter makes one item of all that carry the same word; made already is made."""
        about = {"Type": "SearchableString"}
        try:
            client("ssm").create_ops_item(
                Title=incident.title[:_TITLE_CHARACTERS],
                Description=f"{incident.outcome.because}. Postmortem: {postmortem_at}"[:_DESCRIPTION_CHARACTERS],
                Source="Sluice",
                Severity="2",
                Category="Availability",
                OperationalData={
                    "/aws/dedup": {"Value": json.dumps({"dedupString": incident.rollout.id}), **about},
                    "rollout": {"Value": incident.rollout.id, **about},
                    "release": {"Value": incident.rollout.release.digest, **about},
                    "postmortem": {"Value": postmortem_at, **about},
                },
            )
        except ClientError as fault:
            if fault.response["Error"]["Code"] != "OpsItemAlreadyExistsException":
                raise

    def _has(self, key: str) -> bool:
        try:
            client("s3").head_object(Bucket=self.bucket, Key=key)
        except ClientError as fault:
            if fault.response["Error"]["Code"] not in _GONE:
                raise
            return False
        return True
