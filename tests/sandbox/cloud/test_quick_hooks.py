"""Reads of DynamoDB that are answered from memory: what a caller and the gate see is what they would have seen without."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.faults import OPERATOR, Fault, Raise
from tests.sandbox.deploying import function

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


def asked_of_the_table(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The reads that reach moto from now on."""
    from moto.dynamodb.responses import DynamoHandler

    reached: list[str] = []
    original = DynamoHandler.get_item
    monkeypatch.setattr(DynamoHandler, "get_item", lambda handler: (reached.append("read"), original(handler))[1])
    return reached


def test_a_put_of_another_item_leaves_a_read_known_and_any_other_write_does_not(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("first")
    got()
    reached = asked_of_the_table(cloud, monkeypatch)
    boto3.client("dynamodb").put_item(TableName="t", Item={"pk": {"S": "b"}})
    got()
    assert reached == []
    boto3.client("dynamodb").delete_item(TableName="t", Key={"pk": {"S": "b"}})

    got()

    assert reached == ["read"]


@pytest.mark.parametrize(
    ("more", "asks"),
    [
        ({"value": {"S": "second"}, "empty": {"S": ""}}, {}),
        ({"value": {"S": "second"}}, {"ConsistentRead": True}),
        ({"value": {"N": "1.50"}}, {}),
        ({"value": {"M": {"a": {"S": "b"}}}}, {}),
        ({"value": {"S": "second"}}, {"ProjectionExpression": "pk"}),
    ],
    ids=["texts", "consistent", "number", "map", "projection"],
)
def test_what_was_put_is_read_as_the_table_would_give_it(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], asks: dict[str, Any]
) -> None:
    dynamodb = boto3.client("dynamodb")
    dynamodb.get_item(TableName="t", Key=KEY, **asks)
    reached = asked_of_the_table(cloud, monkeypatch)
    dynamodb.put_item(TableName="t", Item={**KEY, **more})
    from_memory = dynamodb.get_item(TableName="t", Key=KEY, **asks)
    is_text = all("S" in value for value in more.values())
    assert reached == ([] if is_text and "ProjectionExpression" not in asks else ["read"])
    dynamodb.delete_item(TableName="t", Key={"pk": {"S": "another"}})  # all is forgotten

    assert from_memory["Item"] == dynamodb.get_item(TableName="t", Key=KEY, **asks)["Item"]


@pytest.mark.parametrize("table", ["other", "arn:aws:dynamodb:us-east-1:123456789012:table/other"])
def test_what_was_put_into_one_table_is_not_read_from_another(cloud: Cloud, table: str) -> None:
    boto3.client("dynamodb").create_table(
        TableName="other",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    boto3.client("dynamodb").get_item(TableName=table, Key=KEY)
    put("first")

    assert "Item" not in boto3.client("dynamodb").get_item(TableName=table, Key=KEY)


def test_what_was_put_by_a_table_s_name_is_read_by_its_arn(cloud: Cloud) -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/t"
    put("first")
    boto3.client("dynamodb").get_item(TableName=arn, Key=KEY)
    put("second")

    assert boto3.client("dynamodb").get_item(TableName=arn, Key=KEY)["Item"]["value"] == {"S": "second"}


def test_a_put_that_is_refused_tells_nothing(cloud: Cloud) -> None:
    put("first")
    got()
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        boto3.client("dynamodb").put_item(
            TableName="t", Item={**KEY, "value": {"S": "second"}}, ConditionExpression="attribute_not_exists(pk)"
        )

    assert got()["Item"]["value"] == {"S": "first"}


def test_another_region_has_answers_of_its_own(cloud: Cloud) -> None:
    put("first")
    got()

    with pytest.raises(Exception, match="ResourceNotFoundException"):
        boto3.client("dynamodb", region_name="eu-west-1").get_item(TableName="t", Key=KEY)


INDEX = {
    "TableName": "t2",
    "IndexName": "live",
    "KeyConditionExpression": "#live = :yes",
    "ExpressionAttributeNames": {"#live": "live"},
    "ExpressionAttributeValues": {":yes": {"S": "yes"}},
}


@pytest.fixture
def indexed(cloud: Cloud) -> Cloud:
    """A table with a range key, an index over `live`, and the item a/1 in it."""
    keys = {"pk": "HASH", "sk": "RANGE"}
    boto3.client("dynamodb").create_table(
        TableName="t2",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "live")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "live",
                "KeySchema": [{"AttributeName": "live", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    put_in("a", "1", live="yes")
    return cloud


def put_in(pk: str, sk: str, **more: str) -> None:
    item = {name: {"S": value} for name, value in {"pk": pk, "sk": sk, **more}.items()}
    boto3.client("dynamodb").put_item(TableName="t2", Item=item)


def found(query: dict[str, Any] = INDEX) -> list[str]:
    return [item["pk"]["S"] + item["sk"]["S"] for item in boto3.client("dynamodb").query(**query)["Items"]]


def queries_of_the_table(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that reach moto from now on."""
    from moto.dynamodb.responses import DynamoHandler

    reached: list[str] = []
    original = DynamoHandler.query
    monkeypatch.setattr(DynamoHandler, "query", lambda handler: (reached.append("query"), original(handler))[1])
    return reached


def test_a_put_outside_an_index_leaves_a_query_of_the_index_known(
    indexed: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found() == ["a1"]
    reached = queries_of_the_table(monkeypatch)
    put_in("a", "2")
    put_in("a", "2", live="no")
    put_in("b", "1")

    assert found() == ["a1"]
    assert reached == []


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda: put_in("b", "1", live="yes"), ["a1", "b1"]),
        (lambda: put_in("a", "1"), []),
        (lambda: put_in("a", "1", live="no"), []),
        (lambda: put_in("a", "1", live="yes", more="words"), ["a1"]),
        (lambda: boto3.client("dynamodb").delete_item(TableName="t2", Key={"pk": {"S": "a"}, "sk": {"S": "1"}}), []),
    ],
    ids=["comes in", "goes out", "goes to another partition", "is replaced", "is deleted"],
)
def test_a_write_that_touches_what_a_query_found_makes_it_asked_again(
    indexed: Cloud, monkeypatch: pytest.MonkeyPatch, write: Callable[[], object], expected: list[str]
) -> None:
    found()
    reached = queries_of_the_table(monkeypatch)
    write()

    assert found() == expected
    assert reached == ["query"]


def test_a_query_of_one_partition_is_asked_again_only_after_a_put_into_it(
    indexed: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition: dict[str, Any] = {
        "TableName": "t2",
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {":pk": {"S": "a"}, ":first": {"S": "1"}, ":last": {"S": "9"}},
    }
    assert found(partition) == ["a1"]
    reached = queries_of_the_table(monkeypatch)
    put_in("b", "2")
    assert found(partition) == ["a1"]
    assert reached == []
    put_in("a", "2")

    assert found(partition) == ["a1", "a2"]
    assert reached == ["query"]


def test_every_call_that_may_write_is_counted_also_one_that_fails(cloud: Cloud) -> None:
    before = cloud.table_writes
    put("first")
    got()
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        boto3.client("dynamodb").put_item(TableName="no such table", Item=KEY)

    assert cloud.table_writes == before + 2


def test_the_methods_of_a_dataclass_are_compiled_once_and_belong_to_their_own_class(cloud: Cloud) -> None:
    def made() -> type:
        @dataclasses.dataclass(frozen=True, slots=True, order=True)
        class Made:
            size: int
            words: tuple[str, ...] = ()

        return Made

    first, second = made(), made()

    assert first.__init__.__code__ is second.__init__.__code__  # type: ignore[misc]
    assert first(1, ("a",)) == first(1, ("a",)) < first(2)
    assert first(1) != second(1), "equal only within one class"
    assert repr(second(3)).endswith("Made(size=3, words=())")
    with pytest.raises(dataclasses.FrozenInstanceError):
        first(1).size = 2


SOURCE = """
    def handler(event, context):
        print("asked", context.invoked_function_arn)
        return {"seen": event["word"]}
"""


@pytest.mark.parametrize(
    "asked",
    [
        {"FunctionName": "echo", "Payload": b'{"word": "caf\xc3\xa9"}'},
        {"FunctionName": "echo", "Payload": b'{"word": 1}', "LogType": "Tail"},
        {"FunctionName": "echo", "Payload": b'{"word": 1}', "Qualifier": "live"},
        {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:echo:live", "Payload": b'{"word": 1}'},
        {"FunctionName": "echo", "Payload": b"{}"},
        {"FunctionName": "echo", "InvocationType": "Event", "Payload": b"{}"},
        {"FunctionName": "echo", "InvocationType": "DryRun"},
        {"FunctionName": "echo", "Payload": b"no JSON"},
        {"FunctionName": "nobody", "Payload": b"{}"},
    ],
    ids=["text", "log", "qualifier", "arn", "raises", "event", "dry run", "no json", "missing"],
)
def test_an_invocation_the_short_way_comes_to_what_it_does_the_long_way(cloud: Cloud, asked: dict[str, Any]) -> None:
    function("echo", SOURCE)
    boto3.client("lambda").publish_version(FunctionName="echo")
    boto3.client("lambda").create_alias(FunctionName="echo", Name="live", FunctionVersion="1")

    short = said(asked)
    cloud.lights.clear()

    assert short == said(asked)


def said(asked: dict[str, Any]) -> dict[str, Any]:
    """All of an answer that does not name the single request."""
    try:
        answer = boto3.client("lambda").invoke(**asked)
    except ClientError as error:
        return {"error": error.response["Error"], "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    body = answer.pop("Payload").read()
    metadata = answer.pop("ResponseMetadata")
    return {**answer, "body": body, "status": metadata["HTTPStatusCode"], "retries": metadata["RetryAttempts"]}


def test_a_path_of_a_state_machine_is_parsed_once_and_finds_what_is_there(cloud: Cloud) -> None:
    from moto.stepfunctions.parser.asl.utils import json_path

    assert json_path.extract_json("$.a.b", {"a": {"b": 1}}) == 1
    assert json_path.extract_json("$.a.b", {"a": {"b": 2}}) == 2
    assert json_path.parse("$.a.b") is json_path.parse("$.a.b")


def test_a_backend_is_found_without_a_lock_and_forgotten_with_the_account(cloud: Cloud) -> None:
    from moto.dynamodb.models import dynamodb_backends

    backend = dynamodb_backends["123456789012"]["us-east-1"]
    assert "t" in backend.tables
    assert dynamodb_backends["123456789012"]["us-east-1"] is backend
    cloud.stop()
    cloud.start()

    assert "t" not in dynamodb_backends["123456789012"]["us-east-1"].tables


def test_what_was_replaced_is_moto_s_own_again_after_the_end() -> None:
    from moto.core import responses
    from moto.core.base_backend import BackendDict
    from moto.stepfunctions.parser.asl.utils import json_path

    before = responses.gen_amzn_requestid_long, BackendDict.__getitem__, json_path.parse
    assert "exec" not in vars(dataclasses)
    with Cloud(datetime(2026, 1, 5, tzinfo=UTC)):
        assert responses.gen_amzn_requestid_long({}) == "sandbox"
        assert "exec" in vars(dataclasses)

    assert (responses.gen_amzn_requestid_long, BackendDict.__getitem__, json_path.parse) == before
    assert "exec" not in vars(dataclasses)
