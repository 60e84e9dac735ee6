"""Cases of the tables in `resources.dynamodb`."""

from __future__ import annotations

from typing import Any

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import Case
from tests.sandbox.stacks import client


def table(**more: Any) -> aws.dynamodb.Table:
    settings: dict[str, Any] = {
        "attributes": [{"name": name, "type": "S"} for name in ("pk", "sk", "live")],
        "hash_key": "pk",
        "range_key": "sk",
        "billing_mode": "PAY_PER_REQUEST",
        "point_in_time_recovery": {"enabled": True},
        "ttl": {"enabled": True, "attribute_name": "expires"},
        "global_secondary_indexes": [{"name": "live", "hash_key": "live", "projection_type": "ALL"}],
        "server_side_encryption": {"enabled": True},
    }
    return aws.dynamodb.Table("x", **{**settings, **more})


def seen_table(name: str) -> Any:
    found = client("dynamodb").describe_table(TableName=name)["Table"]
    recovery = client("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return (
        [index["IndexName"] for index in found["GlobalSecondaryIndexes"]],
        recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"].get("AttributeName"),
    )


CASES = (
    Case(
        "aws:dynamodb/table:Table",
        table,
        seen_table,
        ((["live"], "ENABLED", "expires"), (["open"], "DISABLED", "expires")),
        lambda: table(
            tags={"a": "1"},
            stream_enabled=True,
            stream_view_type="NEW_IMAGE",
            point_in_time_recovery={"enabled": False},
            global_secondary_indexes=[{"name": "open", "hash_key": "live", "projection_type": "KEYS_ONLY"}],
        ),
        lambda: table(range_key="live", attributes=[{"name": name, "type": "S"} for name in ("pk", "live")]),
    ),
)
