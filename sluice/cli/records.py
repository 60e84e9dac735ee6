"""Reading a stack's records as the person at the command line: their region, their permissions, and sentences for what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from sluice.aws.clients import client
from sluice.aws.store import DynamoStore
from sluice.cli.target import Target
from sluice.core.errors import BadInput
from sluice.core.head import Head
from sluice.ports import StoreUnavailable

_MISSING = ("ResourceNotFoundException", "NoSuchBucket")


@contextmanager
def records_of(target: Target) -> Iterator[DynamoStore]:
    """The store of the target's stack. AWS's refusals become BadInput that says which stack was meant."""
    if target.region and (boto3.DEFAULT_SESSION is None or boto3.DEFAULT_SESSION.region_name != target.region):
        boto3.setup_default_session(region_name=target.region)
        client.cache_clear()
    try:
        yield DynamoStore(target.table)
    except StoreUnavailable as fault:
        cause = fault.__cause__
        if not isinstance(cause, ClientError | BotoCoreError):
            raise
        raise _refused(cause, target) from None
    except (ClientError, BotoCoreError) as fault:
        raise _refused(fault, target) from None


def known_head(store: DynamoStore, target: Target) -> Head:
    """The endpoint's record; raises BadInput when the stack has none of that name."""
    head = store.head(target.endpoint)
    if head is None:
        known = ", ".join(store.endpoints()) or "none"
        raise BadInput((f"endpoint {target.endpoint!r} is not known to stack {target.stack} (known: {known})",))
    return head


def _refused(fault: ClientError | BotoCoreError, target: Target) -> BadInput:
    where = f"project {target.project!r} and stack {target.stack!r}"
    if isinstance(fault, ClientError) and fault.response["Error"].get("Code") in _MISSING:
        return BadInput(
            (f"{where} have no records here ({fault}). Check --project, --stack, --region and the AWS account.",)
        )
    return BadInput((f"the records of {where} cannot be read: {fault}",))
