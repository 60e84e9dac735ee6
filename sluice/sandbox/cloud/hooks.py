"""Every patch of moto's and botocore's internals that the cloud plumbing needs, pinned to moto 5.2.5.

Each function installs one patch and returns its undo. What happens there is decided by the module that calls it; each
patch has a contract test in tests/sandbox/test_hooks.py that fails when the internals change shape.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime, timedelta
from functools import lru_cache, wraps
from types import SimpleNamespace
from typing import Any

from sluice.sandbox.patches import Undo, all_of, replaced

TRANSACTION_MEMORY = timedelta(minutes=10)  # how long DynamoDB remembers a ClientRequestToken


# botocore


def install_api_gate(call: Callable[[Any, str, Mapping[str, Any], Callable[[], Any]], Any]) -> Undo:
    """Every boto3 call becomes call(client, operation, params, proceed)."""
    from botocore.client import BaseClient

    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def gated(client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        return call(client, operation_name, api_params, lambda: original(client, operation_name, api_params))

    return replaced(BaseClient, "_make_api_call", gated)


# Lambda


def install_lambda_invoke(
    invoke: Callable[[Any, str, str | None, Any, Mapping[str, str], MutableMapping[str, str]], bytes],
) -> Undo:
    """Invocations become invoke(backend, function_name, qualifier, body, headers, response_headers).

    Also mends moto's loss of the Qualifier, which it reads in lower case.
    """
    from moto.awslambda.responses import LambdaResponse
    from moto.awslambda_simple.models import LambdaSimpleBackend

    read = LambdaResponse._get_param

    def answer(
        backend: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        return invoke(backend, function_name, qualifier, body, headers, response_headers)

    def parameter(response: Any, param_name: str, if_none: Any = None) -> Any:
        return read(response, "Qualifier" if param_name == "qualifier" else param_name, if_none)

    return all_of(
        replaced(LambdaSimpleBackend, "invoke", answer),
        replaced(LambdaResponse, "_get_param", parameter),
    )


def install_dead_letter_targets() -> Undo:
    """moto drops a function's DeadLetterConfig: keep its target as `dead_letter_target` on the function."""
    from moto.awslambda.models import LambdaFunction

    create, update = LambdaFunction.__init__, LambdaFunction.update_configuration

    @wraps(create)
    def created(function: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
        create(function, account_id, spec, *rest, **named)
        function.dead_letter_target = (spec.get("DeadLetterConfig") or {}).get("TargetArn")

    @wraps(update)
    def updated(function: Any, config_updates: dict[str, Any]) -> Any:
        if "DeadLetterConfig" in config_updates:
            function.dead_letter_target = config_updates["DeadLetterConfig"].get("TargetArn")
        return update(function, config_updates)

    return all_of(
        replaced(LambdaFunction, "__init__", created),
        replaced(LambdaFunction, "update_configuration", updated),
    )


def install_mapping_check(check: Callable[[Mapping[str, Any]], None]) -> Undo:
    """check(spec) before an event source mapping is made; it raises `lambda_error(...)` to refuse."""
    from moto.awslambda.models import LambdaBackend

    original = LambdaBackend.create_event_source_mapping

    @wraps(original)
    def checked(backend: Any, spec: dict[str, Any]) -> Any:
        check(spec)
        return original(backend, spec)

    return replaced(LambdaBackend, "create_event_source_mapping", checked)


def lambda_error(code: str, message: str) -> Exception:
    """What moto turns into an error answer of Lambda, when raised inside its request handling."""
    from moto.awslambda.exceptions import LambdaClientError

    return LambdaClientError(code, message)


# Systems Manager


def install_ops_items() -> Undo:
    """OpsItems, which moto does not have: made once for each dedupString, got by id, listed."""
    from moto.core.exceptions import JsonRESTError
    from moto.core.responses import ActionResult
    from moto.ssm.responses import SimpleSystemManagerResponse

    items: dict[str, dict[str, Any]] = {}

    def create(response: Any) -> Any:
        item = json.loads(response.body)
        word = item.get("OperationalData", {}).get("/aws/dedup", {}).get("Value")
        for known in items.values():
            if word is not None and known["OperationalData"].get("/aws/dedup", {}).get("Value") == word:
                raise JsonRESTError(
                    "OpsItemAlreadyExistsException", f"The OpsItem already exists: {known['OpsItemId']}"
                )
        made = {"OpsItemId": f"oi-{len(items) + 1:012x}", "Status": "Open", "OperationalData": {}, **item}
        items[made["OpsItemId"]] = made
        return ActionResult({"OpsItemId": made["OpsItemId"]})

    def get(response: Any) -> Any:
        return ActionResult({"OpsItem": items[json.loads(response.body)["OpsItemId"]]})

    def listed(_response: Any) -> Any:
        return ActionResult({"OpsItemSummaries": list(items.values())})

    return all_of(
        replaced(SimpleSystemManagerResponse, "create_ops_item", create),
        replaced(SimpleSystemManagerResponse, "get_ops_item", get),
        replaced(SimpleSystemManagerResponse, "describe_ops_items", listed),
    )


# EventBridge and SQS


def install_rule_delivery(deliver: Callable[[Any, Mapping[str, Any]], None]) -> Undo:
    """PutEvents offers each event to each rule of the bus as deliver(rule, event), instead of sending it at once."""
    from moto.events.models import Rule

    def offered(rule: Any, original_event: Any, **_transform: Any) -> None:
        deliver(rule, original_event)

    return replaced(Rule, "send_to_targets", offered)


def install_schedule_check(is_valid: Callable[[str], bool]) -> Undo:
    """PutRule refuses what EventBridge refuses: moto lets anything in brackets through."""
    from moto.events.models import EventsBackend

    class Pattern:
        """What moto asks of a compiled expression."""

        def match(self, text: str) -> bool:
            return is_valid(text)

    return all_of(
        replaced(EventsBackend, "_CRON_REGEX", Pattern()),
        replaced(EventsBackend, "_RATE_REGEX", Pattern()),
    )


def install_queue_watch(arrived: Callable[[Any], None]) -> Undo:
    """arrived(queue) after a message came in; moto's own delivery to Lambda, nested in the send, does not happen."""
    from moto.sqs.models import Queue

    original = Queue.add_message

    @wraps(original)
    def added(queue: Any, message: Any) -> None:
        mappings, queue.lambda_event_source_mappings = queue.lambda_event_source_mappings, {}
        try:
            original(queue, message)
        finally:
            queue.lambda_event_source_mappings = mappings
        arrived(queue)

    return replaced(Queue, "add_message", added)


def install_long_polling(sleep: Callable[[float], None]) -> Undo:
    """ReceiveMessage with a wait time waits in virtual time; moto would wait for real, for ever with time frozen."""
    from moto.sqs.models import Queue

    def wait(queue: Any, timeout: int) -> None:
        if not queue.messages:
            sleep(timeout)

    return replaced(Queue, "wait_for_messages", wait)


# DynamoDB


def install_stream_watch(written: Callable[[Any, Mapping[str, Any]], None]) -> Undo:
    """written(table, record) after a change went into a table's stream; moto's own nested invocation does not happen."""
    from moto.dynamodb.models.table import StreamShard

    original = StreamShard.add

    @wraps(original)
    def added(shard: Any, old: Any, new: Any) -> None:
        mappings, shard.table.lambda_event_source_mappings = shard.table.lambda_event_source_mappings, {}
        try:
            original(shard, old, new)
        finally:
            shard.table.lambda_event_source_mappings = mappings
        written(shard.table, shard.items[-1].record)

    return replaced(StreamShard, "add", added)


def install_transaction_memory(now: Callable[[], datetime]) -> Undo:
    """TransactWriteItems becomes idempotent by ClientRequestToken for ten minutes, as it is on AWS; moto ignores it."""
    from moto.core.responses import EmptyResult
    from moto.dynamodb.exceptions import DynamodbException
    from moto.dynamodb.responses import DynamoHandler

    original = DynamoHandler.transact_write_items
    done: dict[str, tuple[datetime, str]] = {}

    @wraps(original)
    def once(handler: Any) -> Any:
        token = handler.body.get("ClientRequestToken")
        items = json.dumps(handler.body["TransactItems"], sort_keys=True)
        when, before = done.get(token, (None, None))
        if when is not None and now() - when < TRANSACTION_MEMORY:
            if before != items:
                raise DynamodbException(
                    "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
                    "Request parameters do not match those of the earlier request with this client token.",
                )
            return EmptyResult()
        answer = original(handler)
        if token:
            done[token] = (now(), items)
        return answer

    return replaced(DynamoHandler, "transact_write_items", once)


def install_light_transactions() -> Undo:
    """A transaction keeps what it may have to restore; moto copies the whole table and never frees the copy."""
    from moto.dynamodb import models
    from moto.dynamodb.models.table import Table

    backend = models.DynamoDBBackend
    original = backend.transact_write_items
    under_way: list[Mapping[str, Any]] = []

    def snapshot(value: Any) -> Any:
        if not isinstance(value, Table):
            return copy.deepcopy(value)
        kept: Any = object.__new__(type(value))
        kept.__dict__.update(value.__dict__)
        kept.items = value.items.copy()
        for hash_key, items in value.items.items():
            if isinstance(items, dict):
                kept.items[hash_key] = items.copy()
        for update in under_way:
            _keep_item(models, kept, update)
        if value.stream_shard is not None:
            kept.stream_shard = copy.copy(value.stream_shard)
            kept.stream_shard.items, kept.stream_shard.table = value.stream_shard.items.copy(), kept
        return kept

    @wraps(original)
    def light(store: Any, transact_items: list[dict[str, Any]]) -> Any:
        # Only an Update changes an item in place; what Put and Delete replace stays whole in the snapshot.
        under_way[:] = [item["Update"] for item in transact_items if "Update" in item]
        try:
            return original(store, transact_items)
        finally:
            under_way.clear()

    return all_of(
        replaced(models, "copy", SimpleNamespace(deepcopy=snapshot)),
        replaced(backend, "transact_write_items", light),
    )


def _keep_item(models: Any, table: Any, update: Mapping[str, Any]) -> None:
    """Put a copy of the item an update will change into a table's snapshot."""
    if update["TableName"] not in (table.name, table.table_arn):
        return
    hash_key = models.DynamoType(update["Key"][table.hash_key_attr])
    range_attribute = update["Key"].get(table.range_key_attr) if table.range_key_attr else None
    held = table.items.get(hash_key)
    if range_attribute is not None and held:
        range_key = models.DynamoType(range_attribute)
        if range_key in held:
            held[range_key] = copy.deepcopy(held[range_key])
    elif held is not None and not isinstance(held, dict):
        table.items[hash_key] = copy.deepcopy(held)


# Step Functions


def install_execution_start(start: Callable[[Any], None]) -> Undo:
    """StartExecution hands its worker to start(worker) instead of running it on a thread at once."""
    from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

    def started(worker: Any) -> None:  # a function, so that the class binds it
        start(worker)

    return replaced(ExecutionWorker, "start", started)


def install_execution_stop(stop: Callable[[Any, Callable[[], None]], None]) -> Undo:
    """StopExecution becomes stop(worker, mark); mark() tells moto's interpreter to end at the next transition."""
    from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

    original = ExecutionWorker.stop

    def stopped(worker: Any, stop_date: Any, error: str | None, cause: str | None) -> None:
        stop(worker, lambda: original(worker, stop_date=stop_date, error=error, cause=cause))

    return replaced(ExecutionWorker, "stop", stopped)


def install_execution_names(fresh: Callable[[], str]) -> Undo:
    """StartExecution without a name gets a fresh one; moto's interpreter would name every such execution None."""
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    original = StepFunctionsParserBackend.start_execution

    @wraps(original)
    def named(backend: Any, state_machine_arn: str, name: Any = None, *rest: Any, **more: Any) -> Any:
        return original(backend, state_machine_arn, name or fresh(), *rest, **more)

    return replaced(StepFunctionsParserBackend, "start_execution", named)


def install_machine_deletion(deleted: Callable[[Any], None]) -> Undo:
    """deleted(machine) before a state machine is removed."""
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    original = StepFunctionsParserBackend.delete_state_machine

    def delete(backend: Any, arn: str) -> None:
        for machine in [m for m in backend.state_machines if m.arn == arn]:
            deleted(machine)
        original(backend, arn)

    return replaced(StepFunctionsParserBackend, "delete_state_machine", delete)


def install_waits(wait: Callable[[float], None]) -> Undo:
    """Wait states and the pauses between retries become wait(seconds)."""
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

    def interval(_function: Any, env: Any, wait_seconds: float) -> None:  # noqa: ARG001  called by keyword
        wait(wait_seconds)

    return all_of(
        replaced(WaitFunction, "_wait_interval", interval),
        replaced(retrier_decl, "time", SimpleNamespace(sleep=wait)),
    )


def install_program_limit(limit: Callable[[Any, float | None], Callable[[], None]]) -> Undo:
    """limit(env, TimeoutSeconds) when a machine's program begins; what it returns is called when the program ended."""
    from moto.stepfunctions.parser.asl.component.program.program import Program

    original = Program.eval

    @wraps(original)
    def limited(program: Any, env: Any) -> None:
        declared = program.timeout_seconds
        release = limit(env, declared.timeout_seconds if declared else None)
        try:
            original(program, env)
        finally:
            release()

    return replaced(Program, "eval", limited)


def install_single_thread(now: Callable[[], datetime]) -> Undo:
    """The interpreter runs program and tasks on the execution's own thread, and judges task timeouts in virtual time.

    moto starts a thread for each and waits for it in real time. Parallel and Map states and task tokens, which need
    several threads at once, fail with a sentence.
    """
    from moto.stepfunctions.parser.asl.component.program import program
    from moto.stepfunctions.parser.asl.component.state.exec import execute_state
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import inline_iteration_component
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branch_worker
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback

    class Event:
        def __init__(self) -> None:
            self._made = now()

        def set(self) -> None:
            pass

        def wait(self, timeout: float) -> bool:
            return (now() - self._made).total_seconds() <= timeout

    several = (inline_iteration_component, branch_worker, state_task_service_callback)
    return all_of(
        replaced(program, "threading", SimpleNamespace(Thread=_SameThread)),
        replaced(program, "TMP_THREADS", _Forgetful()),
        replaced(execute_state, "threading", SimpleNamespace(Event=Event)),
        replaced(execute_state, "Thread", _SameThread),
        replaced(execute_state, "TMP_THREADS", _Forgetful()),
        *(replaced(module, "threading", SimpleNamespace(Thread=_NoThread)) for module in several),
    )


class _SameThread:
    """Stands in for threading.Thread: the work is done by the time `start` returns."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...] = (), **_daemon: bool) -> None:
        self._target, self._args = target, args

    def start(self) -> None:
        self._target(*self._args)

    def join(self, timeout: float | None = None) -> None:
        pass

    def is_alive(self) -> bool:
        return False


class _NoThread:
    def __init__(self, *_args: Any, **_named: Any) -> None:
        raise NotImplementedError(
            "Parallel and Map states and task tokens need several threads at once, which the sandbox does not run. "
            "Use Task, Choice, Wait, Pass, Succeed and Fail."
        )


class _Forgetful(list[Any]):
    """Stands in for moto's list of threads, which only grows."""

    def append(self, _item: Any) -> None:
        pass


def install_client_reuse() -> Undo:
    """The interpreter makes one Lambda client and keeps it; moto makes one for every task it runs."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    original = lambda_eval_utils.boto_client_for  # type: ignore[attr-defined]

    @lru_cache
    def kept(region: str, service: str) -> Any:
        return original(region=region, service=service)

    def client_for(region: str, service: str, **_credentials: Any) -> Any:
        return kept(region, service)

    return replaced(lambda_eval_utils, "boto_client_for", client_for)


# Application Auto Scaling


def install_scaling_removal() -> Undo:
    """A deregistered target takes its scaling policies and scheduled actions with it, as on AWS; moto keeps them."""
    from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

    original = ApplicationAutoscalingBackend.deregister_scalable_target

    @wraps(original)
    def removed(backend: Any, namespace: str, r_id: str, dimension: str) -> None:
        original(backend, namespace, r_id, dimension)
        target = (namespace, r_id, dimension)
        for policy in [each for each in backend.policies.values() if _of(target, each)]:
            backend.delete_scaling_policy(policy.policy_name, *target)
        backend.scheduled_actions = [each for each in backend.scheduled_actions if not _of(target, each)]

    return replaced(ApplicationAutoscalingBackend, "deregister_scalable_target", removed)


def _of(target: tuple[str, str, str], found: Any) -> bool:
    return (found.service_namespace, found.resource_id, found.scalable_dimension) == target
