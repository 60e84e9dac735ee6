"""Asynchronous invocations: retried, and where the event goes that failed to the end."""

from __future__ import annotations

import json
from typing import Any

from sluice.sandbox.cloud.cloud import Cloud
from tests.sandbox.deploying import START, allow, client, function, queue, url


def outcomes(cloud: Cloud, name: str) -> list[float]:
    return [(line.at - START).total_seconds() for line in cloud.functions.logs.get(name, []) if "attempt" in line.text]


UNLUCKY = """
    def handler(event, context):
        print("attempt")
        raise RuntimeError("no luck")
"""


def test_an_asynchronous_invocation_returns_before_it_runs(cloud: Cloud) -> None:
    function("talk", "def handler(event, context): print('ran')")

    answer = client("lambda").invoke(FunctionName="talk", InvocationType="Event", Payload=b"{}")
    before = cloud.functions.text("talk")
    cloud.clock.run_for(0)

    assert answer["StatusCode"] == 202
    assert before == ""
    assert cloud.functions.text("talk") == "ran"


def test_a_failing_asynchronous_invocation_is_retried_after_one_and_two_minutes(cloud: Cloud) -> None:
    function("unlucky", UNLUCKY)
    client("lambda").invoke(FunctionName="unlucky", InvocationType="Event", Payload=b'{"n": 1}')

    cloud.clock.run_for(3600)

    assert outcomes(cloud, "unlucky") == [0, 60, 180]
    (lost,) = cloud.handoff.lost
    assert (lost.function, lost.body, lost.error) == ("unlucky", b'{"n": 1}', "RuntimeError")


def test_the_number_of_retries_can_be_configured(cloud: Cloud) -> None:
    function("unlucky", UNLUCKY)
    client("lambda").put_function_event_invoke_config(FunctionName="unlucky", MaximumRetryAttempts=0)
    client("lambda").invoke(FunctionName="unlucky", InvocationType="Event")

    cloud.clock.run_for(3600)

    assert outcomes(cloud, "unlucky") == [0]


def received(name: str) -> list[dict[str, Any]]:
    return client("sqs").receive_message(QueueUrl=url(name), MessageAttributeNames=["All"]).get("Messages", [])


def test_a_dead_letter_queue_gets_the_event_that_failed_three_times(cloud: Cloud) -> None:
    dead = queue("dead")
    function("unlucky", UNLUCKY, allow("Bury", "sqs:SendMessage", dead), DeadLetterConfig={"TargetArn": dead})
    client("lambda").invoke(FunctionName="unlucky", InvocationType="Event", Payload=b'{"n": 1}')

    cloud.clock.run_for(3600)

    (message,) = received("dead")
    assert message["Body"] == '{"n": 1}'
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no luck"
    assert cloud.handoff.lost == []
    assert cloud.gate.made("SendMessage")[0].sids == ("Bury",)


def test_a_dead_letter_queue_the_role_may_not_write_to_gets_nothing(cloud: Cloud) -> None:
    dead = queue("dead")
    function("unlucky", UNLUCKY, DeadLetterConfig={"TargetArn": dead})
    client("lambda").invoke(FunctionName="unlucky", InvocationType="Event")

    cloud.clock.run_for(3600)

    assert received("dead") == []
    assert "sqs:SendMessage" in cloud.handoff.lost[0].error


def test_a_function_lambda_may_not_run_counts_as_failed(cloud: Cloud) -> None:
    function("talk", "def handler(event, context): print('ran')")
    client("iam").update_assume_role_policy(
        RoleName="talk-role",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ],
            }
        ),
    )
    client("lambda").invoke(FunctionName="talk", InvocationType="Event")

    cloud.clock.run_for(3600)

    assert cloud.functions.text("talk") == ""
    assert [lost.error for lost in cloud.handoff.lost] == ["AccessDeniedException"]


def test_a_function_deleted_before_its_retry_loses_the_event(cloud: Cloud) -> None:
    function("unlucky", UNLUCKY)
    client("lambda").invoke(FunctionName="unlucky", InvocationType="Event")
    cloud.clock.run_for(30)
    client("lambda").delete_function(FunctionName="unlucky")

    cloud.clock.run_for(3600)

    assert outcomes(cloud, "unlucky") == [0]
    assert cloud.handoff.lost[0].error == "the function was deleted"


def test_a_failure_destination_gets_a_record_of_the_failure(cloud: Cloud) -> None:
    dead = queue("dead")
    function("unlucky", UNLUCKY, allow("Bury", "sqs:SendMessage", dead))
    client("lambda").put_function_event_invoke_config(
        FunctionName="unlucky", DestinationConfig={"OnFailure": {"Destination": dead}}
    )
    client("lambda").invoke(FunctionName="unlucky", InvocationType="Event", Payload=b'{"n": 1}')

    cloud.clock.run_for(3600)

    record = json.loads(received("dead")[0]["Body"])
    assert record["requestPayload"] == {"n": 1}
    assert record["responsePayload"]["errorMessage"] == "no luck"
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
