"""Names and ARNs of what belongs to a stack's endpoints. `name` is a key of the configuration, `endpoint` a name in SageMaker."""

from __future__ import annotations

from infra.resource_names import Names, shortened
from sluice.core import names as core_names
from sluice.core.ownership import PROJECT_TAG, STACK_TAG

_BOOTSTRAP = "bootstrap"
_BOOTSTRAP_CHARACTERS = 45
"""SageMaker allows 63 characters; `-bootstrap` and the `-` and seven digits Pulumi adds take 18."""


def endpoint_arn(names: Names, endpoint: str) -> str:
    return names.place.arn("sagemaker", f"endpoint/{endpoint.lower()}")


def execution_role(names: Names, name: str) -> str:
    return f"{names.prefix}-serve-{name}"


def execution_role_arn(names: Names, name: str) -> str:
    return names.place.global_arn("iam", f"role{execution_path(names)}{execution_role(names, name)}")


def execution_path(names: Names) -> str:
    """Whatever role lies on it, this control plane may pass to SageMaker. The way of putting one there is IAM's to guard."""
    return f"/sluice/{names.control.prefix}/"


def execution_roles_arn(names: Names) -> str:
    return names.place.global_arn("iam", f"role{execution_path(names)}*")


def invoke_policy(names: Names, name: str) -> str:
    return f"{names.prefix}-invoke-{name}"


def champion_parameter(names: Names, endpoint: str) -> str:
    return f"{names.parameter_root}{endpoint}"


def bootstrap_name(endpoint: str) -> str:
    """Logical name of the first model and configuration; Pulumi adds a dash and seven digits."""
    return f"{shortened(endpoint, _BOOTSTRAP_CHARACTERS)}-{_BOOTSTRAP}"


def bootstrap_configs_arn(names: Names) -> str:
    """Configurations that endpoints are born with, of any stack: for reading only."""
    return names.place.arn("sagemaker", f"endpoint-config/*-{_BOOTSTRAP}-*")


def name_root(names: Names) -> str:
    """How the names of all models and configurations begin that the control plane makes, whatever the endpoint."""
    return core_names.name_root(names.control.project, names.control.stack)


def created_models_arn(names: Names) -> str:
    return names.place.arn("sagemaker", f"model/{name_root(names)}-*")


def created_configs_arn(names: Names) -> str:
    return names.place.arn("sagemaker", f"endpoint-config/{name_root(names)}-*")


def endpoint_log_group(endpoint: str) -> str:
    """Where SageMaker writes what the containers say."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def owner_tags(names: Names, name: str) -> dict[str, str]:
    """Which stack and endpoint something in SageMaker belongs to."""
    return {PROJECT_TAG: names.project, STACK_TAG: names.stack, "sluice:endpoint": name}
