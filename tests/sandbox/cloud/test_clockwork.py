from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.faults import Fault, Raise
from tests.sandbox.deploying import START, allow, client, function, machine, put_policy, role

TICK = """
    import time
    def handler(event, context):
        print("tick", event.get("n", 0))
        time.sleep(event.get("work", 0))
        if event.get("fail_until", 0) > event.get("attempt", 0):
            raise RuntimeError("not yet")
        return {**event, "n": event.get("n", 0) + 1}
"""


def ticking(*, states: dict[str, Any] | None = None, **more: Any) -> str:
    """A machine that ticks each minute until the third tick."""
    arn = function("tick", TICK)
    caller = role("clock", allow("Invoke", "lambda:InvokeFunction", arn), service="states.amazonaws.com")
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
    invoke["Parameters"] = {"FunctionName": arn, "Payload.$": "$"}
    invoke["OutputPath"] = "$.Payload"
    default = {
        "Tick": {**invoke, "Next": "Enough"},
        "Enough": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericGreaterThanEquals": 3, "Next": "Done"}],
            "Default": "Bake",
        },
        "Bake": {"Type": "Wait", "Seconds": 60, "Next": "Tick"},
        "Done": {"Type": "Succeed"},
    }
    return machine("rollout", caller, states or default, **more)


def start(arn: str, name: str = "r1-g1", **event: Any) -> str:
    started = client("stepfunctions").start_execution(stateMachineArn=arn, name=name, input=json.dumps(event))
    return str(started["executionArn"])


def status(execution: str) -> str:
    return str(client("stepfunctions").describe_execution(executionArn=execution)["status"])


def ticks(cloud: Cloud) -> list[float]:
    return [(line.at - START).total_seconds() for line in cloud.functions.logs.get("tick", []) if "tick" in line.text]


def test_an_execution_ticks_in_virtual_time(cloud: Cloud) -> None:
    execution = start(ticking())
    cloud.clock.run_for(3600)

    found = client("stepfunctions").describe_execution(executionArn=execution)
    assert found["status"] == "SUCCEEDED"
    assert json.loads(found["output"]) == {"n": 3}
    assert ticks(cloud) == [0, 60, 120]
    assert (found["stopDate"] - found["startDate"]).total_seconds() == 120


def test_an_execution_starts_after_the_call_that_starts_it(cloud: Cloud) -> None:
    execution = start(ticking())

    assert status(execution) == "RUNNING"
    assert ticks(cloud) == []
    cloud.clock.run_for(0)
    assert ticks(cloud) == [0]


def test_an_execution_is_not_nested_in_the_function_that_starts_it(cloud: Cloud) -> None:
    arn = ticking()
    function(
        "submit",
        f"""
        import boto3
        def handler(event, context):
            boto3.client("stepfunctions").start_execution(stateMachineArn="{arn}", name="r1-g1", input="{{}}")
            print("submitted")
        """,
        allow("Start", "states:StartExecution", arn),
    )
    client("lambda").invoke(FunctionName="submit")
    before = ticks(cloud)
    cloud.clock.run_for(0)

    assert before == []
    assert ticks(cloud) == [0]


def test_several_executions_wait_side_by_side(cloud: Cloud) -> None:
    arn = ticking()
    executions = [start(arn, f"r{n}-g1") for n in range(3)]
    cloud.clock.run_for(120)

    assert [status(e) for e in executions] == ["SUCCEEDED"] * 3
    assert ticks(cloud) == [0, 0, 0, 60, 60, 60, 120, 120, 120]
    assert cloud.clockwork.running == 0


def test_a_working_handler_holds_up_only_its_own_execution(cloud: Cloud) -> None:
    arn = ticking()
    start(arn, "slow", work=20)
    start(arn, "fast")
    cloud.clock.run_for(3600)

    # Logs are dated at the end of an invocation: three ticks of 20 s with a minute between, three of none.
    assert ticks(cloud) == [0, 20, 60, 100, 120, 180]


def test_the_machine_invokes_as_its_role(cloud: Cloud) -> None:
    start(ticking())
    cloud.clock.run_for(0)

    (call,) = cloud.gate.made("Invoke")
    assert (call.function, call.sids) == ("states:rollout", ("Invoke",))


def test_a_machine_without_the_permission_to_invoke_fails(cloud: Cloud) -> None:
    arn = ticking()
    put_policy("clock", allow("Other", "s3:GetObject", "*"))
    execution = start(arn)
    cloud.clock.run_for(1)

    found = client("stepfunctions").describe_execution(executionArn=execution)
    assert (found["status"], found["error"]) == ("FAILED", "Lambda.AccessDeniedException")
    assert "lambda:InvokeFunction" in found["cause"]
    assert ticks(cloud) == []


def test_a_machine_whose_role_step_functions_may_not_assume_fails(cloud: Cloud) -> None:
    arn = function("tick", TICK)
    other = role("other", allow("Invoke", "lambda:InvokeFunction", arn))
    execution = start(machine("rollout", other, {"Tick": {"Type": "Task", "Resource": arn, "End": True}}))
    cloud.clock.run_for(1)

    assert status(execution) == "FAILED"
    assert ticks(cloud) == []


def retrying(function_arn: str) -> dict[str, Any]:
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "MaxAttempts": 3, "BackoffRate": 2.0}
    return {"Tick": {"Type": "Task", "Resource": function_arn, "Retry": [retry], "End": True}}


TICK_ARN = "arn:aws:lambda:us-east-1:123456789012:function:tick"


def test_retries_pause_in_virtual_time(cloud: Cloud) -> None:
    execution = start(ticking(states=retrying(TICK_ARN)), fail_until=9)
    cloud.clock.run_for(3600)

    found = client("stepfunctions").describe_execution(executionArn=execution)
    assert ticks(cloud) == [0, 10, 30, 70]
    assert (found["status"], found["error"]) == ("FAILED", "RuntimeError")


def test_a_fault_of_the_lambda_service_is_retried_by_the_machine(cloud: Cloud) -> None:
    cloud.gate.inject(Fault(Raise("ServiceException", status=500), function="states:rollout", operation="Invoke"))
    execution = start(ticking(states=retrying(TICK_ARN)))
    cloud.clock.run_for(3600)

    assert ticks(cloud) == [10]
    assert status(execution) == "SUCCEEDED"


def test_a_task_that_takes_longer_than_its_timeout_fails(cloud: Cloud) -> None:
    states = {"Tick": {"Type": "Task", "Resource": TICK_ARN, "TimeoutSeconds": 5, "End": True}}
    execution = start(ticking(states=states), work=8)
    cloud.clock.run_for(60)

    found = client("stepfunctions").describe_execution(executionArn=execution)
    assert found["status"] == "FAILED"
    assert found["error"] == "States.Timeout"


def test_a_machine_that_takes_longer_than_its_timeout_is_timed_out_in_its_wait(cloud: Cloud) -> None:
    execution = start(ticking(TimeoutSeconds=90))
    cloud.clock.run_for(3600)

    last = client("stepfunctions").get_execution_history(executionArn=execution)["events"][-1]
    assert status(execution) == "TIMED_OUT"
    assert ticks(cloud) == [0, 60]
    assert (last["type"], (last["timestamp"] - START).total_seconds()) == ("ExecutionTimedOut", 90)


def test_a_stopped_execution_ends_at_once_while_it_waits(cloud: Cloud) -> None:
    execution = start(ticking())
    cloud.clock.run_for(30)

    client("stepfunctions").stop_execution(executionArn=execution, cause="abort")

    assert status(execution) == "ABORTED"
    cloud.clock.run_for(3600)
    assert ticks(cloud) == [0]
    assert cloud.clockwork.running == 0


def test_a_stopped_execution_whose_task_runs_ends_after_it(cloud: Cloud) -> None:
    execution = start(ticking(), work=20)
    cloud.clock.run_for(10)

    client("stepfunctions").stop_execution(executionArn=execution)

    cloud.clock.run_for(3600)
    assert status(execution) == "ABORTED"
    assert ticks(cloud) == [20]


def test_an_execution_stopped_before_it_began_never_begins(cloud: Cloud) -> None:
    execution = start(ticking())

    client("stepfunctions").stop_execution(executionArn=execution)
    cloud.clock.run_for(3600)

    assert status(execution) == "ABORTED"
    assert ticks(cloud) == []


def test_a_function_can_stop_another_execution(cloud: Cloud) -> None:
    arn = ticking()
    execution = start(arn)
    cloud.clock.run_for(1)
    function(
        "abort",
        f"""
        import boto3, os
        def handler(event, context):
            sfn = boto3.client("stepfunctions")
            sfn.stop_execution(executionArn="{execution}")
            return [sfn.describe_execution(executionArn="{execution}")["status"], os.environ["AWS_LAMBDA_FUNCTION_NAME"]]
        """,
        allow("Stop", ["states:StopExecution", "states:DescribeExecution"], execution),
    )

    answer = client("lambda").invoke(FunctionName="abort")

    assert json.loads(answer["Payload"].read()) == ["ABORTED", "abort"]


def test_deleting_the_machine_ends_its_executions_at_their_next_transition(cloud: Cloud) -> None:
    arn = ticking()
    start(arn)
    cloud.clock.run_for(30)

    client("stepfunctions").delete_state_machine(stateMachineArn=arn)

    assert cloud.clockwork.running == 1, "it still waits"
    cloud.clock.run_for(3600)
    assert cloud.clockwork.running == 0
    assert ticks(cloud) == [0]


def test_a_name_is_taken_for_good_and_the_same_start_again_is_no_error(cloud: Cloud) -> None:
    arn = ticking()
    first = start(arn, "r1-g1", n=1)

    assert start(arn, "r1-g1", n=1) == first
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(arn, "r1-g1", n=2)
    cloud.clock.run_for(3600)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(arn, "r1-g1", n=1)
    assert ticks(cloud) == [0, 60], "it ran once"


def test_executions_without_a_name_get_one_each(cloud: Cloud) -> None:
    arn = ticking()
    made = [client("stepfunctions").start_execution(stateMachineArn=arn)["executionArn"] for _ in range(2)]

    assert len(set(made)) == 2


def test_the_history_counts_events_for_the_hand_over(cloud: Cloud) -> None:
    execution = start(ticking())
    cloud.clock.run_for(3600)

    events = client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    assert [e["type"] for e in events].count("WaitStateEntered") == 2
    assert events[-1]["type"] == "ExecutionSucceeded"


def test_a_parallel_state_fails_with_a_sentence(cloud: Cloud) -> None:
    branch = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    execution = start(ticking(states={"Both": {"Type": "Parallel", "Branches": [branch, branch], "End": True}}))
    cloud.clock.run_for(1)

    found = client("stepfunctions").describe_execution(executionArn=execution)
    assert found["status"] == "FAILED"
    assert "which the sandbox does not run" in found["cause"]


def test_stopping_the_sandbox_with_waiting_executions_leaves_no_thread() -> None:
    before = threading.active_count()
    for _ in range(20):
        with Cloud(START) as cloud:
            arn = ticking()
            for number in range(3):
                start(arn, f"r{number}", work=number * 10)
            cloud.clock.run_for(15)

    assert threading.active_count() == before
