"""What belongs to one endpoint of a stack, by name and ARN. `name` is its key in the configuration, `endpoint` its name in SageMaker."""

from __future__ import annotations

from infra.resource_names import BOOTSTRAP, Names, shortened
from sluice.core.ownership import PROJECT_TAG, STACK_TAG

_BOOTSTRAP_CHARACTERS = 45
"""SageMaker allows 63 characters; `-bootstrap` and the `-` and seven digits Pulumi adds take 18."""


def endpoint_arn(names: Names, endpoint: str) -> str:
    return names.place.arn("sagemaker", f"endpoint/{endpoint.lower()}")


def execution_role(names: Names, name: str) -> str:
    return f"{names.prefix}-serve-{name}"


def execution_role_arn(names: Names, name: str) -> str:
    return names.place.global_arn("iam", f"role{names.execution_path}{execution_role(names, name)}")


def invoke_policy(names: Names, name: str) -> str:
    return f"{names.prefix}-invoke-{name}"


def champion_parameter(names: Names, endpoint: str) -> str:
    return f"{names.parameter_root}{endpoint}"


def bootstrap_name(endpoint: str) -> str:
    """Logical name of the first model and configuration; Pulumi adds a dash and seven digits."""
    return f"{shortened(endpoint, _BOOTSTRAP_CHARACTERS)}-{BOOTSTRAP}"


def endpoint_log_group(endpoint: str) -> str:
    """Where SageMaker writes what the containers say."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def owner_tags(names: Names, name: str) -> dict[str, str]:
    """Which stack and endpoint something in SageMaker belongs to."""
    return {PROJECT_TAG: names.project, STACK_TAG: names.stack, "sluice:endpoint": name}
