"""For each rule a program that follows it and one that breaks it, as an application team might write them."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving@sha256:abc"
CAPTURE: dict[str, Any] = {
    "enable_capture": True,
    "initial_sampling_percentage": 100,
    "destination_s3_uri": "s3://captures/shop",
    "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
}
LEFT_ALONE = pulumi.ResourceOptions(ignore_changes=["*"], retain_on_delete=True)


def variant(name: str = "blue", weight: float = 1) -> dict[str, Any]:
    return {
        "variant_name": name,
        "model_name": "shop-v1",
        "instance_type": "ml.m5.large",
        "initial_instance_count": 1,
        "initial_variant_weight": weight,
    }


def configuration(*variants: dict[str, Any], **more: Any) -> aws.sagemaker.EndpointConfiguration:
    return aws.sagemaker.EndpointConfiguration("first", production_variants=list(variants) or [variant()], **more)


def document(action: str, resource: str = "arn:aws:s3:::reports/*", **more: Any) -> str:
    statement = {"Sid": "Only", "Effect": "Allow", "Action": [action], "Resource": [resource], **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def endpoint_that_stays() -> None:
    options = pulumi.ResourceOptions(protect=True, ignore_changes=["endpoint_config_name"])
    aws.sagemaker.Endpoint("shop", endpoint_config_name=configuration().name, opts=options)


def endpoint_that_follows() -> None:
    aws.sagemaker.Endpoint("shop", endpoint_config_name=configuration().name)


def bootstrap_pair_left_alone() -> None:
    container = {"image": IMAGE, "model_data_url": "s3://models/1/model.tar.gz"}
    role = "arn:aws:iam::123456789012:role/serve"
    aws.sagemaker.Model("first", execution_role_arn=role, primary_container=container, opts=LEFT_ALONE)
    configuration(opts=LEFT_ALONE)


def bootstrap_pair_half_ignored() -> None:
    configuration(opts=pulumi.ResourceOptions(ignore_changes=["production_variants"], delete_before_replace=True))


def one_variant() -> None:
    configuration()


def two_variants() -> None:
    configuration(variant("blue", 0.9), variant("green", 0.1))


def alarm_that_says_what_silence_means() -> None:
    alarm(treat_missing_data="breaching")


def alarm_without_a_word() -> None:
    alarm()


def alarm(**more: Any) -> None:
    aws.cloudwatch.MetricAlarm(
        "late",
        namespace="Shop",
        metric_name="Late",
        statistic="Sum",
        period=60,
        evaluation_periods=1,
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        **more,
    )


def permission_for_one_thing() -> None:
    aws.iam.RolePolicy("reports", role="reports", policy=document("s3:GetObject"))


def permission_for_everything() -> None:
    aws.iam.RolePolicy("reports", role="reports", policy=document("s3:*", "*"))


def captured() -> None:
    configuration(data_capture_config=CAPTURE)


def not_captured() -> None:
    configuration(data_capture_config={**CAPTURE, "enable_capture": False})


def private_encrypted_bucket() -> None:
    """The bucket's name is Pulumi's: what refers to it is known by the reference alone in a preview."""
    bucket = aws.s3.Bucket("captures")
    aws.s3.BucketPublicAccessBlock(
        "captures",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        "captures",
        bucket=bucket.id,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
    )


def bare_bucket() -> None:
    """Beside another one that has everything."""
    private_encrypted_bucket()
    aws.s3.Bucket("reports")


PROGRAMS = {
    "endpoint-protected": (endpoint_that_stays, endpoint_that_follows),
    "bootstrap-left-alone": (bootstrap_pair_left_alone, bootstrap_pair_half_ignored),
    "rollback-path-complete": (one_variant, endpoint_that_stays),  # complete ones: see test_rollback_path
    "weights-left-to-sluice": (one_variant, two_variants),
    "missing-data-chosen": (alarm_that_says_what_silence_means, alarm_without_a_word),
    "no-wildcard-iam": (permission_for_one_thing, permission_for_everything),
    "data-captured": (captured, not_captured),
    "stores-encrypted": (private_encrypted_bucket, bare_bucket),
    "buckets-private": (private_encrypted_bucket, bare_bucket),
}
"""Rule -> the program that follows it, the program that breaks it."""
