"""Cases of the tables in `resources.s3`."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from tests.sandbox.engine.cases.case import PUBLIC, Case
from tests.sandbox.stacks import client, policy


def bucket() -> aws.s3.Bucket:
    return aws.s3.Bucket("bucket")


def seen_object(identity: str) -> Any:
    name, _, key = identity.partition("/")
    found = client("s3").get_object(Bucket=name, Key=key, ChecksumMode="ENABLED")
    return found["Body"].read(), "ChecksumSHA256" in found


def lifecycle(days: int) -> aws.s3.BucketLifecycleConfiguration:
    rule = {"id": "capture", "status": "Enabled", "filter": {"prefix": "capture/"}, "expiration": {"days": days}}
    return aws.s3.BucketLifecycleConfiguration("x", bucket=bucket().id, rules=[rule])


def encryption(algorithm: str) -> aws.s3.BucketServerSideEncryptionConfiguration:
    rule = {"apply_server_side_encryption_by_default": {"sse_algorithm": algorithm}}
    return aws.s3.BucketServerSideEncryptionConfiguration("x", bucket=bucket().id, rules=[rule])


def lock(days: int) -> aws.s3.BucketObjectLockConfiguration:
    retention = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(mode="GOVERNANCE", days=days)
    rule = aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention)
    locked = aws.s3.Bucket("locked", object_lock_enabled=True)
    return aws.s3.BucketObjectLockConfiguration("x", bucket=locked.id, rule=rule)


def versioning(status: str) -> aws.s3.BucketVersioning:
    return aws.s3.BucketVersioning("x", bucket=bucket().id, versioning_configuration={"status": status})


def s3_object(text: str, key: str = "k", **more: Any) -> aws.s3.BucketObjectv2:
    return aws.s3.BucketObjectv2(
        "x", bucket=bucket().id, key=key, source=pulumi.StringAsset(text), checksum_algorithm="SHA256", **more
    )


CASES = (
    Case(
        "aws:s3/bucket:Bucket",
        lambda: aws.s3.Bucket("x"),
        lambda name: client("s3").head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"],
        (200, 200),
        lambda: aws.s3.Bucket("x", tags={"a": "1"}, force_destroy=True),
        lambda: aws.s3.Bucket("x", bucket="other"),
    ),
    Case(
        "aws:s3/bucketVersioning:BucketVersioning",
        lambda: versioning("Enabled"),
        lambda name: client("s3").get_bucket_versioning(Bucket=name)["Status"],
        ("Enabled", "Suspended"),
        lambda: versioning("Suspended"),
    ),
    Case(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        lambda: aws.s3.BucketPublicAccessBlock("x", bucket=bucket().id, block_public_acls=True),
        lambda name: client("s3").get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"][
            "BlockPublicPolicy"
        ],
        (False, True),
        lambda: aws.s3.BucketPublicAccessBlock(
            "x", bucket=bucket().id, block_public_acls=True, block_public_policy=True
        ),
    ),
    Case(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        lambda: lock(30),
        lambda name: client("s3").get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]["Rule"][
            "DefaultRetention"
        ]["Days"],
        (30, 60),
        lambda: lock(60),
    ),
    Case(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        lambda: encryption("AES256"),
        lambda name: client("s3").get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0][
            "ApplyServerSideEncryptionByDefault"
        ]["SSEAlgorithm"],
        ("AES256", "aws:kms"),
        lambda: encryption("aws:kms"),
    ),
    Case(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        lambda: lifecycle(30),
        lambda name: client("s3").get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]["Expiration"]["Days"],
        (30, 31),
        lambda: lifecycle(31),
    ),
    Case(
        "aws:s3/bucketPolicy:BucketPolicy",
        lambda: aws.s3.BucketPolicy("x", bucket=bucket().id, policy=policy("a", **PUBLIC)),
        lambda name: json.loads(client("s3").get_bucket_policy(Bucket=name)["Policy"]),
        (json.loads(policy("a", **PUBLIC)), json.loads(policy("b", **PUBLIC))),
        lambda: aws.s3.BucketPolicy("x", bucket=bucket().id, policy=json.loads(policy("b", **PUBLIC))),
    ),
    Case(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        lambda: s3_object("one"),
        seen_object,
        ((b"one", True), (b"two", True)),
        lambda: s3_object("two", tags={"a": "1"}),
        lambda: s3_object("two", key="other"),
    ),
    Case(
        "aws:s3/bucketObject:BucketObject",
        lambda: aws.s3.BucketObject("x", bucket=bucket().id, content="one"),
        seen_object,
        ((b"one", False), (b"two", False)),
        lambda: aws.s3.BucketObject("x", bucket=bucket().id, content="two"),
        lambda: aws.s3.BucketObject("x", bucket=bucket().id, key="other", content="two"),
    ),
)
