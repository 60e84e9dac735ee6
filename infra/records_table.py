"""The table of records: the truth about every endpoint. Its keys are explained in `sluice.aws.store`."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.resource_names import LIVE_INDEX, Names
from sluice.core.messages import MARK_EXPIRES


def records_table(names: Names, *, protect: bool, parent: pulumi.Resource) -> aws.dynamodb.Table:
    """On demand, recoverable to any second of 35 days. The index is sparse: only what is unfinished carries its key.

    Encrypted with the key AWS owns, on purpose: a customer's key that is disabled must not stop a rollback.
    """
    return aws.dynamodb.Table(
        "records",
        name=names.table,
        billing_mode="PAY_PER_REQUEST",
        hash_key="pk",
        range_key="sk",
        attributes=[
            aws.dynamodb.TableAttributeArgs(name="pk", type="S"),
            aws.dynamodb.TableAttributeArgs(name="sk", type="S"),
            aws.dynamodb.TableAttributeArgs(name=LIVE_INDEX, type="S"),
        ],
        global_secondary_indexes=[
            aws.dynamodb.TableGlobalSecondaryIndexArgs(
                name=LIVE_INDEX,
                key_schemas=[
                    aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=LIVE_INDEX, key_type="HASH"),
                    aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name="pk", key_type="RANGE"),
                ],
                projection_type="KEYS_ONLY",
            )
        ],
        # What the archive is fed from: the new image is the event as it was written.
        stream_enabled=True,
        stream_view_type="NEW_IMAGE",
        # Notes of what people were sent; nothing that is audited carries the attribute.
        ttl=aws.dynamodb.TableTtlArgs(attribute_name=MARK_EXPIRES, enabled=True),
        point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
        deletion_protection_enabled=protect,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect),
    )
