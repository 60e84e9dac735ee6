"""SageMaker: models, endpoint configurations, endpoints.

An endpoint is done when DescribeEndpoint says so: create, update and delete wait, as the provider does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sluice.sandbox.engine import calls
from sluice.sandbox.engine.kinds import Aws, Call, Kind, Naming, Refused, Tagging
from sluice.sandbox.engine.translate import Rules
from sluice.sandbox.engine.wire import Properties

POLL_SECONDS = 15
LONGEST_WAIT_SECONDS = 90 * 60  # SageMaker itself gives up on a fleet well before
_TAGS = Tagging(Call("AddTags", keys={"ResourceArn": "arn"}), Call("DeleteTags", keys={"ResourceArn": "arn"}))
_RESTING = ("InService", "OutOfService", "Failed", "UpdateRollbackFailed")

MODEL = Kind(
    type="aws:sagemaker/model:Model",
    service="sagemaker",
    create=Call("CreateModel"),
    read=Call("DescribeModel", keys={"ModelName": "id"}),
    delete=Call("DeleteModel", keys={"ModelName": "id"}),
    computed={"arn": "ModelArn"},
    naming=Naming(longest=63, prefix=""),
    tagging=_TAGS,
    rules=Rules(renames={"name": "ModelName"}),
    force_new=("*",),
    required=("executionRoleArn",),
    defaults={"enableNetworkIsolation": False},
)

ENDPOINT_CONFIGURATION = Kind(
    type="aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    service="sagemaker",
    create=Call("CreateEndpointConfig"),
    read=Call("DescribeEndpointConfig", keys={"EndpointConfigName": "id"}),
    delete=Call("DeleteEndpointConfig", keys={"EndpointConfigName": "id"}),
    computed={"arn": "EndpointConfigArn"},
    naming=Naming(longest=63),
    tagging=_TAGS,
    rules=Rules(renames={"name": "EndpointConfigName", "kmsKeyArn": "KmsKeyId"}),
    force_new=("*",),
    required=("productionVariants",),
)


def _status(aws: Aws, name: str) -> dict[str, Any] | None:
    try:
        return aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    except ClientError as error:
        if calls.is_absent(error):
            return None
        raise


def _wait(aws: Aws, name: str, done: Callable[[dict[str, Any] | None], bool]) -> dict[str, Any] | None:
    """Sleeping lets the sandbox's world go on: time.sleep is the virtual clock there."""
    for _ in range(LONGEST_WAIT_SECONDS // POLL_SECONDS):
        seen = _status(aws, name)
        if done(seen):
            return seen
        time.sleep(POLL_SECONDS)
    raise Refused(
        f"endpoint '{name}' did not come to rest in {LONGEST_WAIT_SECONDS // 60} minutes. Look at it and retry"
    )


def _settled(aws: Aws, facts: Properties, operation: str) -> None:
    name = facts["id"]
    if operation == "delete":
        _wait(aws, name, lambda seen: seen is None)
        return
    seen = _wait(aws, name, lambda seen: seen is None or seen["EndpointStatus"] in _RESTING)
    status = seen["EndpointStatus"] if seen else "gone"
    if status != "InService":
        why = (seen or {}).get("FailureReason", "SageMaker gives no reason")
        raise Refused(f"endpoint '{name}' ended {operation} as {status}: {why}")


ENDPOINT = Kind(
    type="aws:sagemaker/endpoint:Endpoint",
    service="sagemaker",
    create=Call("CreateEndpoint"),
    read=Call("DescribeEndpoint", keys={"EndpointName": "id"}),
    update=Call("UpdateEndpoint", keys={"EndpointName": "id"}),
    delete=Call("DeleteEndpoint", keys={"EndpointName": "id"}),
    computed={"arn": "EndpointArn"},
    naming=Naming(longest=63, prefix=""),
    tagging=_TAGS,
    rules=Rules(renames={"name": "EndpointName"}),
    # Whether the real provider replaces for the alarms is unsettled (platform-facts.md): take the dangerous reading.
    force_new=("name", "deploymentConfig.autoRollbackConfiguration"),
    required=("endpointConfigName",),
    settled=_settled,
)

KINDS = (MODEL, ENDPOINT_CONFIGURATION, ENDPOINT)
