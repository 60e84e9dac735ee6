"""Step Functions in virtual time: moto's interpreter on the clock's threads, with the machine's role as the caller.

Decides when an execution runs, waits and ends; what its states do is moto's interpreter's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sluice.sandbox.cloud import stepfunctions_hooks
from sluice.sandbox.cloud.clock import Clock, Entry, Strand
from sluice.sandbox.cloud.gate import Gate, Principal
from sluice.sandbox.cloud.iam import Authorizer
from sluice.sandbox.cloud.ids import id_of
from sluice.sandbox.patches import Undo


@dataclass(slots=True, eq=False)
class _Run:
    """An execution that has not ended. `waiting` while it is in a Wait state or pauses before a retry."""

    worker: Any
    start: Entry | None = None
    strand: Strand | None = None
    waiting: bool = False


class Clockwork:
    """Runs executions. Names are moto's to check: unique per machine, idempotent while running with the same input."""

    def __init__(self, clock: Clock, gate: Gate, authorizer: Authorizer) -> None:
        self._clock = clock
        self._gate = gate
        self._authorizer = authorizer
        self._runs: dict[int, _Run] = {}
        self._undos: list[Undo] = []
        self._unnamed = 0

    def install(self) -> None:
        self._undos = [
            stepfunctions_hooks.install_single_thread(self._clock.now),
            stepfunctions_hooks.install_client_reuse(),
            stepfunctions_hooks.install_execution_names(self._fresh_name),
            stepfunctions_hooks.install_execution_start(self._start),
            stepfunctions_hooks.install_execution_stop(self._stop),
            stepfunctions_hooks.install_machine_deletion(self._machine_deleted),
            stepfunctions_hooks.install_program_limit(self._limit),
            stepfunctions_hooks.install_waits(self._wait),
        ]

    def uninstall(self) -> None:
        while self._undos:
            self._undos.pop()()
        self._runs.clear()

    @property
    def running(self) -> int:
        """How many executions have begun or will, and have not ended."""
        return len(self._runs)

    def _start(self, worker: Any) -> None:
        label = f"execution {worker._evaluation_details.execution_details.name}"
        run = _Run(worker)
        self._runs[id(worker)] = run
        run.start = self._clock.spawn(self._clock.now(), lambda: self._execute(run), label)

    def _execute(self, run: _Run) -> None:
        run.start, run.strand = None, self._clock.strand()
        details = run.worker._evaluation_details
        role = details.aws_execution_details.role_arn
        try:
            if not self._authorizer.trusts(role, "states.amazonaws.com"):
                self._conclude(run, "FAILED", f"states.amazonaws.com is not authorized to assume the role {role}")
                return
            with self._gate.acting_as(Principal(role, f"states:{details.state_machine_details.name}")):
                run.worker._execution_logic()
        finally:
            self._runs.pop(id(run.worker), None)

    def _wait(self, seconds: float) -> None:
        """A Wait state: parks the execution's thread; StopExecution and the machine's own timeout cut it short."""
        run = self._current()
        run.waiting = True
        try:
            self._clock.sleep(seconds)
        finally:
            run.waiting = False

    def _stop(self, worker: Any, mark: Callable[[], None]) -> None:
        run = self._runs.get(id(worker))
        if run is None:
            return
        if run.start is not None:
            run.start.cancel()
            del self._runs[id(worker)]
            self._conclude(run, "ABORTED", None)
            return
        mark()
        self._cut_short(run)

    def _machine_deleted(self, machine: Any) -> None:
        """Running executions of a deleted machine end at their next transition: a wait still lasts its time."""
        for run in [r for r in self._runs.values() if _execution(r.worker) in machine.executions]:
            if run.start is not None:
                self._stop(run.worker, lambda: None)
            else:
                run.worker.env.set_stop(stop_date=self._clock.now(), error=None, cause="the state machine was deleted")

    def _limit(self, env: Any, seconds: float | None) -> Callable[[], None]:
        """TimeoutSeconds of the machine, in virtual time."""
        if seconds is None or env.is_frame():
            return lambda: None
        run = self._current()

        def expire() -> None:
            env.set_timed_out()
            self._cut_short(run)

        return self._clock.call_after(seconds, expire, "execution timeout").cancel

    def _cut_short(self, run: _Run) -> None:
        if run.waiting and run.strand is not None:
            self._clock.interrupt(run.strand)

    def _current(self) -> _Run:
        strand = self._clock.strand()
        for run in self._runs.values():
            if run.strand is strand and strand is not None:
                return run
        raise RuntimeError("a state machine waits outside of its own execution: express machines are not run here")

    def _conclude(self, run: _Run, status: str, cause: str | None) -> None:
        from moto.stepfunctions.parser.api import ExecutionStatus

        execution = _execution(run.worker)
        execution.exec_status = ExecutionStatus(status)
        execution.stop_date = datetime.now(UTC)
        execution.cause = cause

    def _fresh_name(self) -> str:
        self._unnamed += 1
        return id_of(f"execution/{self._unnamed}")


def _execution(worker: Any) -> Any:
    return worker._execution_communication.execution
