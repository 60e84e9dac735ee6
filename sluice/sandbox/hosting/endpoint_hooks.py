"""Patches of moto's SageMaker, pinned to 5.2.5: the life of endpoints, and of the models and configurations they are made of.

What an operation comes to is decided by `endpoints`. Contract tests in tests/sandbox/hosting/test_endpoint_hooks.py.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig, SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from sluice.sandbox.hosting.endpoints import Endpoints
from sluice.sandbox.patches import Undo, all_of, replaced


def moto_sagemaker(account: str, region: str) -> Callable[[], SageMakerModelBackend]:
    return lambda: sagemaker_backends[account][region]


def install_endpoints(endpoints: Endpoints) -> Undo:
    """The life of endpoints, with UpdateEndpoint, which moto lacks."""
    create, delete = SageMakerModelBackend.create_endpoint, SageMakerModelBackend.delete_endpoint

    @wraps(create)
    def created(
        backend: SageMakerModelBackend, endpoint_name: str, endpoint_config_name: str, tags: Any
    ) -> FakeEndpoint:
        if endpoint_name in backend.endpoints:
            raise _existing("endpoint", backend.endpoints[endpoint_name].arn)
        endpoint = create(backend, endpoint_name, endpoint_config_name, tags)
        try:
            endpoints.create(endpoint)
        except AWSValidationException:
            del backend.endpoints[endpoint_name]
            raise
        return endpoint

    def described(_: SageMakerModelBackend, endpoint_name: str) -> dict[str, Any]:
        return endpoints.describe(endpoint_name)

    @wraps(delete)
    def deleted(backend: SageMakerModelBackend, endpoint_name: str) -> None:
        endpoints.delete(endpoint_name, lambda: delete(backend, endpoint_name))

    def weighed(
        _: SageMakerModelBackend, endpoint_name: str, desired_weights_and_capacities: list[dict[str, Any]]
    ) -> str:
        return endpoints.set_weights(endpoint_name, desired_weights_and_capacities)

    def updated(response: SageMakerResponse) -> ActionResult:
        get = response._get_param
        excluded = [item["VariantPropertyType"] for item in get("ExcludeRetainedVariantProperties") or ()]
        arn = endpoints.update(
            get("EndpointName"),
            get("EndpointConfigName"),
            retain=bool(get("RetainAllVariantProperties")),
            exclude=excluded,
            deployment=get("DeploymentConfig"),
        )
        return ActionResult({"EndpointArn": arn})

    return all_of(
        replaced(SageMakerModelBackend, "create_endpoint", created),
        replaced(SageMakerModelBackend, "describe_endpoint", described),
        replaced(SageMakerModelBackend, "delete_endpoint", deleted),
        replaced(SageMakerModelBackend, "update_endpoint_weights_and_capacities", weighed),
        replaced(SageMakerResponse, "update_endpoint", updated),
    )


def _existing(kind: str, arn: str) -> AWSValidationException:
    return AWSValidationException(f'Cannot create already existing {kind} "{arn}".')


def install_live_guards(endpoints: Endpoints) -> Undo:
    """Models and configurations are never overwritten, and none that is live is deleted. SageMaker allows the latter
    and lets the endpoint break later; the sandbox refuses, so that it is seen."""
    backend_class = SageMakerModelBackend
    create_model, create_config = backend_class.create_model, backend_class.create_endpoint_config
    delete_model, delete_config = backend_class.delete_model, backend_class.delete_endpoint_config

    @wraps(create_model)
    def model_created(backend: SageMakerModelBackend, model_name: str, *rest: Any, **named: Any) -> Any:
        if model_name in backend._models:
            raise _existing("model", backend._models[model_name].arn)
        return create_model(backend, model_name, *rest, **named)

    @wraps(create_config)
    def config_created(backend: SageMakerModelBackend, endpoint_config_name: str, *rest: Any, **named: Any) -> Any:
        former = backend.endpoint_configs.get(endpoint_config_name)
        if former is not None:
            raise _existing("endpoint configuration", former.endpoint_config_arn)
        return create_config(backend, endpoint_config_name, *rest, **named)

    @wraps(delete_model)
    def model_deleted(backend: SageMakerModelBackend, model_name: str) -> None:
        if model_name in endpoints.models_in_use():
            raise AWSValidationException(
                f"Model {model_name!r} is in the configuration of a live endpoint: deleting it would break the next "
                "scaling or update. Delete it after the endpoint has left it."
            )
        delete_model(backend, model_name)

    @wraps(delete_config)
    def config_deleted(backend: SageMakerModelBackend, endpoint_config_name: str) -> None:
        if endpoint_config_name in endpoints.configs_in_use():
            raise AWSValidationException(
                f"Endpoint configuration {endpoint_config_name!r} is live, or on its way to be: deleting it would "
                "break the endpoint. Delete it after the endpoint has left it."
            )
        delete_config(backend, endpoint_config_name)

    return all_of(
        replaced(backend_class, "create_model", model_created),
        replaced(backend_class, "create_endpoint_config", config_created),
        replaced(backend_class, "delete_model", model_deleted),
        replaced(backend_class, "delete_endpoint_config", config_deleted),
    )


def install_instance_types() -> Undo:
    """moto knows only instance types of some years ago: take any that is spelled like one."""

    def validate(_: FakeEndpointConfig, instance_type: str) -> None:
        parts = instance_type.split(".")
        if len(parts) != 3 or parts[0] != "ml" or not all(parts):
            raise AWSValidationException(f"Instance type {instance_type!r} is not of the form ml.<family>.<size>.")

    return replaced(FakeEndpointConfig, "validate_instance_type", validate)


def install_tags() -> Undo:
    """AddTags overwrites a key that is there; an ARN of nothing is refused instead of failing inside moto."""
    find = SageMakerModelBackend._get_resource_from_arn

    @wraps(find)
    def found(backend: SageMakerModelBackend, arn: str) -> Any:
        resource = find(backend, arn)
        if resource is None:
            raise AWSValidationException(f'Could not find resource "{arn}".')
        return resource

    def add(backend: SageMakerModelBackend, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
        resource = found(backend, arn)
        merged = {tag["Key"]: tag["Value"] for tag in [*resource.tags, *tags]}
        resource.tags = [{"Key": key, "Value": value} for key, value in merged.items()]
        result: list[dict[str, str]] = resource.tags
        return result

    return all_of(
        replaced(SageMakerModelBackend, "_get_resource_from_arn", found),
        replaced(SageMakerModelBackend, "add_tags", add),
    )
