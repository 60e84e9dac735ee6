"""The bucket for captured requests and answers: private, encrypted, emptied by itself."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.private_bucket import keep_private
from infra.resource_names import Names

CAPTURE_DAYS = 30
"""Long enough to label and to investigate, short enough not to become an archive of customers' requests."""
ABANDONED_UPLOAD_DAYS = 1


def capture_bucket(names: Names, *, protect: bool, retained: bool, parent: pulumi.Resource) -> aws.s3.Bucket:
    """Unprotected, it is deleted with what is in it; protected, S3 refuses while anything is in it. Retained, when an
    adopted endpoint outlives the stack and goes on writing to it: as private as before, and emptied as before.
    """
    bucket = aws.s3.Bucket(
        names.capture_bucket,
        force_destroy=not protect,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect, retain_on_delete=retained),
    )
    opts = pulumi.ResourceOptions(parent=bucket, retain_on_delete=retained)
    keep_private("capture", bucket, names.place, opts)
    aws.s3.BucketLifecycleConfiguration("capture", bucket=bucket.bucket, rules=[_expiry()], opts=opts)
    return bucket


def _expiry() -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="expire",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=CAPTURE_DAYS),
        abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=ABANDONED_UPLOAD_DAYS
        ),
    )
