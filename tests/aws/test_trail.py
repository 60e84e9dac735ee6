"""What time it is where the records are."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
import time_machine

from sluice.aws.clients import client
from sluice.aws.trail import table_time


@pytest.fixture
def _table() -> None:
    boto3.client("dynamodb").create_table(
        TableName="sluice",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.mark.usefixtures("_table")
@pytest.mark.parametrize("said", ["Mon, 05 Jan 2026 09:00:00 GMT", None])
def test_it_is_what_the_table_says_and_only_without_its_word_what_this_computer_says(said: str | None) -> None:
    def answered(parsed: dict[str, Any], **_: object) -> None:
        headers = parsed["ResponseMetadata"]["HTTPHeaders"]
        headers.pop("date", None)
        headers.update({"date": said} if said else {})

    client("dynamodb").meta.events.register("after-call.dynamodb.GetItem", answered)

    with time_machine.travel(1_800_000_000, tick=False):
        found = table_time("sluice", "shop")

    assert found == (1_767_603_600 if said else 1_800_000_000)
