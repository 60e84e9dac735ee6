"""SageMaker endpoints: reading them, and the calls that create configurations and move traffic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from sluice.aws.adoption import found_endpoint
from sluice.aws.clients import client, once
from sluice.core.actions import EnsureConfig, EnsureModel, SetInstances, SetWeights
from sluice.core.adoption import FoundEndpoint
from sluice.core.errors import EndpointBusy
from sluice.core.observation import DELETED, ConfiguredVariant, EndpointFacts, SmokeFacts, Variant
from sluice.core.release import Release, release_from_tags

BUSY_TEXT = "Cannot update in-progress endpoint"
_UNKNOWN = "Could not find endpoint"
_EXISTS = ("Cannot create already existing", "already exists")


@dataclass(frozen=True, slots=True)
class SageMakerEndpoints:
    """`sluice.ports.Endpoints` on boto3."""

    def describe(self, endpoint: str) -> EndpointFacts:
        try:
            found = client("sagemaker").describe_endpoint(EndpointName=endpoint)
        except ClientError as fault:
            if _UNKNOWN not in fault.response["Error"]["Message"]:
                raise
            return EndpointFacts(DELETED, "", 0, None, {})
        return EndpointFacts(
            status=found["EndpointStatus"],
            config_name=found["EndpointConfigName"],
            last_modified_at=int(found["LastModifiedTime"].timestamp()),
            failure_reason=found.get("FailureReason"),
            variants={variant["VariantName"]: _variant(variant) for variant in found.get("ProductionVariants", [])},
        )

    def configured(self, config_name: str) -> Mapping[str, ConfiguredVariant]:
        found = client("sagemaker").describe_endpoint_config(EndpointConfigName=config_name)
        return {
            variant["VariantName"]: ConfiguredVariant(variant["ModelName"], variant["InstanceType"])
            for variant in found["ProductionVariants"]
        }

    def release_of(self, config_name: str) -> Release:
        arn = client("sagemaker").describe_endpoint_config(EndpointConfigName=config_name)["EndpointConfigArn"]
        pages = client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=arn)
        return release_from_tags({tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]})

    def found(self, endpoint: str) -> FoundEndpoint:
        return found_endpoint(endpoint)

    def ensure_model(self, action: EnsureModel) -> None:
        release, settings = action.release, action.settings
        container = {
            "Image": release.image,
            "ModelDataUrl": release.artifact.url,
            "Environment": dict(release.environment),
        }
        _unless_it_exists(
            lambda: client("sagemaker").create_model(
                ModelName=action.name,
                PrimaryContainer=container,
                ExecutionRoleArn=settings.execution_role_arn,
                Tags=_tags({**settings.tags, "sluice:release-digest": release.digest}),
            )
        )

    def ensure_config(self, action: EnsureConfig) -> None:
        request: dict[str, Any] = {
            "EndpointConfigName": action.name,
            "ProductionVariants": [
                {
                    "VariantName": variant.slot,
                    "ModelName": variant.model_name,
                    "InstanceType": variant.instance_type,
                    "InitialInstanceCount": variant.instances,
                    "InitialVariantWeight": float(variant.weight),
                }
                for variant in action.variants
            ],
            "Tags": _tags(action.settings.tags),
        }
        if action.settings.data_capture is not None:
            request["DataCaptureConfig"] = dict(action.settings.data_capture)
        if action.settings.kms_key_arn is not None:
            request["KmsKeyId"] = action.settings.kms_key_arn
        _unless_it_exists(lambda: client("sagemaker").create_endpoint_config(**request))

    def update(self, endpoint: str, config_name: str) -> None:
        """Retention keeps live weights and counts by variant name; DeploymentConfig needs equal variant sets, so none is given."""
        _unless_busy(
            lambda: once("sagemaker").update_endpoint(
                EndpointName=endpoint, EndpointConfigName=config_name, RetainAllVariantProperties=True
            )
        )

    def set_weights(self, action: SetWeights) -> None:
        """Parts are sent as they are: whole numbers are exact in the API's float32."""
        wanted = [{"VariantName": slot, "DesiredWeight": float(parts)} for slot, parts in sorted(action.parts.items())]
        _unless_busy(
            lambda: once("sagemaker").update_endpoint_weights_and_capacities(
                EndpointName=action.endpoint, DesiredWeightsAndCapacities=wanted
            )
        )

    def set_instances(self, action: SetInstances) -> None:
        wanted = [{"VariantName": action.slot, "DesiredInstanceCount": action.instances}]
        _unless_busy(
            lambda: once("sagemaker").update_endpoint_weights_and_capacities(
                EndpointName=action.endpoint, DesiredWeightsAndCapacities=wanted
            )
        )

    def smoke(self, endpoint: str, slot: str, release: Release) -> SmokeFacts:
        for i, body in enumerate(release.smoke.inputs):
            try:
                answer = client("sagemaker-runtime").invoke_endpoint(
                    EndpointName=endpoint,
                    TargetVariant=slot,
                    ContentType=release.smoke.content_type,
                    Accept=release.smoke.accept,
                    Body=body.encode(),
                )
            except ClientError as fault:
                if fault.response["Error"]["Code"] != "ModelError":
                    raise
                return SmokeFacts(f"sample input {i} of {release.name}: {fault.response['Error']['Message'][:300]}")
            except ReadTimeoutError:
                return SmokeFacts(
                    f"sample input {i} of {release.name} was tried more than once and got no answer in time"
                )
            if answer["InvokedProductionVariant"] != slot:
                return SmokeFacts(
                    f"sample input {i} was answered by {answer['InvokedProductionVariant']}, not by {slot}"
                )
            if not answer["Body"].read():
                return SmokeFacts(f"sample input {i} of {release.name} got an empty answer")
        return SmokeFacts(None)


def _variant(found: Mapping[str, Any]) -> Variant:
    return Variant(
        current_weight=found.get("CurrentWeight", 0.0),
        desired_weight=found.get("DesiredWeight", found.get("CurrentWeight", 0.0)),
        current_instances=found.get("CurrentInstanceCount", 0),
        desired_instances=found.get("DesiredInstanceCount", 0),
    )


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _unless_it_exists(create: Callable[[], object]) -> None:
    """Names are content-addressed: what exists under the name is what was wanted."""
    try:
        create()
    except ClientError as fault:
        if not any(text in fault.response["Error"]["Message"] for text in _EXISTS):
            raise


def _unless_busy(call: Callable[[], object]) -> None:
    """SageMaker has no error code of its own for a busy endpoint, only this sentence in a ValidationException."""
    try:
        call()
    except ClientError as fault:
        if BUSY_TEXT in fault.response["Error"]["Message"]:
            raise EndpointBusy(fault.response["Error"]["Message"]) from None
        raise
