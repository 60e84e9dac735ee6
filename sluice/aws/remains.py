"""What the control plane leaves behind in SageMaker, removed when its stack is destroyed. Nothing that serves is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from botocore.exceptions import ClientError

from sluice.aws.clients import client
from sluice.core.names import created_prefix, is_created


def remove_what_the_control_plane_made(name_roots: Mapping[str, str]) -> str:
    """Delete the models and configurations of endpoints that are gone. An adopted endpoint goes on without Sluice, on them.

    `name_roots` is by endpoint: how the names begin of what was made for it.
    """
    removed, kept = 0, []
    for endpoint, root in name_roots.items():
        if _exists(endpoint):
            kept.append(f"; endpoint {endpoint} still exists: its models and configurations are left alone")
            continue
        for name in list(_names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", root, endpoint)):
            client("sagemaker").delete_endpoint_config(EndpointConfigName=name)
            removed += 1
        for name in list(_names("list_models", "Models", "ModelName", root, endpoint)):
            client("sagemaker").delete_model(ModelName=name)
            removed += 1
    return "".join((f"removed {removed} models and configurations", *kept))


def _names(operation: str, plural: str, singular: str, root: str, endpoint: str) -> Iterator[str]:
    prefix = created_prefix(root, endpoint)
    for page in client("sagemaker").get_paginator(operation).paginate(NameContains=prefix):
        for found in page[plural]:
            if is_created(root, endpoint, found[singular]):
                yield found[singular]


def _exists(endpoint: str) -> bool:
    try:
        client("sagemaker").describe_endpoint(EndpointName=endpoint)
    except ClientError as fault:
        if "Could not find endpoint" in fault.response["Error"]["Message"]:
            return False
        raise
    return True
