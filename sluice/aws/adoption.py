"""Reading an endpoint that somebody else made, as much as taking it over must know. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.aws.clients import client
from sluice.core.adoption import FoundEndpoint

# What the configurations and models that Sluice makes carry on, or what is judged by itself. Everything else that is in use
# counts as an extra: a setting AWS adds next year must not be dropped for being unknown here.
_CARRIED_VARIANT = {"VariantName", "ModelName", "InstanceType", "InitialInstanceCount", "InitialVariantWeight"}
_CARRIED_CONFIG = {"EndpointConfigName", "EndpointConfigArn", "CreationTime", "ProductionVariants", "KmsKeyId"}
_REPLACED_CONFIG = {"DataCaptureConfig"}
"""Judged by itself: nothing is captured from now on unless `data_capture` says so."""
_CARRIED_MODEL = {"ModelName", "ModelArn", "CreationTime", "ExecutionRoleArn", "PrimaryContainer", "Containers"}
_CARRIED_CONTAINER = {"Image", "ModelDataUrl", "ModelDataSource", "Environment", "Mode", "ContainerHostname"}
_ANSWER = {"ResponseMetadata"}


def found_endpoint(endpoint: str) -> FoundEndpoint:
    """The endpoint, its configuration and, for a single variant on instances, its model."""
    described = client("sagemaker").describe_endpoint(EndpointName=endpoint)
    config = client("sagemaker").describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    configured = config["ProductionVariants"]
    only: Mapping[str, Any] = configured[0] if len(configured) == 1 else {}
    model = client("sagemaker").describe_model(ModelName=only["ModelName"]) if only.get("ModelName") else {}
    container = _container(model)
    running: Mapping[str, Any] = next(iter(described.get("ProductionVariants", [])), {}) if only else {}
    return FoundEndpoint(
        status=described["EndpointStatus"],
        variants=tuple(sorted(variant["VariantName"] for variant in configured)),
        kind=next(_kinds(config, model), None),
        extras=tuple(sorted(_extras(only, config, model, container))),
        kms_key_arn=config.get("KmsKeyId"),
        captures=_captures(config.get("DataCaptureConfig", {})),
        artifact_url=_artifact_url(container),
        images=tuple(_images(container, running)),
        environment=dict(container.get("Environment", {})),
        instance_type=only.get("InstanceType"),
        instances=running.get("DesiredInstanceCount", 0),
    )


def _captures(capture: Mapping[str, Any]) -> tuple[int, str] | None:
    if not capture.get("EnableCapture"):
        return None
    return capture["InitialSamplingPercentage"], capture["DestinationS3Uri"]


def _kinds(config: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[str]:
    variants = config["ProductionVariants"]
    if config.get("AsyncInferenceConfig"):
        yield "asynchronous"
    if any(variant.get("ServerlessConfig") for variant in variants):
        yield "serverless"
    if config.get("ShadowProductionVariants"):
        yield "an endpoint with a shadow variant"
    if any(not variant.get("ModelName") for variant in variants):
        yield "made of inference components"
    if _container(model).get("Mode") == "MultiModel":
        yield "a multi-model endpoint"
    if len(model.get("Containers", [])) > 1:
        yield "an inference pipeline of several containers"


def _container(model: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = model.get("PrimaryContainer") or next(iter(model.get("Containers", [])), {})
    return found


def _extras(
    variant: Mapping[str, Any], config: Mapping[str, Any], model: Mapping[str, Any], container: Mapping[str, Any]
) -> set[str]:
    """Settings in use, by name; what is merely false or empty is not in use."""
    carried = (
        (variant, _CARRIED_VARIANT),
        (config, _CARRIED_CONFIG | _REPLACED_CONFIG | _ANSWER),
        (model, _CARRIED_MODEL | _ANSWER),
        (container, _CARRIED_CONTAINER),
    )
    used = {key for settings, known in carried for key, value in settings.items() if value and key not in known}
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if source and (source.get("CompressionType") != "Gzip" or source.get("S3DataType") != "S3Object"):
        used.add("a ModelDataSource that is not one compressed archive")
    return used


def _artifact_url(container: Mapping[str, Any]) -> str | None:
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    url: str | None = container.get("ModelDataUrl") or source.get("S3Uri")
    return url


def _images(container: Mapping[str, Any], running: Mapping[str, Any]) -> Iterator[str]:
    """A model may name its image by tag; what SageMaker resolved it to is what serves."""
    if container.get("Image"):
        yield container["Image"]
    for deployed in running.get("DeployedImages", []):
        if deployed.get("ResolvedImage"):
            yield deployed["ResolvedImage"]
