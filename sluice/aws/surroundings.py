"""The smaller neighbours: model archives in S3, the Step Functions clock, the champion parameter."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from sluice.aws.clients import client
from sluice.core.actions import StartClock
from sluice.core.release import Release


@dataclass(frozen=True, slots=True)
class S3Artifacts:
    """`sluice.ports.Artifacts`: the checksum S3 computed, never an ETag."""

    def faults(self, release: Release) -> tuple[str, ...]:
        url = release.artifact.url
        location = urlsplit(url)
        try:
            found = client("s3").head_object(
                Bucket=location.netloc, Key=location.path.lstrip("/"), ChecksumMode="ENABLED"
            )
        except ClientError as fault:
            if fault.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchBucket", "NotFound"):
                return (f"the artifact of {release.name} is gone: {url}",)
            raise
        checksum = found.get("ChecksumSHA256")
        if checksum is None:
            return (
                f"the artifact of {release.name} has no SHA-256 in S3: upload {url} with `--checksum-algorithm SHA256`",
            )
        if "-" in checksum:  # <checksum of the parts' checksums>-<number of parts>
            return (
                f"the artifact of {release.name} was uploaded in parts, so S3 knows no SHA-256 of the whole: upload {url} in one piece "
                "with `aws s3api put-object --checksum-algorithm SHA256` (`aws s3 cp` takes more than 8 MB apart)",
            )
        actual = base64.b64decode(checksum).hex()
        if actual != release.artifact.sha256:
            return (
                f"the artifact of {release.name} was changed: {url} has SHA-256 {actual[:12]}, not {release.artifact.sha256[:12]}",
            )
        return ()


@dataclass(frozen=True, slots=True)
class StepFunctionsClocks:
    """`sluice.ports.Clocks`: one Standard execution per rollout and generation; its name makes starting idempotent."""

    machine_arn: str

    def start(self, action: StartClock) -> None:
        generation = int(action.name.rpartition("-g")[2])
        payload = {"endpoint": action.endpoint, "rollout": action.rollout_id, "generation": generation, "ticks": 0}
        try:
            client("stepfunctions").start_execution(
                stateMachineArn=self.machine_arn, name=action.name, input=json.dumps(payload, sort_keys=True)
            )
        except ClientError as fault:
            if fault.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    def runs(self, name: str) -> bool:
        arn = f"{self.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            status: str = client("stepfunctions").describe_execution(executionArn=arn)["status"]
        except ClientError as fault:
            if fault.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return False
        return status == "RUNNING"


@dataclass(frozen=True, slots=True)
class ParameterMirrors:
    """`sluice.ports.Mirrors`: one SSM parameter per endpoint."""

    root: str

    def write(self, endpoint: str, document: Mapping[str, str | int | None]) -> None:
        text = json.dumps(document, sort_keys=True)
        client("ssm").put_parameter(Name=self.root + endpoint, Value=text, Type="String", Overwrite=True)

    def read(self, endpoint: str) -> Mapping[str, str | int | None] | None:
        try:
            text = client("ssm").get_parameter(Name=self.root + endpoint)["Parameter"]["Value"]
        except ClientError as fault:
            if fault.response["Error"]["Code"] != "ParameterNotFound":
                raise
            return None
        document: Mapping[str, str | int | None] = json.loads(text)
        return document


def wall_clock() -> int:
    """`sluice.ports.Time`."""
    return int(time.time())
