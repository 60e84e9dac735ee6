"""What one endpoint is at a moment: its variants, its status, and how DescribeEndpoint shows them.

Values only; when and why they change is decided by `endpoints`.
"""

import hashlib
import struct
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sluice.sandbox.hosting.serving import Container

IN_SERVICE, UPDATING, CREATING, DELETING, FAILED = "InService", "Updating", "Creating", "Deleting", "Failed"


@dataclass(slots=True)
class Variant:
    """One slot of a fleet. Desired values are what was asked for, current ones what serves."""

    name: str
    model_name: str
    image: str
    container: Container
    current_weight: float
    desired_weight: float
    current_count: int
    desired_count: int
    started: datetime


@dataclass(slots=True)
class Fleet:
    """One endpoint."""

    name: str
    arn: str
    config_name: str
    created: datetime
    modified: datetime
    status: str = CREATING
    failure_reason: str | None = None
    variants: list[Variant] = field(default_factory=list)
    pending_config: str | None = None
    pending_since: datetime | None = None
    data_capture: dict[str, Any] | None = None


def float32(value: float) -> float:
    """SageMaker keeps weights as 32-bit floats: 0.1 comes back as 0.10000000149011612."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def resolved(image: str) -> str:
    """The image by digest; a tag is resolved to a digest made up from its name."""
    if "@sha256:" in image:
        return image
    repository = image.rsplit(":", 1)[0] if ":" in image.rsplit("/", 1)[-1] else image
    return f"{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def describe(fleet: Fleet) -> dict[str, Any]:
    """DescribeEndpoint's answer."""
    answer: dict[str, Any] = {
        "EndpointName": fleet.name,
        "EndpointArn": fleet.arn,
        "EndpointConfigName": fleet.config_name,
        "EndpointStatus": fleet.status,
        "CreationTime": fleet.created,
        "LastModifiedTime": fleet.modified,
    }
    if fleet.variants:
        answer["ProductionVariants"] = [_shown(variant) for variant in fleet.variants]
    if fleet.failure_reason:
        answer["FailureReason"] = fleet.failure_reason
    if fleet.data_capture:
        answer["DataCaptureConfig"] = fleet.data_capture
    if fleet.pending_config and fleet.status != CREATING:
        pending = {"EndpointConfigName": fleet.pending_config, "StartTime": fleet.pending_since}
        answer["PendingDeploymentSummary"] = pending
    return answer


def _shown(variant: Variant) -> dict[str, Any]:
    image = {
        "SpecifiedImage": variant.image,
        "ResolvedImage": resolved(variant.image),
        "ResolutionTime": variant.started,
    }
    return {
        "VariantName": variant.name,
        "DeployedImages": [image],
        "CurrentWeight": float32(variant.current_weight),
        "DesiredWeight": float32(variant.desired_weight),
        "CurrentInstanceCount": variant.current_count,
        "DesiredInstanceCount": variant.desired_count,
    }
