from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.faults import Fault, Kill
from tests.sandbox.deploying import LOGS, START, allow, client, function, polling, put_policy, queue, url

WORKER = """
    import json
    def handler(event, context):
        bodies = [record["body"] for record in event["Records"]]
        print(json.dumps(bodies))
        if any(body.startswith("bad") for body in bodies):
            raise RuntimeError("bad message")
"""


def mapped(
    source: str = WORKER, *, visibility: int = 30, timeout: int = 30, dead_after: int | None = None, **more: Any
) -> str:
    attributes = {"VisibilityTimeout": str(visibility)}
    if dead_after:
        redrive = {"deadLetterTargetArn": queue("dead"), "maxReceiveCount": dead_after}
        attributes["RedrivePolicy"] = json.dumps(redrive)
    arn = queue("alarms", **attributes)
    function("alarm", source, polling(arn), timeout=timeout)
    made = client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="alarm", **more)
    return str(made["UUID"])


def send(*bodies: str, **more: Any) -> None:
    for body in bodies:
        client("sqs").send_message(QueueUrl=url("alarms"), MessageBody=body, **more)


def runs(cloud: Cloud) -> list[tuple[float, Any]]:
    lines = [line for line in cloud.functions.logs.get("alarm", []) if line.text.startswith('["')]
    return [((line.at - START).total_seconds(), json.loads(line.text)) for line in lines]


def left(name: str = "alarms") -> int:
    attributes = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client("sqs").get_queue_attributes(QueueUrl=url(name), AttributeNames=attributes)["Attributes"]
    return sum(int(value) for value in found.values())


def test_a_message_invokes_the_function_within_a_second_and_is_deleted(cloud: Cloud) -> None:
    mapped()
    send("a")
    cloud.clock.run_for(1)

    assert runs(cloud) == [(1, ["a"])]
    assert left() == 0


def test_the_event_has_the_shape_lambda_sends(cloud: Cloud) -> None:
    mapped("import json\ndef handler(event, context): print(json.dumps(event))")
    send("a", MessageAttributes={"Why": {"DataType": "String", "StringValue": "drill"}})
    cloud.clock.run_for(1)

    (record,) = json.loads(cloud.functions.text("alarm"))["Records"]
    assert set(record) == {
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    }
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:alarms"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["SentTimestamp"] == str(int(START.timestamp() * 1000))
    assert record["messageAttributes"]["Why"]["stringValue"] == "drill"


def test_messages_come_in_batches_of_the_asked_size(cloud: Cloud) -> None:
    mapped(BatchSize=2)
    send("a", "b", "c")
    cloud.clock.run_for(5)

    assert runs(cloud) == [(1, ["a", "b"]), (2, ["c"])]


def test_a_failed_message_comes_back_after_the_visibility_timeout(cloud: Cloud) -> None:
    mapped(visibility=40)
    send("bad")
    cloud.clock.run_for(100)

    assert [at for at, _ in runs(cloud)] == [1, pytest.approx(41, abs=1.1), pytest.approx(81, abs=1.1)]
    assert left() == 1


def test_a_message_that_fails_too_often_moves_to_the_dead_letter_queue(cloud: Cloud) -> None:
    mapped(dead_after=3)
    send("bad")
    cloud.clock.run_for(600)

    assert len(runs(cloud)) == 3
    assert (left(), left("dead")) == (0, 1)


def test_only_the_reported_messages_of_a_batch_come_back(cloud: Cloud) -> None:
    mapped(
        """
        import json
        def handler(event, context):
            print(json.dumps([r["body"] for r in event["Records"]]))
            failed = [r["messageId"] for r in event["Records"] if r["body"].startswith("bad")]
            return {"batchItemFailures": [{"itemIdentifier": i} for i in failed]}
        """,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    send("good", "bad", "fine")
    cloud.clock.run_for(35)

    assert [bodies for _, bodies in runs(cloud)] == [["good", "bad", "fine"], ["bad"]]


def test_a_report_that_names_no_message_of_the_batch_fails_all_of_it(cloud: Cloud) -> None:
    mapped(
        "def handler(event, context): return {'batchItemFailures': [{'itemIdentifier': 'nobody'}]}",
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    send("a", "b")
    cloud.clock.run_for(5)

    assert left() == 2


def test_a_killed_invocation_leaves_its_message_in_the_queue(cloud: Cloud) -> None:
    arn = queue("alarms", VisibilityTimeout="30")
    function(
        "alarm",
        """
        import boto3
        def handler(event, context):
            boto3.client("ssm").put_parameter(Name="/latched", Value="1", Type="String", Overwrite=True)
            print('["ran"]')
        """,
        polling(arn),
        allow("Latch", "ssm:PutParameter", "*"),
    )
    client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="alarm")
    cloud.gate.inject(Fault(Kill(), function="alarm", operation="PutParameter", moment="after"))
    send("a")
    cloud.clock.run_for(60)

    assert [at for at, _ in runs(cloud)] == [pytest.approx(31, abs=1.1)]
    assert left() == 0


def test_the_poller_acts_as_the_functions_role(cloud: Cloud) -> None:
    mapped()
    send("a")
    cloud.clock.run_for(1)

    polls = cloud.gate.made(function="mapping:alarm")
    assert [call.operation for call in polls] == ["GetQueueAttributes", "ReceiveMessage", "DeleteMessage"]
    assert {call.sids for call in polls} == {("Poll",)}


@pytest.mark.parametrize("missing", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"])
def test_a_mapping_is_refused_when_the_role_may_not_poll(cloud: Cloud, missing: str) -> None:
    arn = queue("alarms")
    rest = [a for a in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes") if a != missing]
    function("alarm", WORKER, allow("Poll", [f"sqs:{action}" for action in rest], arn))

    with pytest.raises(ClientError, match=f"does not have permissions to call {missing} on SQS") as caught:
        client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="alarm")

    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_mapping_is_refused_when_messages_come_back_before_the_function_ends(cloud: Cloud) -> None:
    with pytest.raises(
        ClientError, match="Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    ):
        mapped(visibility=30, timeout=60)


def test_a_permission_taken_away_stops_the_polling_until_it_is_back(cloud: Cloud) -> None:
    mapped()
    put_policy("alarm-role", LOGS)
    send("a")
    cloud.clock.run_for(300)
    refused = len(cloud.sources.refusals)
    put_policy("alarm-role", LOGS, polling("arn:aws:sqs:us-east-1:123456789012:alarms"))
    cloud.clock.run_for(120)

    assert refused == 5, "once a minute"
    assert "sqs:GetQueueAttributes" in cloud.sources.refusals[0].error
    assert [bodies for _, bodies in runs(cloud)] == [["a"]]


def test_messages_that_waited_before_the_mapping_are_found(cloud: Cloud) -> None:
    queue("alarms", VisibilityTimeout="30")
    send("early")
    mapped()
    cloud.clock.run_for(61)

    assert [bodies for _, bodies in runs(cloud)] == [["early"]]


def test_a_delayed_message_is_delivered_when_its_delay_ends(cloud: Cloud) -> None:
    mapped()
    send("later", DelaySeconds=20)
    cloud.clock.run_for(60)

    assert [at for at, _ in runs(cloud)] == [pytest.approx(20, abs=1.1)]


def test_a_disabled_or_deleted_mapping_takes_nothing(cloud: Cloud) -> None:
    uuid = mapped()
    client("lambda").update_event_source_mapping(UUID=uuid, Enabled=False)
    send("a")
    cloud.clock.run_for(120)
    disabled = runs(cloud)
    client("lambda").update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.clock.run_for(120)
    enabled = runs(cloud)
    client("lambda").delete_event_source_mapping(UUID=uuid)
    send("b")
    cloud.clock.run_for(120)

    assert disabled == []
    assert [bodies for _, bodies in enabled] == [["a"]]
    assert runs(cloud) == enabled
    assert left() == 1


def test_an_empty_queue_is_not_polled(cloud: Cloud) -> None:
    mapped()
    cloud.clock.run_for(24 * 3600)

    assert cloud.gate.made(function="mapping:alarm") == []


def test_a_long_poll_waits_in_virtual_time(cloud: Cloud) -> None:
    queue("q")
    cloud.clock.call_after(5, lambda: client("sqs").send_message(QueueUrl=url("q"), MessageBody="x"), "sender")

    answer = client("sqs").receive_message(QueueUrl=url("q"), WaitTimeSeconds=20)

    assert answer["Messages"][0]["Body"] == "x"
    assert (cloud.clock.now() - START).total_seconds() == 5
    assert "Messages" not in client("sqs").receive_message(QueueUrl=url("q"), WaitTimeSeconds=10)
    assert (cloud.clock.now() - START).total_seconds() == pytest.approx(15, abs=1.1)
