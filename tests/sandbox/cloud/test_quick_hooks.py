"""Reads of DynamoDB that are answered from memory: what a caller and the gate see is what they would have seen without."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest

from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.faults import OPERATOR, Fault, Raise

KEY = {"pk": {"S": "a"}}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(datetime(2026, 1, 5, tzinfo=UTC)) as made:
        boto3.client("dynamodb").create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield made


def put(value: str) -> None:
    boto3.client("dynamodb").put_item(TableName="t", Item={**KEY, "value": {"S": value}})


def got() -> dict[str, object]:
    return boto3.client("dynamodb").get_item(TableName="t", Key=KEY)


def test_a_read_after_a_write_sees_the_write(cloud: Cloud) -> None:
    put("first")
    assert got()["Item"]["value"] == {"S": "first"}
    put("second")

    assert got()["Item"]["value"] == {"S": "second"}


def test_a_caller_that_changes_its_answer_changes_no_others(cloud: Cloud) -> None:
    put("first")
    got()["Item"]["value"] = {"S": "changed by the caller"}

    assert got()["Item"]["value"] == {"S": "first"}


def test_an_answer_from_memory_passes_the_gate_with_its_faults_and_its_log(cloud: Cloud) -> None:
    put("first")
    got()
    got()
    assert len(cloud.gate.made("GetItem")) == 2
    cloud.gate.inject(Fault(Raise("InternalServerError"), "dynamodb", "GetItem", OPERATOR))

    with pytest.raises(Exception, match="InternalServerError"):
        got()
