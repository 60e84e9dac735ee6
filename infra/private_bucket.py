"""What every bucket of a stack has: nobody's but this account's, encrypted, and reached over TLS only."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.iam_documents import Document, document, text
from infra.place import Place


def keep_private(word: str, bucket: aws.s3.Bucket, place: Place, opts: pulumi.ResourceOptions) -> None:
    """Registered as `word`. The key is S3's own, on purpose: a customer's key that is disabled must not lose evidence."""
    block = aws.s3.BucketPublicAccessBlock(
        word,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    encryption = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256"
    )
    rule = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(apply_server_side_encryption_by_default=encryption)
    aws.s3.BucketServerSideEncryptionConfiguration(word, bucket=bucket.bucket, rules=[rule], opts=opts)
    aws.s3.BucketPolicy(
        word,
        bucket=bucket.bucket,
        policy=bucket.bucket.apply(lambda name: text(tls_only(place.bucket_arn(name)))),
        # S3 takes one change of who may reach a bucket at a time.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[block])),
    )


def tls_only(bucket_arn: str) -> Document:
    """Whoever asks in clear text is refused, whatever else allows it."""
    return document(
        {
            "Sid": "OverTlsOnly",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["s3:*"],
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )
