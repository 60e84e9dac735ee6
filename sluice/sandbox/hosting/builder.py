"""New fleets from endpoint configurations: which variants, with which weights and counts, running which containers.

Decides what a configuration and what is retained come to; when a fleet is built and takes over is left to `endpoints`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from moto.sagemaker.models import SageMakerModelBackend

from sluice.sandbox.hosting.fleet import Fleet, Variant
from sluice.sandbox.hosting.loading import Artifacts, ContainerSpec, LoadFault
from sluice.sandbox.hosting.serving import Container

RETAINED = ("DesiredInstanceCount", "DesiredWeight")
"""What RetainAllVariantProperties keeps, by variant name."""


class Dated(Protocol):
    def now(self) -> datetime: ...


class Builder:
    """Builds fleets from moto's models and configurations."""

    def __init__(
        self, clock: Dated, backend: Callable[[], SageMakerModelBackend], artifacts: Artifacts, seed: int
    ) -> None:
        self._clock = clock
        self._backend = backend
        self._artifacts = artifacts
        self._seed = seed

    def variant_names(self, config_name: str) -> set[str]:
        return {settings["VariantName"] for settings in self._config(config_name)["ProductionVariants"]}

    def starting_weights(self, fleet: Fleet | None, config_name: str, kept: Sequence[str]) -> list[float]:
        return [weight for _, weight, _ in self._planned(fleet, config_name, kept)]

    def _planned(
        self, fleet: Fleet | None, config_name: str, kept: Sequence[str]
    ) -> list[tuple[dict[str, Any], float, int]]:
        """A configuration's variants with the weight and count each starts with; a new name takes its initial ones."""
        former = {variant.name: variant for variant in fleet.variants} if fleet is not None else {}
        planned = []
        for settings in self._config(config_name)["ProductionVariants"]:
            weight, count = _initial_weight(settings), int(settings.get("InitialInstanceCount") or 1)
            before = former.get(settings["VariantName"])
            if before is not None and "DesiredWeight" in kept:
                weight = before.desired_weight
            if before is not None and "DesiredInstanceCount" in kept:
                count = before.desired_count
            planned.append((settings, weight, count))
        return planned

    def build(self, fleet: Fleet, config_name: str, kept: Sequence[str]) -> list[Variant]:
        """New containers for every variant of a configuration. LoadFault where one does not start."""
        variants = []
        for settings, weight, count in self._planned(fleet, config_name, kept):
            spec = self._spec(settings["ModelName"])
            variants.append(
                Variant(
                    name=settings["VariantName"],
                    model_name=spec.model_name,
                    image=spec.image,
                    container=Container(self._artifacts.load(spec), settings["VariantName"], self._seed),
                    current_weight=weight,
                    desired_weight=weight,
                    current_count=count,
                    desired_count=count,
                    started=self._clock.now(),
                )
            )
        return variants

    def data_capture(self, config_name: str) -> dict[str, Any] | None:
        """What DescribeEndpoint shows of a configuration's data capture."""
        config: Mapping[str, Any] = self._config(config_name).get("DataCaptureConfig") or {}
        if not config:
            return None
        enabled = bool(config.get("EnableCapture"))
        return {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": config.get("InitialSamplingPercentage"),
            "DestinationS3Uri": config.get("DestinationS3Uri"),
            "KmsKeyId": config.get("KmsKeyId") or "",
        }

    def _spec(self, model_name: str) -> ContainerSpec:
        model = self._backend().describe_model(model_name)
        containers = [model.primary_container] if model.primary_container else list(model.containers)
        if len(containers) != 1:
            raise LoadFault(f"model {model_name!r} has {len(containers)} containers: the sandbox serves exactly one")
        chosen = containers[0]
        source = (chosen.get("ModelDataSource") or {}).get("S3DataSource") or {}
        url = chosen.get("ModelDataUrl") or source.get("S3Uri") or ""
        environment = dict(chosen.get("Environment") or {})
        return ContainerSpec(model_name, chosen.get("Image") or "", url, environment, model.execution_role_arn)

    def _config(self, config_name: str) -> dict[str, Any]:
        return self._backend().describe_endpoint_config(config_name)


def _initial_weight(settings: Mapping[str, Any]) -> float:
    weight = settings.get("InitialVariantWeight")
    return 1.0 if weight is None else float(weight)
