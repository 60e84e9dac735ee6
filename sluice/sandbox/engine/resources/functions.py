"""Lambda: functions, aliases, permissions, event source mappings, URLs. Invocations have a module of their own."""

from __future__ import annotations

from typing import Any

from sluice.sandbox.engine import assets
from sluice.sandbox.engine.kinds import Aws, Call, Change, Kind, Naming, Part, Tagging
from sluice.sandbox.engine.translate import Rules
from sluice.sandbox.engine.wire import Properties, is_file

_CODE = {"code": "ZipFile", "s3Bucket": "S3Bucket", "s3Key": "S3Key", "s3ObjectVersion": "S3ObjectVersion"}
_CODE |= {"imageUri": "ImageUri", "sourceKmsKeyArn": "SourceKMSKeyArn"}
_NAME = {"FunctionName": "id"}


def _code(properties: Properties) -> dict[str, Any]:
    """The code's parameters: the zip itself, or where it lies."""
    given = {_CODE[name]: properties[name] for name in _CODE if name in properties}
    if is_file(given.get("ZipFile")):
        given["ZipFile"] = assets.content(given["ZipFile"])
    return given


def _with_code(properties: Properties) -> Properties:
    code = _code(properties)
    rest = {name: value for name, value in properties.items() if name not in _CODE}
    return {**rest, "code": code} if code else rest


def _update_code(aws: Aws, change: Change) -> dict[str, Any]:
    where = {"Architectures": change.new["architectures"]} if "architectures" in change.new else {}
    code = _code(change.new)
    return aws.call("lambda", "UpdateFunctionCode", FunctionName=change.facts["id"], **where, **code)


def _reserve(aws: Aws, change: Change) -> dict[str, Any]:
    """-1 is Terraform's word for no reservation."""
    name, count = change.facts["id"], int(change.new.get("reservedConcurrentExecutions", -1))
    if count < 0:
        if not change.old:
            return {}
        return aws.call("lambda", "DeleteFunctionConcurrency", FunctionName=name)
    return aws.call("lambda", "PutFunctionConcurrency", FunctionName=name, ReservedConcurrentExecutions=count)


def _publish(aws: Aws, change: Change) -> dict[str, Any]:
    if not change.new.get("publish"):
        return {}
    return aws.call("lambda", "PublishVersion", FunctionName=change.facts["id"])


def _delete_function(aws: Aws, change: Change) -> dict[str, Any]:
    if change.facts.get("skipDestroy"):
        return {}
    return aws.call("lambda", "DeleteFunction", FunctionName=change.facts["id"])


def _get_function(aws: Aws, change: Change) -> dict[str, Any]:
    """With the settings also at the top, where the properties are."""
    answer = aws.call("lambda", "GetFunction", FunctionName=change.facts["id"])
    return {**answer, **answer["Configuration"]}


_CONFIGURATION = (
    "role", "handler", "description", "timeout", "memorySize", "vpcConfig", "environment", "runtime",
    "deadLetterConfig", "kmsKeyArn", "tracingConfig", "layers", "fileSystemConfig", "imageConfig", "ephemeralStorage",
    "snapStart", "loggingConfig",
)  # fmt: skip

FUNCTION = Kind(
    type="aws:lambda/function:Function",
    service="lambda",
    create=Call("CreateFunction"),
    read=_get_function,
    update=Call("UpdateFunctionConfiguration", keys=_NAME, sends=_CONFIGURATION),
    delete=_delete_function,
    parts=(
        Part((*_CODE, "architectures", "sourceCodeHash"), put=_update_code, on_create=False),
        Part(("reservedConcurrentExecutions",), put=_reserve),
        Part(("publish",), put=_publish, on_create=False, also=(*_CODE, *_CONFIGURATION)),
    ),
    computed={
        "arn": "Configuration.FunctionArn",
        "version": "Configuration.Version",
        "lastModified": "Configuration.LastModified",
        "sourceCodeSize": "Configuration.CodeSize",
        "codeSha256": "Configuration.CodeSha256",
    },
    formats={
        "qualifiedArn": "{arn}:{version}",
        "invokeArn": "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations",
    },
    volatile=("version", "lastModified", "sourceCodeSize", "codeSha256", "qualifiedArn"),
    naming=Naming(longest=64, prefix=""),
    tagging=Tagging(Call("TagResource", keys={"Resource": "arn"}), Call("UntagResource", keys={"Resource": "arn"})),
    rules=Rules(
        renames={"name": "FunctionName"},
        accepted={
            "sourceCodeHash": "only makes a difference visible: the code has its own hash here",
            "skipDestroy": "tells only the delete what to do",
            "useResourceTimeoutForPropagation": "waiting for IAM to spread has no meaning here",
        },
    ),
    force_new=("name", "packageType"),
    required=("role",),
    defaults={
        "timeout": 3,
        "memorySize": 128,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
    },
    cleared={
        "description": "",
        "environment": {"variables": {}},
        "deadLetterConfig": {"targetArn": ""},
        "layers": [],
        "tracingConfig": {"mode": "PassThrough"},
        "kmsKeyArn": "",
    },
    reshape=_with_code,
)


def _remove_permission(aws: Aws, change: Change) -> dict[str, Any]:
    where = {"Qualifier": change.facts["qualifier"]} if "qualifier" in change.facts else {}
    name, statement = change.facts["function"], change.facts["id"]
    return aws.call("lambda", "RemovePermission", FunctionName=name, StatementId=statement, **where)


PERMISSION = Kind(
    type="aws:lambda/permission:Permission",
    service="lambda",
    create=Call("AddPermission"),
    delete=_remove_permission,
    id="{statementId}",
    naming=Naming(property="statementId", prefix="statementIdPrefix", longest=100),
    rules=Rules(renames={"function": "FunctionName"}),
    force_new=("*",),
    required=("action", "function", "principal"),
)

_MAPPING = {"UUID": "id"}

EVENT_SOURCE_MAPPING = Kind(
    type="aws:lambda/eventSourceMapping:EventSourceMapping",
    service="lambda",
    create=Call("CreateEventSourceMapping"),
    read=Call("GetEventSourceMapping", keys=_MAPPING),
    update=Call("UpdateEventSourceMapping", keys=_MAPPING),
    delete=Call("DeleteEventSourceMapping", keys=_MAPPING),
    id="@UUID",
    computed={
        "arn": "EventSourceMappingArn",
        "uuid": "UUID",
        "functionArn": "FunctionArn",
        "state": "State",
        "lastModified": "LastModified",
        "lastProcessingResult": "LastProcessingResult",
    },
    tagging=Tagging(Call("TagResource", keys={"Resource": "arn"}), Call("UntagResource", keys={"Resource": "arn"})),
    rules=Rules(renames={"destinationConfig.onFailure.destinationArn": "Destination"}),
    force_new=(
        "eventSourceArn",
        "queues",
        "topics",
        "startingPosition",
        "startingPositionTimestamp",
        "selfManagedEventSource",
        "amazonManagedKafkaEventSourceConfig",
        "selfManagedKafkaEventSourceConfig",
    ),
    required=("functionName",),
    defaults={"enabled": True},
    cleared={"filterCriteria": {}, "functionResponseTypes": [], "scalingConfig": {}, "destinationConfig": {}},
    unordered=("functionResponseTypes", "filterCriteria.filters"),
)

_ALIAS = {"FunctionName": "functionName", "Name": "name"}

ALIAS = Kind(
    type="aws:lambda/alias:Alias",
    service="lambda",
    create=Call("CreateAlias", keys=_ALIAS),
    read=Call("GetAlias", keys=_ALIAS),
    update=Call("UpdateAlias", keys=_ALIAS),
    delete=Call("DeleteAlias", keys=_ALIAS),
    id="@AliasArn",
    computed={"arn": "AliasArn"},
    formats={"invokeArn": "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"},
    naming=Naming(longest=128, prefix=""),
    force_new=("name", "functionName"),
    required=("functionName", "functionVersion"),
    cleared={"description": "", "routingConfig": {"additionalVersionWeights": {}}},
)

_QUALIFIED = {"FunctionName": "functionName"}


def _qualified(operation: str) -> Any:
    def call(aws: Aws, change: Change) -> dict[str, Any]:
        where = {"Qualifier": change.facts["qualifier"]} if "qualifier" in change.facts else {}
        return aws.call("lambda", operation, FunctionName=change.facts["functionName"], **where)

    return call


EVENT_INVOKE_CONFIG = Kind(
    type="aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    service="lambda",
    create=Call("PutFunctionEventInvokeConfig", keys=_QUALIFIED),
    update=Call("PutFunctionEventInvokeConfig", keys=_QUALIFIED),
    delete=_qualified("DeleteFunctionEventInvokeConfig"),
    id="{functionName}",
    force_new=("functionName", "qualifier"),
    required=("functionName",),
    defaults={"maximumRetryAttempts": 2},
)

FUNCTION_URL = Kind(
    type="aws:lambda/functionUrl:FunctionUrl",
    service="lambda",
    create=Call("CreateFunctionUrlConfig", keys=_QUALIFIED),
    update=Call("UpdateFunctionUrlConfig", keys=_QUALIFIED),
    delete=_qualified("DeleteFunctionUrlConfig"),
    id="{functionName}",
    computed={"functionArn": "FunctionArn", "functionUrl": "FunctionUrl"},
    rules=Rules(renames={"authorizationType": "AuthType"}),
    force_new=("functionName", "qualifier"),
    required=("functionName", "authorizationType"),
    cleared={"cors": {}},
)

KINDS = (FUNCTION, PERMISSION, EVENT_SOURCE_MAPPING, ALIAS, EVENT_INVOKE_CONFIG, FUNCTION_URL)
