"""Transactions as DynamoDB has them: once for each token, and all or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.cloud import Cloud
from tests.sandbox.deploying import START, client


@pytest.fixture
def table(cloud: Cloud) -> None:
    client("dynamodb").create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def add_one(token: str, step: str = "1") -> None:
    update = {
        "TableName": "t",
        "Key": {"pk": {"S": "HEAD"}},
        "UpdateExpression": "ADD version :step",
        "ExpressionAttributeValues": {":step": {"N": step}},
    }
    client("dynamodb").transact_write_items(TransactItems=[{"Update": update}], ClientRequestToken=token)


def version() -> str:
    return str(client("dynamodb").get_item(TableName="t", Key={"pk": {"S": "HEAD"}})["Item"]["version"]["N"])


def test_a_transaction_with_the_same_token_happens_once_in_ten_minutes(cloud: Cloud, table: None) -> None:
    add_one("a")
    add_one("a")
    once = version()
    add_one("b")
    cloud.clock.run_for(601)
    add_one("a")

    assert once == "1"
    assert version() == "3"


def test_a_token_used_for_another_transaction_is_refused(table: None) -> None:
    add_one("a")

    with pytest.raises(ClientError) as caught:
        add_one("a", step="5")

    assert caught.value.response["Error"]["Code"] == "IdempotentParameterMismatchException"
    assert version() == "1"


def test_a_failed_condition_cancels_the_transaction_with_its_reasons(table: None) -> None:
    add_one("a")
    fresh = {"Put": {"TableName": "t", "Item": {"pk": {"S": "EVENT"}}}}
    guard = {
        "ConditionCheck": {
            "TableName": "t",
            "Key": {"pk": {"S": "HEAD"}},
            "ConditionExpression": "version = :seen",
            "ExpressionAttributeValues": {":seen": {"N": "0"}},
        }
    }

    with pytest.raises(client("dynamodb").exceptions.TransactionCanceledException) as caught:
        client("dynamodb").transact_write_items(TransactItems=[fresh, guard], ClientRequestToken="c")

    assert [r["Code"] for r in caught.value.response["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert "Item" not in client("dynamodb").get_item(TableName="t", Key={"pk": {"S": "EVENT"}})


def test_a_cancelled_transaction_may_be_tried_again_with_its_token(table: None) -> None:
    fresh = {"TableName": "t", "Item": {"pk": {"S": "E"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    client("dynamodb").put_item(TableName="t", Item={"pk": {"S": "E"}})
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client("dynamodb").transact_write_items(TransactItems=[{"Put": fresh}], ClientRequestToken="c")
    client("dynamodb").delete_item(TableName="t", Key={"pk": {"S": "E"}})

    client("dynamodb").transact_write_items(TransactItems=[{"Put": fresh}], ClientRequestToken="c")

    assert "Item" in client("dynamodb").get_item(TableName="t", Key={"pk": {"S": "E"}})


@pytest.mark.parametrize("ranged", [False, True])
def test_a_cancelled_transaction_restores_everything_it_touched(ranged: bool) -> None:
    keys = ["pk", "sk"] if ranged else ["pk"]
    with Cloud(START):
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName="t",
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )

        def key(name: str) -> dict[str, Any]:
            return {"pk": {"S": "E" if ranged else name}} | ({"sk": {"S": name}} if ranged else {})

        for name in ("updated", "replaced", "deleted"):
            dynamodb.put_item(TableName="t", Item={**key(name), "n": {"N": "1"}, "l": {"L": [{"S": "a"}]}})
        before = sorted(dynamodb.scan(TableName="t")["Items"], key=str)
        change = {
            "UpdateExpression": "SET n = :two, #l = list_append(#l, :b)",
            "ExpressionAttributeNames": {"#l": "l"},
            "ExpressionAttributeValues": {":two": {"N": "2"}, ":b": {"L": [{"S": "b"}]}},
        }
        items = [
            {"Update": {"TableName": "t", "Key": key("updated"), **change}},
            {"Put": {"TableName": "t", "Item": key("replaced")}},
            {"Put": {"TableName": "t", "Item": key("new")}},
            {"Delete": {"TableName": "t", "Key": key("deleted")}},
            {"ConditionCheck": {"TableName": "t", "Key": key("x"), "ConditionExpression": "attribute_exists(pk)"}},
        ]

        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            dynamodb.transact_write_items(TransactItems=items)
        after = sorted(dynamodb.scan(TableName="t")["Items"], key=str)
        dynamodb.transact_write_items(TransactItems=items[:-1])
        done = dynamodb.scan(TableName="t")["Items"]

    assert after == before
    assert len(done) == 3
