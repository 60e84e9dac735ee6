"""Patches of moto's Step Functions interpreter, pinned to 5.2.5: one thread, virtual time, one client.

When an execution runs, waits and ends is decided by `clockwork`, which installs them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, wraps
from types import SimpleNamespace
from typing import Any

from sluice.sandbox.patches import Undo, all_of, replaced


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
