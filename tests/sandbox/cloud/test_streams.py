"""DynamoDB streams to functions: in order, filtered, retried, given up on."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.streams import wants
from tests.sandbox.deploying import START, allow, client, function, put_policy, queue, url

WORKER = """
    import json
    def handler(event, context):
        names = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
        print(json.dumps(names))
        if "bad" in names:
            return {"batchItemFailures": [
                {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
                for record in event["Records"] if record["dynamodb"]["Keys"]["id"]["S"] == "bad"]}
        return {"batchItemFailures": []}
"""
STREAM = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]


def mapped(**more: Any) -> str:
    """A table whose stream feeds a function; gives the stream's ARN."""
    table = client("dynamodb").create_table(
        TableName="records",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    stream = str(table["TableDescription"]["LatestStreamArn"])
    dead = queue("dead")
    function(
        "reader",
        WORKER,
        allow("Stream", STREAM, stream),
        allow("List", "dynamodb:ListStreams", "*"),
        allow("Dead", "sqs:SendMessage", dead),
    )
    client("lambda").create_event_source_mapping(
        EventSourceArn=stream,
        FunctionName="reader",
        StartingPosition="TRIM_HORIZON",
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": dead}},
        **more,
    )
    return stream


def put(*names: str) -> None:
    for name in names:
        client("dynamodb").put_item(TableName="records", Item={"id": {"S": name}})


def runs(cloud: Cloud) -> list[tuple[float, Any]]:
    lines = [line for line in cloud.functions.logs.get("reader", []) if line.text.startswith('["')]
    return [((line.at - START).total_seconds(), json.loads(line.text)) for line in lines]


def test_what_is_written_is_handed_over_within_a_second_and_in_order(cloud: Cloud) -> None:
    mapped()
    put("a", "b")
    cloud.clock.run_for(1)
    put("c")
    cloud.clock.run_for(60)

    assert runs(cloud) == [(1, ["a", "b"]), (2, ["c"])]


def test_a_full_batch_is_followed_by_the_next(cloud: Cloud) -> None:
    mapped(BatchSize=2)
    put("a", "b", "c", "d", "e")
    cloud.clock.run_for(10)

    assert [names for _, names in runs(cloud)] == [["a", "b"], ["c", "d"], ["e"]]


def test_only_what_the_filter_wants_is_handed_over(cloud: Cloud) -> None:
    pattern = {"dynamodb": {"Keys": {"id": {"S": [{"prefix": "V#"}]}}}, "eventName": ["INSERT"]}
    mapped(FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
    put("x", "V#1", "y", "V#2")
    put("V#1")  # changed, not added: not wanted here
    cloud.clock.run_for(10)

    assert [names for _, names in runs(cloud)] == [["V#1", "V#2"]]


def test_a_rule_the_sandbox_does_not_know_is_an_error_not_a_match() -> None:
    class Mapping:
        filter_criteria = {"Filters": [{"Pattern": json.dumps({"eventName": [{"suffix": "T"}]})}]}  # noqa: RUF012

    with pytest.raises(NotImplementedError, match="knows exact values and `prefix`"):
        wants(Mapping, {"eventName": "INSERT"})


def test_a_record_that_fails_holds_up_those_behind_it_and_is_given_up_after_its_tries(cloud: Cloud) -> None:
    mapped(MaximumRetryAttempts=2)
    put("a", "bad", "b")
    cloud.clock.run_for(120)

    assert [names for _, names in runs(cloud)] == [["a", "bad", "b"], ["bad", "b"], ["bad", "b"], ["b"]]
    (message,) = client("sqs").receive_message(QueueUrl=url("dead"))["Messages"]
    assert json.loads(message["Body"])["DDBStreamBatchInfo"]["batchSize"] == 1


def test_without_a_limit_a_record_is_tried_for_ever_at_a_growing_pace(cloud: Cloud) -> None:
    mapped()
    put("bad")
    cloud.clock.run_for(3600)

    times = [at for at, _ in runs(cloud)]
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[:4] == [2, 4, 8, 16]
    assert max(pauses) == 60


def test_a_cancelled_transaction_is_not_told_of(cloud: Cloud) -> None:
    mapped()
    put("a")
    there = {"TableName": "records", "ConditionExpression": "attribute_not_exists(id)"}
    items = [
        {"Put": {"TableName": "records", "Item": {"id": {"S": "b"}}}},
        {"Put": {**there, "Item": {"id": {"S": "a"}}}},
    ]
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        client("dynamodb").transact_write_items(TransactItems=items)
    put("c")
    cloud.clock.run_for(10)

    assert [name for _, names in runs(cloud) for name in names] == ["a", "c"]


def test_a_mapping_is_refused_without_the_permission_to_read_the_stream(cloud: Cloud) -> None:
    stream = mapped()
    function("other", WORKER)

    with pytest.raises(ClientError, match="Please ensure the role can perform the DescribeStream action"):
        client("lambda").create_event_source_mapping(
            EventSourceArn=stream, FunctionName="other", StartingPosition="TRIM_HORIZON"
        )


def test_a_permission_taken_away_later_only_delays(cloud: Cloud) -> None:
    stream = mapped()
    put_policy("reader-role", allow("Dead", "sqs:SendMessage", "*"))
    put("a")
    cloud.clock.run_for(90)
    assert runs(cloud) == []

    put_policy(
        "reader-role",
        allow("Stream", STREAM, stream),
        allow("List", "dynamodb:ListStreams", "*"),
        allow("Logs", "logs:*", "*"),
    )
    cloud.clock.run_for(90)

    assert [names for _, names in runs(cloud)] == [["a"]]
