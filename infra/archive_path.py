"""The archive of audit events: a bucket that S3 locks, fed by the table's stream. What is in it, is `sluice.archive`'s affair."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.private_bucket import keep_private
from infra.resource_names import Names
from sluice.core.record import Document
from sluice.schema import AuditSpec

STREAM_READERS = ("archive", "incident")
"""Functions that are told of every audit event, each at a pace of its own: what holds up one does not hold up the other."""
BATCH = 25
"""Events a call: one object each, a few hundred milliseconds at most."""
RECORD_SECONDS = 24 * 3600
"""As long as the stream keeps a record. One event that cannot be archived holds up those behind it, so not for ever:
given up, it goes to the dead-letter queue, which pages, and `sluice verify` names it."""


def event_filter() -> Document:
    """Audit events only, whatever happens to them: they are only ever added, so a change or a removal is tampering."""
    return {"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "V#"}]}}}}


@dataclass(frozen=True, slots=True)
class Locked:
    """The bucket, and the lock that must stand before the first event is written: what is written before stays unlocked."""

    bucket: aws.s3.Bucket
    lock: aws.s3.BucketObjectLockConfiguration


def archive_bucket(names: Names, audit: AuditSpec, *, protect: bool, parent: pulumi.Resource) -> Locked:
    """Retained always: S3 refuses to delete what is locked, and the trail must outlive whoever destroys the stack."""
    bucket = aws.s3.Bucket(
        names.archive_bucket,
        object_lock_enabled=True,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect, retain_on_delete=True),
    )
    opts = pulumi.ResourceOptions(parent=bucket, retain_on_delete=True)
    keep_private("audit", bucket, names.place, opts)
    lock = aws.s3.BucketObjectLockConfiguration("audit", bucket=bucket.bucket, rule=_lock(audit), opts=opts)
    return Locked(bucket, lock)


def archive_path(
    word: str,
    table: aws.dynamodb.Table,
    function: aws.lambda_.Function,
    archive: Locked,
    dead_letters: aws.sqs.Queue,
    parent: pulumi.Resource,
) -> None:
    """From the table's stream to the function, oldest first, from the first event on."""
    aws.lambda_.EventSourceMapping(
        word,
        event_source_arn=table.stream_arn,
        function_name=function.name,
        starting_position="TRIM_HORIZON",
        batch_size=BATCH,
        maximum_record_age_in_seconds=RECORD_SECONDS,
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
        filter_criteria=aws.lambda_.EventSourceMappingFilterCriteriaArgs(
            filters=[
                aws.lambda_.EventSourceMappingFilterCriteriaFilterArgs(
                    pattern=json.dumps(event_filter(), sort_keys=True)
                )
            ]
        ),
        destination_config=aws.lambda_.EventSourceMappingDestinationConfigArgs(
            on_failure=aws.lambda_.EventSourceMappingDestinationConfigOnFailureArgs(destination_arn=dead_letters.arn)
        ),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[archive.lock]),
    )


def _lock(audit: AuditSpec) -> aws.s3.BucketObjectLockConfigurationRuleArgs:
    """By default on every object, so that the function needs no permission about locks."""
    retention = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
        mode=audit.mode.upper(), days=audit.retention_days
    )
    return aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention)
