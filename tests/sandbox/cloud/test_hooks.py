"""Contracts with moto 5.2.5 and botocore: each hook's target has the shape the hook relies on, and its undo undoes."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import moto
import pytest
from moto import mock_aws

from sluice.sandbox.cloud import (
    backends,
    dynamodb_hooks,
    event_hooks,
    gate,
    iam_hooks,
    lambda_hooks,
    quick_hooks,
    remembered_reads,
    s3_hooks,
    scaling_hooks,
    ssm_hooks,
    stepfunctions_hooks,
)
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.iam import bucket_decision
from sluice.sandbox.patches import Undo
from tests.sandbox.deploying import START, allow, client, function, machine, queue, role, url

SFN = "moto.stepfunctions.parser"
TASK = f"{SFN}.asl.component.state.exec"


def found(path: str) -> Any:
    module, _, name = path.partition(":")
    target: Any = importlib.import_module(module)
    for part in name.split(".") if name else []:
        target = vars(target)[part]
    return target


def parameters(path: str) -> list[str]:
    return list(inspect.signature(found(path)).parameters)


def source(path: str) -> str:
    return inspect.getsource(found(path))


def test_moto_is_the_pinned_one() -> None:
    assert moto.__version__ == "5.2.5", "read every hook again before moving the pin"


HOOKS: list[tuple[Callable[[], Undo], list[str]]] = [
    (lambda: gate.install_api_gate(lambda *_: None), ["botocore.client:BaseClient._make_api_call"]),
    (
        lambda: lambda_hooks.install_lambda_invoke(lambda *_: b""),
        ["moto.awslambda_simple.models:LambdaSimpleBackend.invoke"],
    ),
    (
        lambda_hooks.install_dead_letter_targets,
        [
            "moto.awslambda.models:LambdaFunction.__init__",
            "moto.awslambda.models:LambdaFunction.update_configuration",
        ],
    ),
    (
        scaling_hooks.install_scaling_removal,
        ["moto.applicationautoscaling.models:ApplicationAutoscalingBackend.deregister_scalable_target"],
    ),
    (
        lambda: lambda_hooks.install_mapping_check(lambda spec: None),
        ["moto.awslambda.models:LambdaBackend.create_event_source_mapping"],
    ),
    (lambda: event_hooks.install_rule_delivery(lambda *_: None), ["moto.events.models:Rule.send_to_targets"]),
    (lambda: event_hooks.install_queue_watch(lambda queue: None), ["moto.sqs.models:Queue.add_message"]),
    (s3_hooks.install_locked_copies, ["moto.s3.responses:S3Response._key_response_put"]),
    (
        lambda: s3_hooks.install_bucket_policies(bucket_decision),
        ["moto.s3.models:FakeBucket.get_permission"],
    ),
    (lambda: dynamodb_hooks.install_stream_watch(lambda *_: None), ["moto.dynamodb.models.table:StreamShard.add"]),
    (lambda: event_hooks.install_long_polling(lambda seconds: None), ["moto.sqs.models:Queue.wait_for_messages"]),
    (
        lambda: dynamodb_hooks.install_transaction_memory(lambda: START),
        ["moto.dynamodb.responses:DynamoHandler.transact_write_items"],
    ),
    (
        dynamodb_hooks.install_light_transactions,
        ["moto.dynamodb.models:copy", "moto.dynamodb.models:DynamoDBBackend.transact_write_items"],
    ),
    (
        quick_hooks.install_quick_calls,
        [
            "botocore.signers:RequestSigner.handler",
            "botocore.useragent:UserAgentString.to_string",
            "moto.core.responses:method_names_from_class",
        ],
    ),
    (quick_hooks.install_quick_answers, ["moto.core.serialize:ResponseSerializer.get_value"]),
    (quick_hooks.install_direct_requests, ["botocore.client:BaseClient._make_request"]),
    (
        lambda: remembered_reads.install_remembered_reads(lambda: None),
        ["botocore.client:BaseClient._make_api_call", "moto.dynamodb.responses:DynamoHandler.call_action"],
    ),
    (
        lambda: stepfunctions_hooks.install_execution_start(lambda worker: None),
        [f"{SFN}.backend.execution_worker:ExecutionWorker.start"],
    ),
    (
        lambda: stepfunctions_hooks.install_execution_stop(lambda *_: None),
        [f"{SFN}.backend.execution_worker:ExecutionWorker.stop"],
    ),
    (
        lambda: stepfunctions_hooks.install_execution_names(lambda: "x"),
        [f"{SFN}.models:StepFunctionsParserBackend.start_execution"],
    ),
    (
        lambda: stepfunctions_hooks.install_waits(lambda seconds: None),
        [
            f"{SFN}.asl.component.state.wait.wait_function.wait_function:WaitFunction._wait_interval",
            f"{SFN}.asl.component.common.retry.retrier_decl:time",
        ],
    ),
    (
        lambda: stepfunctions_hooks.install_program_limit(lambda env, seconds: lambda: None),
        [f"{SFN}.asl.component.program.program:Program.eval"],
    ),
    (
        lambda: stepfunctions_hooks.install_single_thread(lambda: START),
        [
            f"{SFN}.asl.component.program.program:threading",
            f"{SFN}.asl.component.program.program:TMP_THREADS",
            f"{TASK}.execute_state:threading",
            f"{TASK}.execute_state:Thread",
            f"{TASK}.execute_state:TMP_THREADS",
            f"{TASK}.state_map.iteration.inline_iteration_component:threading",
            f"{TASK}.state_parallel.branch_worker:threading",
            f"{TASK}.state_task.service.state_task_service_callback:threading",
        ],
    ),
    (stepfunctions_hooks.install_client_reuse, [f"{TASK}.state_task.lambda_eval_utils:boto_client_for"]),
]


@pytest.mark.parametrize(("install", "targets"), HOOKS, ids=lambda value: value[0] if isinstance(value, list) else "")
def test_a_hook_replaces_its_targets_and_its_undo_puts_them_back(
    install: Callable[[], Undo], targets: list[str]
) -> None:
    before = [found(target) for target in targets]
    undo = install()
    during = [found(target) for target in targets]
    undo()

    assert all(new is not old for new, old in zip(during, before, strict=True))
    assert [found(target) for target in targets] == before


def test_ops_items_which_moto_lacks_are_there_until_the_undo() -> None:
    from moto.ssm.responses import SimpleSystemManagerResponse

    added = {"create_ops_item", "get_ops_item", "describe_ops_items"}
    assert not added & vars(SimpleSystemManagerResponse).keys(), "moto has them now: the hook may go"
    undo = ssm_hooks.install_ops_items()
    assert added <= vars(SimpleSystemManagerResponse).keys()
    undo()

    assert not added & vars(SimpleSystemManagerResponse).keys()


def test_what_a_hook_added_to_a_class_is_gone_after_its_undo() -> None:
    from moto.awslambda.responses import LambdaResponse
    from moto.iam.responses import IamResponse
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    undos = [
        iam_hooks.install_role_watch(lambda: None),
        lambda_hooks.install_lambda_invoke(lambda *_: b""),
        stepfunctions_hooks.install_machine_deletion(lambda machine: None),
    ]
    assert "call_action" in vars(IamResponse)
    assert "_get_param" in vars(LambdaResponse)
    assert "delete_state_machine" in vars(StepFunctionsParserBackend)
    for undo in undos:
        undo()

    assert "call_action" not in vars(IamResponse), "it is the base class's again"
    assert "_get_param" not in vars(LambdaResponse), "it is the base class's again"
    assert "delete_state_machine" not in vars(StepFunctionsParserBackend)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("botocore.client:BaseClient._make_api_call", ["self", "operation_name", "api_params"]),
        (
            "moto.awslambda_simple.models:LambdaSimpleBackend.invoke",
            ["self", "function_name", "qualifier", "body", "headers", "response_headers"],
        ),
        ("moto.core.responses:BaseResponse._get_param", ["self", "param_name", "if_none"]),
        ("moto.core.responses:BaseResponse.call_action", ["self"]),
        ("moto.awslambda.models:LambdaFunction.__init__", ["self", "account_id", "spec", "region", "version"]),
        ("moto.awslambda.models:LambdaFunction.update_configuration", ["self", "config_updates"]),
        ("moto.awslambda.models:LambdaBackend.create_event_source_mapping", ["self", "spec"]),
        ("moto.events.models:Rule.send_to_targets", ["self", "original_event", "transform_input"]),
        ("moto.sqs.models:Queue.add_message", ["self", "message"]),
        ("moto.sqs.models:Queue.wait_for_messages", ["self", "timeout"]),
        ("moto.dynamodb.models.table:StreamShard.add", ["self", "old", "new"]),
        ("moto.s3.responses:S3Response._key_response_put", ["self", "query", "key_name"]),
        ("moto.dynamodb.responses:DynamoHandler.transact_write_items", ["self"]),
        ("moto.dynamodb.models:DynamoDBBackend.transact_write_items", ["self", "transact_items"]),
        ("botocore.signers:RequestSigner.handler", ["self", "operation_name", "request", "kwargs"]),
        ("botocore.useragent:UserAgentString.to_string", ["self"]),
        ("moto.core.responses:method_names_from_class", ["clazz"]),
        (f"{SFN}.backend.execution_worker:ExecutionWorker.start", ["self"]),
        (f"{SFN}.backend.execution_worker:ExecutionWorker.stop", ["self", "stop_date", "error", "cause"]),
        (f"{SFN}.backend.execution_worker:ExecutionWorker._execution_logic", ["self"]),
        (
            f"{SFN}.models:StepFunctionsParserBackend.start_execution",
            ["self", "state_machine_arn", "name", "execution_input", "trace_header"],
        ),
        ("moto.stepfunctions.models:StepFunctionBackend.delete_state_machine", ["self", "arn"]),
        (f"{SFN}.asl.component.program.program:Program.eval", ["self", "env"]),
        (
            f"{SFN}.asl.component.state.wait.wait_function.wait_function:WaitFunction._wait_interval",
            ["self", "env", "wait_seconds"],
        ),
        (f"{SFN}.asl.utils.boto_client:boto_client_for", ["region", "service", "state_credentials"]),
        ("moto.s3.models:FakeBucket.get_permission", ["self", "action", "resource"]),
    ],
)
def test_a_hooked_function_has_the_parameters_the_hook_passes_on(path: str, names: list[str]) -> None:
    assert parameters(path) == names


@pytest.mark.parametrize(
    ("path", "uses"),
    [
        # the only ways these modules use threads and time, which the hooks stand in for
        (f"{SFN}.asl.component.program.program", ["threading.Thread(target=super().eval, args=(env,), daemon=True)"]),
        (f"{TASK}.execute_state", ["threading.Event()", "Thread(target=_exec_and_notify, daemon=True)"]),
        (f"{SFN}.asl.component.common.retry.retrier_decl", ["time.sleep(interval_seconds)"]),
        (f"{TASK}.state_parallel.branch_worker", ["threading.Thread("]),
        (f"{TASK}.state_map.iteration.inline_iteration_component", ["threading.Thread("]),
        (f"{TASK}.state_task.service.state_task_service_callback", ["threading.Thread("]),
        ("moto.awslambda.responses:LambdaResponse.invoke", ['self._get_param("qualifier")', "self.backend.invoke("]),
        ("moto.sqs.models:Queue.add_message", ["self.lambda_event_source_mappings.items()"]),
        (
            "moto.dynamodb.models.table:StreamShard.add",
            ["self.table.lambda_event_source_mappings.items()", "self.items.append(StreamRecord("],
        ),
        ("moto.sqs.models:SQSBackend.receive_message", ["queue.wait_for_messages(1)"]),
        ("moto.events.models:EventsBackend.put_events", ["rule.send_to_targets(event_msg)"]),
        (f"{TASK}.state_task.lambda_eval_utils", ["boto_client_for("]),
        ("moto.dynamodb.models:DynamoDBBackend.transact_write_items", ["copy.deepcopy(\n", "self.tables[table_name]"]),
    ],
)
def test_a_hooked_module_still_works_the_way_the_hook_assumes(path: str, uses: list[str]) -> None:
    text = source(path)

    assert [use for use in uses if use not in text] == []


def test_no_other_module_of_the_interpreter_sleeps_or_starts_threads_unnoticed() -> None:
    import pathlib

    import moto.stepfunctions.parser.asl.component.state as states

    root = pathlib.Path(states.__path__[0])
    using = {p.stem for p in root.rglob("*.py") if "Thread(" in (text := p.read_text()) or "time.sleep" in text}

    assert using == {
        "execute_state",
        "branch_worker",
        "inline_iteration_component",
        "state_task_service_callback",
    }


def test_what_the_sandbox_reads_of_moto_is_there() -> None:
    place = Place()
    with mock_aws(config={"lambda": {"use_docker": False}, "stepfunctions": {"execute_state_machine": True}}):
        undo = lambda_hooks.install_dead_letter_targets()
        role_arn = role("r", allow("A", "s3:GetObject", "*"))
        function(
            "f", "def handler(event, context): pass", DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:1:dead"}
        )
        made = backends.functions(place).get_function("f")
        queue_arn = queue("q", VisibilityTimeout="40")
        client("sqs").send_message(QueueUrl=url("q"), MessageBody="x")
        held = backends.queue(place, queue_arn)
        client("lambda").create_event_source_mapping(EventSourceArn=queue_arn, FunctionName="f", Enabled=False)
        (mapping,) = backends.mappings(place)
        client("events").put_rule(Name="rule", EventPattern='{"source": ["a"]}')
        (rule,) = backends.rules(place)
        client("logs").create_log_group(logGroupName="/aws/lambda/f")
        read = backends.role(place, role_arn)
        missing = backends.role(place, role_arn + "x")
        groups = [backends.has_log_group(place, f"/aws/lambda/{name}") for name in "fg"]
        undo()

    assert (made.function_name, made.handler, made.timeout, made.version) == ("f", "app.handler", 30, "$LATEST")
    assert made.code_bytes.startswith(b"PK")
    assert len(made.code_digest) == 64
    assert (made.environment_vars, made.run_time, made.memory_size) == ({}, "python3.13", 128)
    assert (made.policy.statements, made.event_invoke_config) == ([], [])
    assert made.dead_letter_target == "arn:aws:sqs:us-east-1:1:dead"
    assert (held.name, held.queue_arn, held.visibility_timeout, held.policy) == ("q", queue_arn, 40, None)
    assert [(m.visible_at, m.delayed_until) for m in held._messages] == [(0.0, 0.0)]
    assert (mapping.event_source_arn, mapping.function_arn, mapping.enabled) == (queue_arn, made.function_arn, False)
    assert (mapping.batch_size, mapping.filter_criteria, mapping.function_response_types) == (10, None, None)
    assert (rule.state, rule.scheduled_expression, rule.targets) == ("ENABLED", None, [])
    assert rule.event_pattern.get_pattern() == {"source": ["a"]}
    assert rule.event_pattern.matches_event({"source": "a"})
    assert read is not None
    assert read.documents[0][0] == "r/inline"
    assert json.loads(read.documents[0][1])["Statement"][0]["Sid"] == "A"
    assert "sts:AssumeRole" in read.trust
    assert missing is None
    assert groups == [True, False]


def test_what_the_clockwork_reads_of_an_execution_is_there() -> None:
    workers: list[Any] = []
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        undo = stepfunctions_hooks.install_execution_start(workers.append)
        caller = role("clock", service="states.amazonaws.com")
        arn = machine("m", caller, {"Done": {"Type": "Succeed"}})
        client("stepfunctions").start_execution(stateMachineArn=arn, name="r1", input="{}")
        (held,) = backends.machines(Place()).state_machines
        undo()

    (worker,) = workers
    details = worker._evaluation_details
    execution = worker._execution_communication.execution
    assert details.execution_details.name == "r1"
    assert details.aws_execution_details.role_arn == caller
    assert details.state_machine_details.name == "m"
    assert worker.env is None
    assert held.arn == arn
    assert execution in held.executions
    assert (execution.status, execution.stop_date, execution.cause) == ("RUNNING", None, None)


def test_the_clock_freezes_what_moto_dates_with(cloud: Cloud) -> None:
    cloud.clock.run_for(60)
    client("ssm").put_parameter(Name="/x", Value="1", Type="String")

    dated = client("ssm").get_parameter(Name="/x")["Parameter"]["LastModifiedDate"]
    assert dated == START + timedelta(seconds=60) == datetime.now(UTC)
