from __future__ import annotations

import base64
import json
import os
import sys
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

import sluice
from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.faults import Fault, Kill
from tests.sandbox.deploying import (
    ACCOUNT,
    LOGS,
    START,
    allow,
    client,
    function,
    invoke,
    polling,
    put_policy,
    queue,
    role,
    url,
    zip_of,
)

ECHO = """
    def handler(event, context):
        return event
"""
FAILING = """
    def handler(event, context):
        raise KeyError(event["missing"] if "missing" in event else "nothing")
"""


# What a handler finds around it


def test_a_handler_from_the_deployed_zip_answers(cloud: Cloud) -> None:
    function("echo", ECHO)

    assert invoke("echo", {"a": [1, None]}) == ({"a": [1, None]}, None)


def test_the_environment_holds_lambdas_variables_and_the_functions_own_and_nothing_of_the_hosts(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_HOST", "secret")
    function(
        "env",
        """
        import os
        def handler(event, context):
            os.environ["LEFT_BEHIND"] = "x"
            return dict(os.environ)
        """,
        environment={"TABLE": "sluice"},
    )

    found, _ = invoke("env")

    assert found["TABLE"] == "sluice"
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == "env"
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "us-east-1"
    assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert found["_HANDLER"] == "app.handler"
    assert found["TZ"] == ":UTC"
    assert "OF_THE_HOST" not in found
    assert os.environ["OF_THE_HOST"] == "secret"
    assert "LEFT_BEHIND" not in os.environ


def test_the_context_describes_the_invocation(cloud: Cloud) -> None:
    arn = function(
        "ctx",
        """
        import time
        def handler(event, context):
            time.sleep(3)
            return {
                "name": context.function_name, "version": context.function_version, "arn": context.invoked_function_arn,
                "memory": context.memory_limit_in_mb, "group": context.log_group_name, "stream": context.log_stream_name,
                "id": context.aws_request_id, "left": context.get_remaining_time_in_millis(),
            }
        """,
        timeout=10,
        MemorySize=256,
    )

    found, _ = invoke("ctx")

    stream = found.pop("stream")
    assert stream.startswith("2026/03/02/[$LATEST]")
    assert len(found.pop("id")) == 36
    assert found == {
        "name": "ctx",
        "version": "$LATEST",
        "arn": arn,
        "memory": "256",
        "group": "/aws/lambda/ctx",
        "left": 7000,
    }


def test_an_alias_is_seen_in_the_invoked_arn(cloud: Cloud) -> None:
    arn = function(
        "ctx", "def handler(event, context): return [context.invoked_function_arn, context.function_version]"
    )
    client("lambda").publish_version(FunctionName="ctx")
    client("lambda").create_alias(FunctionName="ctx", Name="live", FunctionVersion="1")

    assert invoke("ctx", Qualifier="live")[0] == [f"{arn}:live", "1"]
    assert invoke(f"{arn}:live")[0] == [f"{arn}:live", "1"]


def test_packages_of_the_zip_hide_the_hosts_packages_of_the_same_name(cloud: Cloud) -> None:
    code = zip_of(
        {
            "sluice/core/where.py": "PLACE = 'the zip'",
            "lambdas/tick.py": """
                from sluice.core import where
                def handler(event, context):
                    try:
                        import sluice.sandbox
                    except ImportError as error:
                        return [where.PLACE, where.__file__, str(error)]
            """,
        }
    )
    made = role("tick", LOGS)
    client("lambda").create_function(
        FunctionName="tick", Runtime="python3.13", Role=made, Handler="lambdas.tick.handler", Code={"ZipFile": code}
    )

    (place, file, missing), _ = invoke("tick")

    assert place == "the zip"
    assert "sluice-functions-" in file
    assert missing == "No module named 'sluice.sandbox'"
    assert sys.modules["sluice"] is sluice, "the host has its own back"
    assert "sluice.core.where" not in sys.modules


def test_a_library_that_is_not_in_the_zip_cannot_be_imported(cloud: Cloud) -> None:
    function("heavy", "import pydantic\ndef handler(event, context): pass")

    answer, error = invoke("heavy")

    assert error == "Unhandled"
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'pydantic'" in answer["errorMessage"]


def test_a_warm_container_keeps_its_modules_and_a_changed_function_gets_a_new_one(cloud: Cloud) -> None:
    counting = """
        import os
        calls = []
        def handler(event, context):
            calls.append(1)
            return [len(calls), os.environ.get("STEP")]
    """
    function("count", counting)
    warm = [invoke("count")[0] for _ in range(3)]

    client("lambda").update_function_configuration(FunctionName="count", Environment={"Variables": {"STEP": "two"}})
    configured = invoke("count")[0]
    client("lambda").update_function_code(FunctionName="count", ZipFile=zip_of({"app.py": counting + "    # changed"}))
    recoded = invoke("count")[0]

    assert warm == [[1, None], [2, None], [3, None]]
    assert configured == [1, "two"]
    assert recoded == [1, "two"]


def test_modules_a_handler_imports_late_or_throws_away_are_so_in_its_next_invocation(cloud: Cloud) -> None:
    source = """
        import sys
        def handler(event, context):
            if event == "import":
                import app_more
            elif event == "drop":
                del sys.modules["app_more"]
            elif event == "again":
                del sys.modules["app_more"]
                import app_more
            return sorted(name for name in sys.modules if name.startswith("app"))
    """
    function("lazy", source)
    client("lambda").update_function_code(
        FunctionName="lazy", ZipFile=zip_of({"app.py": source, "app_more.py": "WORD = 1"})
    )
    steps = ["nothing", "import", "nothing", "again", "nothing", "drop", "nothing", "import"]

    found = [invoke("lazy", step)[0] for step in steps]

    assert found[0] == found[5] == found[6] == ["app"]
    assert all(each == ["app", "app_more"] for each in [*found[1:5], found[7]])
    assert not [name for name in sys.modules if name.startswith("app_more")], "nothing of it is left in the host"


def test_functions_do_not_share_modules_or_loggers(cloud: Cloud) -> None:
    source = """
        import logging
        logger = logging.getLogger("sluice")
        logger.setLevel("INFO")
        def handler(event, context):
            logger.info("%s with %d handlers", context.function_name, len(logger.handlers))
            logger.addHandler(logging.NullHandler())
    """
    function("one", source)
    function("two", source)
    for name in ("one", "two", "one"):
        invoke(name)

    assert [line.text.split("\t")[-1] for line in cloud.functions.logs["one"]] == [
        "one with 0 handlers",
        "one with 1 handlers",
    ]
    assert cloud.functions.text("two").endswith("two with 0 handlers")


def test_an_invocation_inside_an_invocation_has_a_world_of_its_own(cloud: Cloud) -> None:
    inner = function(
        "inner", "import os\ndef handler(event, context): return os.environ['WHO']", environment={"WHO": "inner"}
    )
    function(
        "outer",
        """
        import boto3, json, os
        def handler(event, context):
            answer = boto3.client("lambda").invoke(FunctionName="inner", Payload=b"{}")
            return [json.loads(answer["Payload"].read()), os.environ["WHO"]]
        """,
        allow("Invoke", "lambda:InvokeFunction", inner),
        environment={"WHO": "outer"},
    )

    assert invoke("outer") == (["inner", "outer"], None)


def test_a_function_that_invokes_itself_gets_a_second_container(cloud: Cloud) -> None:
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:self"
    function(
        "self",
        """
        import boto3, json
        depth = 0
        def handler(event, context):
            global depth
            depth += 1
            if event["left"]:
                answer = boto3.client("lambda").invoke(
                    FunctionName="self", Payload=json.dumps({"left": event["left"] - 1}))
                return [depth] + json.loads(answer["Payload"].read())
            return [depth]
        """,
        allow("Invoke", "lambda:InvokeFunction", arn),
    )

    assert invoke("self", {"left": 2}) == ([1, 1, 1], None)


def test_handlers_that_sleep_side_by_side_keep_their_worlds_apart(cloud: Cloud) -> None:
    source = """
        import os, time
        def handler(event, context):
            seen = [os.environ["WHO"]]
            for _ in range(3):
                time.sleep(event["pause"])
                seen.append(os.environ["WHO"])
            print(seen)
    """
    for name in ("one", "two"):
        function(name, source, environment={"WHO": name})
    for name, pause in (("one", 3), ("two", 2)):
        client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"pause": pause}))
    environ = dict(os.environ)

    cloud.clock.run_for(30)

    assert cloud.functions.text("one") == str(["one"] * 4)
    assert cloud.functions.text("two") == str(["two"] * 4)
    assert dict(os.environ) == environ


def test_the_host_gets_everything_back(cloud: Cloud) -> None:
    before = (sys.path[:], sys.meta_path[:], dict(os.environ), sys.stdout, set(sys.modules))
    function("echo", ECHO)
    invoke("echo")

    path, finders, environ, stdout, modules = before
    assert (sys.path, sys.meta_path, dict(os.environ), sys.stdout) == (path, finders, environ, stdout)
    assert "app" not in sys.modules
    assert modules <= set(sys.modules)


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


# Asynchronous invocations


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


def test_equal_runs_have_equal_ids() -> None:
    def one_run() -> Any:
        with Cloud(START):
            function("ids", "def handler(event, context): return [context.aws_request_id, context.log_stream_name]")
            return invoke("ids"), queue("q"), polling("q"), time.time()

    assert one_run() == one_run()


def test_the_sandbox_sees_nothing_of_a_profile_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-the-developer")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # of a LocalStack, or of a served sandbox
    with Cloud(START):
        function("echo", ECHO)
        answer = invoke("echo", 1)

    assert answer == (1, None)
    assert os.environ["AWS_PROFILE"] == "of-the-developer"
    assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-3"
    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
