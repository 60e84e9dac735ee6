"""The model registry on moto, and what moto's registry does not have."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from sluice.aws.clients import once
from sluice.aws.registry import SageMakerRegistry
from sluice.core.observation import ModelPackage
from sluice.sandbox.faultbook.registry_faults import register

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/triage/1"
URL = "s3://models/v2.tar.gz"
DIGEST = "sha256:" + "a" * 64


def registered() -> str:
    return register({"image": "repo:1", "artifact": {"url": URL}}, "Approved")


def test_an_entry_says_its_status_its_archive_and_its_image() -> None:
    arn = registered()

    assert SageMakerRegistry().entry(arn) == ModelPackage("Approved", "", 1, URL, "repo:1")


def test_the_note_of_who_rejected_it_is_read() -> None:
    arn = registered()
    boto3.client("sagemaker").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="biased"
    )

    found = SageMakerRegistry().entry(arn)

    assert (found.status, found.note) == ("Rejected", "biased")


@pytest.mark.parametrize(
    ("container", "image"),
    [
        ({"Image": "repo:1", "ImageDigest": DIGEST}, f"repo:1@{DIGEST}"),
        ({"Image": f"repo@{DIGEST}", "ImageDigest": "sha256:other"}, f"repo@{DIGEST}"),
        ({}, None),
    ],
)
def test_the_image_is_pinned_where_the_registry_knows_how(container: dict[str, str], image: str | None) -> None:
    assert answered([container]).image == image


def test_an_archive_may_be_named_as_a_data_source() -> None:
    source = {"S3DataSource": {"S3Uri": URL, "S3DataType": "S3Object", "CompressionType": "Gzip"}}

    assert answered([{"Image": "repo:1", "ModelDataSource": source}]).archive == URL


def test_several_containers_are_counted_and_none_is_taken_for_the_model() -> None:
    assert answered([{"Image": "a"}, {"Image": "b"}]) == ModelPackage("Approved", "", 2)


def test_an_entry_that_does_not_exist_has_no_status() -> None:
    found = SageMakerRegistry().entry(ARN)

    assert found.status is None
    assert "triage/1" in found.note


def test_what_else_goes_wrong_is_raised() -> None:
    with Stubber(once("sagemaker")) as stub:
        stub.add_client_error("describe_model_package", "ThrottlingException")

        with pytest.raises(ClientError, match="ThrottlingException"):
            SageMakerRegistry().entry(ARN)


def answered(containers: list[dict[str, Any]]) -> ModelPackage:
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    answer = {
        "ModelPackageName": "triage",
        "ModelPackageArn": ARN,
        "CreationTime": 0,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {"Containers": containers, **types},
    }
    with Stubber(once("sagemaker")) as stub:
        stub.add_response("describe_model_package", answer, {"ModelPackageName": ARN})
        return SageMakerRegistry().entry(ARN)
