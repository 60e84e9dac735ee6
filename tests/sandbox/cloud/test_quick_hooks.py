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
    with Cloud(datetime(2026, 1, 5, tzinfo=UTC)):
        assert responses.gen_amzn_requestid_long({}) == "sandbox"

    assert (responses.gen_amzn_requestid_long, BackendDict.__getitem__, json_path.parse) == before
