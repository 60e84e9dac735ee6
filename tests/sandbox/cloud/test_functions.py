"""Who a function is and what it may, how an invocation ends, and what it logs."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.faults import Fault, Kill
from tests.sandbox.deploying import ACCOUNT, ECHO, START, allow, client, function, invoke, put_policy

FAILING = """
    def handler(event, context):
        raise KeyError(event["missing"] if "missing" in event else "nothing")
"""


# Who it is, and what it may


def test_a_handler_calls_aws_as_its_role(cloud: Cloud) -> None:
    source = """
        import boto3
        def handler(event, context):
            return boto3.client("ssm").put_parameter(Name="/sluice/x", Value="1", Type="String")["Version"]
    """
    function(
        "writer", source, allow("Write", "ssm:PutParameter", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/sluice/*")
    )
    function("reader", source)

    assert invoke("writer") == (1, None)
    answer, error = invoke("reader")
    assert error == "Unhandled"
    assert answer["errorType"] == "AccessDeniedException"
    assert "assumed-role/reader-role/reader is not authorized to perform: ssm:PutParameter" in answer["errorMessage"]


def test_a_role_that_lambda_may_not_assume_runs_nothing(cloud: Cloud) -> None:
    function("echo", ECHO)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    client("iam").update_assume_role_policy(RoleName="echo-role", PolicyDocument=json.dumps(trust))

    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        invoke("echo")


def test_an_invocation_by_a_function_needs_the_permission_to_invoke(cloud: Cloud) -> None:
    function("inner", ECHO)
    function(
        "outer",
        """
        import boto3
        def handler(event, context):
            boto3.client("lambda").invoke(FunctionName="inner")
        """,
    )

    answer, _ = invoke("outer")

    assert (
        "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:inner"
        in answer["errorMessage"]
    )


def test_a_service_needs_a_statement_of_the_functions_policy_for_its_source(cloud: Cloud) -> None:
    arn = function("echo", ECHO)
    rule = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/alarms"
    before = cloud.functions.permits(arn, "events.amazonaws.com", rule)

    client("lambda").add_permission(
        FunctionName="echo",
        StatementId="Rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )

    assert not before
    assert cloud.functions.permits(arn, "events.amazonaws.com", rule)
    assert not cloud.functions.permits(arn, "events.amazonaws.com", rule + "-other")
    assert not cloud.functions.permits(arn, "scheduler.amazonaws.com", rule)


# How it ends


def test_a_raised_error_is_answered_as_lambda_does(cloud: Cloud) -> None:
    function("failing", FAILING)

    answer, error = invoke("failing", {"missing": "champion"})

    assert error == "Unhandled"
    assert answer["errorType"] == "KeyError"
    assert answer["errorMessage"] == "'champion'"
    assert "app.py" in answer["stackTrace"][-1]
    assert "[ERROR] KeyError: 'champion'" in cloud.functions.text("failing")


def test_a_failure_keeps_the_container(cloud: Cloud) -> None:
    function("failing", "n = []\ndef handler(event, context):\n    n.append(1)\n    raise ValueError(len(n))")

    assert [invoke("failing")[0]["errorMessage"] for _ in range(2)] == ["1", "2"]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def other(event, context): pass", "Runtime.HandlerNotFound"),
        ("raise RuntimeError('at import')", "Runtime.ImportModuleError"),
        ("def handler(event, context): return {1, 2}", "Runtime.MarshalError"),
        ("def handler(event, context): return 6_300_000 * 'x'", "Function.ResponseSizeTooLarge"),
    ],
)
def test_errors_of_the_runtime_have_their_own_types(cloud: Cloud, source: str, kind: str) -> None:
    function("broken", source)

    answer, error = invoke("broken")

    assert (error, answer["errorType"]) == ("Unhandled", kind)


def test_a_function_that_oversleeps_is_cut_off_at_its_timeout(cloud: Cloud) -> None:
    function(
        "slow",
        """
        import time
        def handler(event, context):
            try:
                time.sleep(600)
            except Exception:
                pass
            print("never")
        """,
        timeout=5,
    )

    answer, error = invoke("slow")

    assert error == "Unhandled"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Task timed out after 5.00 seconds")
    assert (cloud.clock.now() - START).total_seconds() == 5
    assert "never" not in cloud.functions.text("slow")


def test_a_killed_invocation_is_an_error_and_takes_its_container_along(cloud: Cloud) -> None:
    function(
        "tick",
        """
        import boto3
        calls = []
        def handler(event, context):
            calls.append(1)
            try:
                boto3.client("ssm").put_parameter(Name="/a", Value="1", Type="String", Overwrite=True)
            except Exception:
                return "caught"
            return len(calls)
        """,
        allow("Write", "ssm:PutParameter", "*"),
    )
    cloud.gate.inject(Fault(Kill(), function="tick", operation="PutParameter", nth=2))

    first, killed, after = (invoke("tick") for _ in range(3))

    assert first == (1, None)
    assert killed[1] == "Unhandled"
    assert killed[0]["errorType"] == "Runtime.ExitError"
    assert after == (1, None), "a cold start"


def test_an_unknown_function_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(client("lambda").exceptions.ResourceNotFoundException):
        invoke("nobody")


def test_a_payload_that_is_not_json_is_refused(cloud: Cloud) -> None:
    function("echo", ECHO)

    with pytest.raises(ClientError, match="Could not parse request body into json"):
        client("lambda").invoke(FunctionName="echo", Payload=b"{")


def test_a_dry_run_runs_nothing(cloud: Cloud) -> None:
    function("failing", FAILING)

    answer = client("lambda").invoke(FunctionName="failing", InvocationType="DryRun")

    assert answer["StatusCode"] == 204
    assert cloud.functions.logs == {}


def test_reserved_concurrency_is_accepted(cloud: Cloud) -> None:
    function("echo", ECHO)
    client("lambda").put_function_concurrency(FunctionName="echo", ReservedConcurrentExecutions=1)

    assert invoke("echo", 1) == (1, None)


# What it logs


def test_the_log_tail_comes_with_the_answer_when_asked_for(cloud: Cloud) -> None:
    function("talk", "def handler(event, context): print('one'); print('two')")

    answer = client("lambda").invoke(FunctionName="talk", LogType="Tail")

    assert base64.b64decode(answer["LogResult"]).decode() == "one\ntwo"


def test_logs_are_lost_without_the_permission_to_write_them(cloud: Cloud) -> None:
    function("talk", "def handler(event, context): print('said')")
    put_policy("talk-role", allow("Other", "s3:GetObject", "*"))

    invoke("talk")

    assert cloud.functions.text("talk") == ""
    assert cloud.functions.lost_logs["talk"] == ["said"]


def test_an_existing_log_group_spares_the_permission_to_create_it(cloud: Cloud) -> None:
    function("talk", "def handler(event, context): print('said')")
    writing = allow(
        "Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:*:*:log-group:/aws/lambda/talk:*"
    )
    put_policy("talk-role", writing)
    invoke("talk")
    client("logs").create_log_group(logGroupName="/aws/lambda/talk")

    invoke("talk")

    assert cloud.functions.lost_logs["talk"] == ["said"]
    assert cloud.functions.text("talk") == "said"


def test_embedded_metrics_become_metric_data(cloud: Cloud) -> None:
    received: list[tuple[str, list[dict[str, Any]]]] = []
    cloud.functions.on_metrics = lambda namespace, data: received.append((namespace, data))
    function(
        "meter",
        """
        import json, time
        def handler(event, context):
            print(json.dumps({
                "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
                    "Namespace": "Sluice", "Dimensions": [["endpoint"]],
                    "Metrics": [{"Name": "OverdueSeconds", "Unit": "Seconds"}]}]},
                "endpoint": "fraud", "OverdueSeconds": [0, 12.5],
            }))
            print('{"message": "no metrics here"}')
        """,
    )

    invoke("meter")

    ((namespace, (datum,)),) = received
    assert namespace == "Sluice"
    assert datum == {
        "MetricName": "OverdueSeconds",
        "Dimensions": [{"Name": "endpoint", "Value": "fraud"}],
        "Timestamp": START,
        "Unit": "Seconds",
        "StorageResolution": 60,
        "Values": [0.0, 12.5],
    }
