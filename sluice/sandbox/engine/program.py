"""Runs Pulumi programs in this process against the sandbox: up, preview, refresh, destroy.

The language host's and the engine's outer half. Decides how a program is loaded and that runs are independent of each
other; what happens to resources is the deployment's.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from pulumi import RunError
from pulumi.runtime import run_in_stack, set_all_config
from pulumi.runtime.settings import ROOT, Settings, configure

from sluice.sandbox.engine import loader as hosting
from sluice.sandbox.engine import lockstep
from sluice.sandbox.engine.deployment import Deployment
from sluice.sandbox.engine.door import Door
from sluice.sandbox.engine.goal import Failed, StepResult
from sluice.sandbox.engine.monitor import Messages, Monitor
from sluice.sandbox.engine.neighbours import ORGANIZATION, Neighbours, whole_name
from sluice.sandbox.engine.provisioning import Provisioning, settings_from
from sluice.sandbox.engine.refreshing import refresh
from sluice.sandbox.engine.state import State
from sluice.sandbox.engine.wire import Properties, marked

Program = Callable[[], None] | Path
DEFAULT_REGION = "us-east-1"


class ProgramFailed(Exception):
    """The run did not reach its end. `messages` are sentences; what had succeeded is in the state."""

    def __init__(self, messages: tuple[str, ...], steps: tuple[StepResult, ...] = ()) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages
        self.steps = steps


@dataclass(frozen=True, slots=True)
class RunResult:
    """`outputs` are the stack's, secrets as `wire.Secret`. `messages` are (severity, text, urn) from `pulumi.log`."""

    steps: tuple[StepResult, ...]
    outputs: Mapping[str, Any]
    messages: tuple[tuple[str, str, str], ...]

    def count(self, op: str) -> int:
        return sum(step.op == op for step in self.steps)

    @property
    def changes(self) -> tuple[StepResult, ...]:
        return tuple(step for step in self.steps if step.op not in ("same", "read"))


class Engine:
    """One stack. Call it inside the sandbox's world (or moto's mock_aws): it uses ordinary boto3 clients.

    `neighbours` stands for the backend: engines that share one can read each other's outputs.
    """

    def __init__(
        self,
        state: State | None = None,
        session: boto3.Session | None = None,
        neighbours: Neighbours | None = None,
    ) -> None:
        self.state = state if state is not None else State()
        self.neighbours: Neighbours = neighbours if neighbours is not None else {}
        self._door = Door(session)

    def up(
        self,
        program: Program,
        project: str,
        stack: str,
        config: Mapping[str, str],
        cwd: Path | None = None,
        secret_keys: Collection[str] = (),
    ) -> RunResult:
        """Bring the stack to what the program says. Raises ProgramFailed."""
        self.neighbours[whole_name(project, stack)] = self.state
        deployment = self._deployment(self.state, config, dry_run=False)
        return _Run(project, stack, config, secret_keys, deployment, self.neighbours).execute(program, cwd)

    def preview(
        self,
        program: Program,
        project: str,
        stack: str,
        config: Mapping[str, str],
        cwd: Path | None = None,
        secret_keys: Collection[str] = (),
    ) -> RunResult:
        """What `up` would do. Changes nothing; the program's blocking functions are still called, as Pulumi does."""
        deployment = self._deployment(self.state.copy(), config, dry_run=True)
        return _Run(project, stack, config, secret_keys, deployment, self.neighbours).execute(program, cwd)

    def destroy(self, config: Mapping[str, str] | None = None) -> RunResult:
        """Delete everything, dependents first; refused as a whole if something is protected. The program is not run."""
        deployment = self._deployment(self.state, config or {}, dry_run=False)
        try:
            deployment.finish()
        except Failed as failed:
            raise ProgramFailed(tuple(failed.messages), tuple(deployment.steps)) from failed
        self.state.outputs = {}
        return RunResult(tuple(deployment.steps), {}, ())

    def refresh(self, config: Mapping[str, str] | None = None) -> RunResult:
        """Take over into the state what was changed on AWS by others. Changes nothing there."""
        deployment = self._deployment(self.state, config or {}, dry_run=False)
        try:
            steps = tuple(refresh(deployment.provisioning))
        except Failed as failed:
            raise ProgramFailed(tuple(failed.messages)) from failed
        return RunResult(steps, _shown(self.state.outputs), ())

    def _deployment(self, state: State, config: Mapping[str, str], *, dry_run: bool) -> Deployment:
        settings = settings_from(config.get("aws:region", DEFAULT_REGION), config.get("aws:defaultTags"), {})
        return Deployment(Provisioning(self._door, state, settings), dry_run)


@dataclass(frozen=True, slots=True)
class _Run:
    project: str
    stack: str
    config: Mapping[str, str]
    secret_keys: Collection[str]
    deployment: Deployment
    neighbours: Neighbours

    def execute(self, program: Program, cwd: Path | None) -> RunResult:
        monitor, messages = Monitor(self.project, self.stack, self.deployment, self.neighbours), Messages()
        try:
            # The SDK keeps its settings in context variables: a context of its own makes each run the first.
            contextvars.copy_context().run(self._host, program, cwd, monitor, messages)
            self.deployment.finish()
        except Exception as error:
            raise self._failure(monitor, messages, error) from error
        if not self.deployment.dry_run:
            self.deployment.state.outputs = monitor.outputs
        return RunResult(tuple(self.deployment.steps), _shown(monitor.outputs), tuple(messages.heard))

    def _failure(self, monitor: Monitor, messages: Messages, error: Exception) -> ProgramFailed:
        """The sentences of the resources that failed; for the program's own exception, its own.

        A RunError is how a program says what its user did wrong: nothing but its sentence is shown, as Pulumi does.
        """
        told = list(monitor.failures) or (error.messages if isinstance(error, Failed) else [])
        if not told:
            told = [text for severity, text, _ in messages.heard if severity == "error"]
            meant = isinstance(error, RunError)
            told.append(str(error) if meant else f"the program raised {type(error).__name__}: {error}")
        return ProgramFailed(tuple(told), tuple(self.deployment.steps))

    def _host(self, program: Program, cwd: Path | None, monitor: Monitor, messages: Messages) -> None:
        ROOT.set(None)
        configure(
            Settings(
                project=self.project, stack=self.stack, monitor=monitor, engine=messages, parallel=1,
                dry_run=self.deployment.dry_run, organization=ORGANIZATION, root_directory=str(cwd or Path.cwd()),
            )
        )  # fmt: skip
        set_all_config(dict(self.config), list(self.secret_keys))
        before = Path.cwd()
        try:
            lockstep.run(run_in_stack(_loaded(program, cwd)))
        finally:
            os.chdir(before)


def _loaded(program: Program, cwd: Path | None) -> Callable[[], None]:
    if isinstance(program, Path):
        return hosting.from_folder(program)
    if cwd is not None:
        os.chdir(cwd)
    return program


def _shown(outputs: Properties) -> dict[str, Any]:
    return {name: marked(value) for name, value in outputs.items()}
