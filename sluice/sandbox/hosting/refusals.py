"""What SageMaker refuses about an endpoint, in its words where they are known: busy, missing, or a request that makes no sense.

When an operation is asked for at all, and what comes of one that is taken, is decided by `endpoints`.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from moto.sagemaker.exceptions import AWSValidationException

from sluice.sandbox.hosting.builder import RETAINED
from sluice.sandbox.hosting.fleet import Fleet


def missing(arn: str) -> AWSValidationException:
    return _refused(f'Could not find endpoint "{arn}".')


def busy(fleet: Fleet) -> AWSValidationException:
    return _refused(f'Cannot update in-progress endpoint "{fleet.arn}".')


def refuse_all_zero(weights: Sequence[float]) -> None:
    """Whether SageMaker takes it is not known; the sandbox does not, so that nobody comes to rely on it."""
    if not any(weights):
        raise _refused("The weights of all variants are zero: no variant would take traffic.")


def refuse_deployment(fleet: Fleet, config_name: str, names: Set[str]) -> None:
    """An update with a DeploymentConfig, to a configuration whose variants have these names."""
    current = {variant.name for variant in fleet.variants}
    if names != current:
        raise _refused(
            f"DeploymentConfig needs equal variant names in both configurations: {config_name!r} has "
            f"{sorted(names)}, endpoint {fleet.name!r} has {sorted(current)}. Leave DeploymentConfig out."
        )


def refuse_exclusions(exclude: Sequence[str], *, retain: bool) -> None:
    """Of properties that are not retained anyway, or that are none."""
    unknown = set(exclude) - {*RETAINED, "DataCaptureConfig"}
    if unknown or (exclude and not retain):
        raise _refused(
            f"ExcludeRetainedVariantProperties {list(exclude)} goes with RetainAllVariantProperties=true and names "
            f"{', '.join(RETAINED)} or DataCaptureConfig"
        )


def refuse_strangers(fleet: Fleet, desired: Sequence[Mapping[str, Any]]) -> None:
    """Weights and counts of variants that are named twice, or that the endpoint does not have."""
    asked = {str(item["VariantName"]) for item in desired}
    if len(asked) < len(desired):
        raise _refused("The variant names of a request must be unique.")
    unknown = sorted(asked - {variant.name for variant in fleet.variants})
    if unknown:
        names = ", ".join(f'"{each}"' for each in unknown)
        raise _refused(
            f'The variant name(s) {names} is/are not present within endpoint configuration "{fleet.config_name}".'
        )


def _refused(message: str) -> AWSValidationException:
    return AWSValidationException(message)
