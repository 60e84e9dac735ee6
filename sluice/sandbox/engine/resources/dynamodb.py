"""DynamoDB: tables with their indexes, streams, expiry and recovery."""

from __future__ import annotations

from typing import Any

from sluice.sandbox.engine.kinds import Aws, Call, Change, Kind, Naming, Part, Tagging
from sluice.sandbox.engine.translate import Rules
from sluice.sandbox.engine.wire import Properties

_NAME = {"TableName": "name"}
_KEYS = (("hashKey", "HASH"), ("rangeKey", "RANGE"))


def _schema(owner: Properties) -> list[dict[str, Any]]:
    """`hashKey`/`rangeKey`, or pulumi-aws 7's `keySchemas`, as AWS's KeySchema."""
    named = [{"attributeName": owner[name], "keyType": role} for name, role in _KEYS if name in owner]
    return named or list(owner.get("keySchemas", []))


def _without(properties: Properties, *names: str) -> Properties:
    return {name: value for name, value in properties.items() if name not in names}


def _index(index: Properties) -> Properties:
    projection = {"projectionType": index["projectionType"]}
    if index.get("nonKeyAttributes"):
        projection["nonKeyAttributes"] = index["nonKeyAttributes"]
    inner = ("hashKey", "rangeKey", "keySchemas", "projectionType", "nonKeyAttributes", "readCapacity", "writeCapacity")
    return {**_without(index, *inner), "keySchema": _schema(index), "projection": projection, **_throughput(index)}


def _throughput(owner: Properties) -> Properties:
    if "readCapacity" not in owner:
        return {}
    return {
        "provisionedThroughput": {
            "readCapacityUnits": owner["readCapacity"],
            "writeCapacityUnits": owner["writeCapacity"],
        }
    }


def _stream(properties: Properties) -> Properties:
    if "streamEnabled" not in properties:
        return {}
    view = {"streamViewType": properties["streamViewType"]} if properties.get("streamEnabled") else {}
    return {"streamSpecification": {"streamEnabled": properties["streamEnabled"], **view}}


def _encryption(properties: Properties) -> Properties:
    """Terraform's two settings; off means the key AWS owns."""
    block = properties.get("serverSideEncryption")
    if not isinstance(block, dict):
        return {}
    key = {"kmsMasterKeyId": block["kmsKeyArn"]} if "kmsKeyArn" in block else {}
    return {
        "sseSpecification": {"enabled": block["enabled"], **({"sseType": "KMS"} if block["enabled"] else {}), **key}
    }


_FLAT = (
    "attributes", "hashKey", "rangeKey", "globalSecondaryIndexes", "localSecondaryIndexes", "readCapacity",
    "writeCapacity", "streamEnabled", "streamViewType", "serverSideEncryption",
)  # fmt: skip


def _reshape(properties: Properties) -> Properties:
    definitions = properties.get("attributes", [])
    shaped: Properties = {
        "keySchema": _schema(properties),
        "attributeDefinitions": [{"attributeName": a["name"], "attributeType": a["type"]} for a in definitions],
        **_throughput(properties),
        **_stream(properties),
        **_encryption(properties),
    }
    for name in ("globalSecondaryIndexes", "localSecondaryIndexes"):
        if name in properties:
            shaped[name] = [_local(name, index, properties) for index in properties[name]]
    return {**_without(properties, *_FLAT), **shaped}


def _local(name: str, index: Properties, table: Properties) -> Properties:
    """A local index has the table's hash key."""
    return _index({**index, "hashKey": table["hashKey"]} if name.startswith("local") else index)


def _update(aws: Aws, change: Change) -> dict[str, Any]:
    """UpdateTable takes one kind of change a call: settings first, then each index that goes or comes."""
    settings = change.changed & {
        "billingMode", "readCapacity", "writeCapacity", "tableClass", "deletionProtectionEnabled", "streamEnabled",
        "streamViewType", "serverSideEncryption",
    }  # fmt: skip
    if settings:
        aws.call("dynamodb", "UpdateTable", TableName=change.facts["name"], **_settings(change.new, settings))
    if "globalSecondaryIndexes" in change.changed:
        _update_indexes(aws, change)
    return {}


def _settings(new: Properties, changed: frozenset[str]) -> dict[str, Any]:
    spelled: dict[str, Any] = {}
    for name, parameter in (("tableClass", "TableClass"), ("deletionProtectionEnabled", "DeletionProtectionEnabled")):
        if name in changed:
            spelled[parameter] = new[name]
    if changed & {"billingMode", "readCapacity", "writeCapacity"}:
        spelled["BillingMode"] = new["billingMode"]
        if new["billingMode"] == "PROVISIONED":
            units = {"ReadCapacityUnits": int(new["readCapacity"]), "WriteCapacityUnits": int(new["writeCapacity"])}
            spelled["ProvisionedThroughput"] = units
    if changed & {"streamEnabled", "streamViewType"}:
        spelled["StreamSpecification"] = _capitals(_stream(new)["streamSpecification"])
    if "serverSideEncryption" in changed:
        spelled["SSESpecification"] = _capitals(_encryption(new).get("sseSpecification", {"enabled": False}))
    return spelled


def _capitals(block: Properties) -> dict[str, Any]:
    special = {"sseType": "SSEType", "kmsMasterKeyId": "KMSMasterKeyId"}
    return {special.get(name, name[0].upper() + name[1:]): value for name, value in block.items()}


def _update_indexes(aws: Aws, change: Change) -> None:
    old = {index["name"]: index for index in change.old.get("globalSecondaryIndexes", [])}
    new = {index["name"]: index for index in change.new.get("globalSecondaryIndexes", [])}
    definitions = _reshape(change.new)["attributeDefinitions"]
    named = [{"AttributeName": d["attributeName"], "AttributeType": d["attributeType"]} for d in definitions]
    changed = [name for name in old if name in new and old[name] != new[name]]
    for name in [*(n for n in old if n not in new), *changed]:
        aws.call(
            "dynamodb", "UpdateTable", TableName=change.facts["name"],
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": name}}],
        )  # fmt: skip
    for name in [*(n for n in new if n not in old), *changed]:
        aws.call(
            "dynamodb", "UpdateTable", TableName=change.facts["name"], AttributeDefinitions=named,
            GlobalSecondaryIndexUpdates=[{"Create": _create_index(new[name])}],
        )  # fmt: skip


def _create_index(index: Properties) -> dict[str, Any]:
    shaped = _index(index)
    created = {
        "IndexName": index["name"],
        "KeySchema": [_capitals(key) for key in shaped["keySchema"]],
        "Projection": _capitals(shaped["projection"]),
    }
    if "provisionedThroughput" in shaped:
        created["ProvisionedThroughput"] = _capitals(shaped["provisionedThroughput"])
    return created


def _recovery(aws: Aws, change: Change) -> dict[str, Any]:
    block = change.new.get("pointInTimeRecovery", {"enabled": False})
    if not block["enabled"] and not change.old:
        return {}
    days = {"RecoveryPeriodInDays": int(block["recoveryPeriodInDays"])} if "recoveryPeriodInDays" in block else {}
    return aws.call(
        "dynamodb", "UpdateContinuousBackups", TableName=change.facts["name"],
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": block["enabled"], **days},
    )  # fmt: skip


def _expiry(aws: Aws, change: Change) -> dict[str, Any]:
    block = change.new.get("ttl") or {**change.old["ttl"], "enabled": False}
    enabled = block.get("enabled", False)
    if not enabled and not change.old:
        return {}
    return aws.call(
        "dynamodb", "UpdateTimeToLive", TableName=change.facts["name"],
        TimeToLiveSpecification={"Enabled": enabled, "AttributeName": block["attributeName"]},
    )  # fmt: skip


_ARN = {"ResourceArn": "arn"}

TABLE = Kind(
    type="aws:dynamodb/table:Table",
    service="dynamodb",
    create=Call("CreateTable"),
    read=Call("DescribeTable", keys=_NAME),
    update=_update,
    delete=Call("DeleteTable", keys=_NAME),
    parts=(Part(("pointInTimeRecovery",), put=_recovery), Part(("ttl",), put=_expiry)),
    computed={
        "arn": "Table.TableArn",
        "streamArn": "Table.LatestStreamArn",
        "streamLabel": "Table.LatestStreamLabel",
    },
    naming=Naming(longest=255, prefix=""),
    tagging=Tagging(Call("TagResource", keys=_ARN), Call("UntagResource", keys=_ARN)),
    rules=Rules(
        renames={
            "name": "TableName",
            "globalSecondaryIndexes.name": "IndexName",
            "localSecondaryIndexes.name": "IndexName",
            "sseSpecification": "SSESpecification",
            "sseSpecification.sseType": "SSEType",
            "sseSpecification.kmsMasterKeyId": "KMSMasterKeyId",
        }
    ),
    force_new=("name", "hashKey", "rangeKey", "localSecondaryIndexes"),
    required=("attributes", "hashKey"),
    defaults={"billingMode": "PROVISIONED"},
    unordered=("attributes", "globalSecondaryIndexes"),
    reshape=_reshape,
)

KINDS = (TABLE,)
