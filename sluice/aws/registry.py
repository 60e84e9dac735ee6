"""The model registry, read. Each look tries once and for seconds at most: nothing that watches a canary may wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sluice.aws.clients import once
from sluice.core.observation import ModelPackage

_UNKNOWN = ("ValidationException", "ValidationError", "ResourceNotFound")
"""What SageMaker answers for a model package that it does not know."""


class SageMakerRegistry:
    """`sluice.ports.Registry` by DescribeModelPackage."""

    def entry(self, package_arn: str) -> ModelPackage:
        try:
            found = once("sagemaker").describe_model_package(ModelPackageName=package_arn)
        except ClientError as fault:
            if fault.response["Error"]["Code"] not in _UNKNOWN:
                raise
            return ModelPackage(None, fault.response["Error"].get("Message", "it is not known"))
        containers = found.get("InferenceSpecification", {}).get("Containers", [])
        only = containers[0] if len(containers) == 1 else {}
        return ModelPackage(
            status=found.get("ModelApprovalStatus", "without a status"),
            note=found.get("ApprovalDescription") or "",
            containers=len(containers),
            archive=_archive(only),
            image=_image(only),
        )


def _archive(container: Mapping[str, Any]) -> str | None:
    found: str | None = container.get("ModelDataUrl")
    return found or container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")


def _image(container: Mapping[str, Any]) -> str | None:
    """Pinned where the registry knows the digest, whichever of the two ways it says it."""
    image: str | None = container.get("Image")
    digest: str | None = container.get("ImageDigest")
    if image is None or "@" in image or not digest:
        return image
    return f"{image}@{digest}"
