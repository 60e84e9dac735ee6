"""The Pulumi CLI in the place of the sandbox's engine: the same words, carried out by `pulumi` on a backend of files.

The CLI's AWS is the sandbox of this process, by way of the provider plugin.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sluice.sandbox.engine.goal import PROVIDER, STACK_REFERENCE, StepResult
from sluice.sandbox.engine.plugin.server import PluginServer
from sluice.sandbox.engine.program import ProgramFailed, RunResult
from sluice.sandbox.sandbox import REPOSITORY

TOOLS = REPOSITORY / ".tools" / "pulumi" / "bin"
LONGEST_SECONDS = 300  # of real time, for one command; a run of the whole program takes about 20

# A replacement is one step to us, as in the monitor: the new thing's.
_OPS = {"create-replacement": "replace", "refresh": "same", "import": "create"}
_PARTS_OF_OTHERS = ("replace", "delete-replaced", "discard-replaced", "remove-pending-replace")
_FORGOTTEN = "discard"  # what was only read and is no longer named: nothing happens on AWS


def found() -> Path | None:
    """The CLI on PATH, or the one `make pulumi` put into the project's tool folder."""
    path = shutil.which("pulumi") or shutil.which("pulumi", path=str(TOOLS))
    return Path(path) if path else None


def version(cli: Path) -> str:
    asked = subprocess.run([cli, "version"], capture_output=True, text=True, check=True, env=_quiet())
    return asked.stdout.strip()


def _quiet() -> dict[str, str]:
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}


@dataclass
class CommandLine:
    """A project folder with stacks in it. `up`, `preview`, `destroy` and `refresh` are the sandbox's engine's."""

    cli: Path
    folder: Path
    plugin: PluginServer
    current: str = ""
    stacks: list[str] = field(default_factory=list)

    def up(
        self,
        program: Path,
        project: str,
        stack: str,
        config: Mapping[str, str],
        cwd: Path | None = None,
        secret_keys: Collection[str] = (),
    ) -> RunResult:
        self._set_out(program, project, stack, config, secret_keys)
        result = self._steps("up", "--yes", "--skip-preview")
        return RunResult(result.steps, self.outputs(), result.messages)

    def preview(
        self,
        program: Path,
        project: str,
        stack: str,
        config: Mapping[str, str],
        cwd: Path | None = None,
        secret_keys: Collection[str] = (),
    ) -> RunResult:
        self._set_out(program, project, stack, config, secret_keys)
        return self._steps("preview")

    def destroy(self, config: Mapping[str, str] | None = None) -> RunResult:
        if config is not None:
            self._configure(config)
        return self._steps(
            "destroy", "--yes"
        )  # with its preview, which stops at what is protected before anything goes

    def refresh(self, config: Mapping[str, str] | None = None) -> RunResult:
        if config is not None:
            self._configure(config)
        return self._steps("refresh", "--yes", "--skip-preview")

    def outputs(self) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.run("stack", "output", "--json", "--show-secrets"))
        return shown

    def exported(self) -> dict[str, Any]:
        """The stack's state as `pulumi stack export` writes it: secrets stay encrypted."""
        deployment: dict[str, Any] = json.loads(self.run("stack", "export"))["deployment"]
        return deployment

    def run(self, *words: str) -> str:
        """One command on the current stack; its standard output. Raises ProgramFailed with everything it said."""
        code, out, err = self._call(*words, *(("--stack", self.current) if self.current else ()))
        if code:
            raise ProgramFailed((out + err,))
        return out

    def _set_out(
        self, program: Path, project: str, stack: str, config: Mapping[str, str], secret_keys: Collection[str]
    ) -> None:
        """The project around this program; the stack selected and configured."""
        self.folder.mkdir(exist_ok=True)
        link = self.folder / "infra"
        link.unlink(missing_ok=True)
        link.symlink_to(program)
        runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
        document = {"name": project, "main": "infra", "runtime": runtime}
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(document))
        if stack not in self.stacks:
            self.current = ""
            self.run("stack", "init", stack)
            self.stacks.append(stack)
        self.current = stack
        self._configure({key: value for key, value in config.items() if key not in secret_keys})
        for key in secret_keys:
            self.run("config", "set", "--secret", key, config[key])

    def _configure(self, config: Mapping[str, str]) -> None:
        """As people write it: what is structured is YAML, not JSON in a string."""
        file = self.folder / f"Pulumi.{self.current}.yaml"
        kept = yaml.safe_load(file.read_text()) if file.exists() else {}
        kept["config"] = {key: _value(text) for key, text in config.items()}
        file.write_text(yaml.safe_dump(kept))

    def _steps(self, *words: str) -> RunResult:
        log = self.folder / "events.json"
        log.unlink(missing_ok=True)
        code, out, err = self._call(
            *words, "--stack", self.current, "--parallel", "1", "--event-log", str(log), "--suppress-progress"
        )
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        steps = tuple(_done(events, previewed=words[0] == "preview"))
        heard = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
        if code:
            told = [one["message"] for one in heard if one["severity"] == "error"]
            raise ProgramFailed(tuple(told) or (out + err,), steps)
        said = tuple((one["severity"], one["message"].strip(), one.get("urn", "")) for one in heard)
        return RunResult(steps, {}, tuple(one for one in said if one[0] != "debug"))

    def _call(self, *words: str) -> tuple[int, str, str]:
        """Without a timeout of subprocess's own: it would sleep, and to sleep moves the sandbox's time."""
        started = subprocess.Popen(
            [self.cli, *words, "--non-interactive", "--color", "never"],
            cwd=self.folder, env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        watchdog = threading.Timer(LONGEST_SECONDS, started.kill)
        watchdog.start()
        try:
            out, err = started.communicate()
        finally:
            watchdog.cancel()
        return started.returncode, out, err

    def _environment(self) -> dict[str, str]:
        backend = self.folder.parent / "backend"
        backend.mkdir(exist_ok=True)
        return {
            **_quiet(),
            **self.plugin.environment,
            "PATH": os.pathsep.join((str(self.cli.parent), os.environ["PATH"])),
            "PULUMI_HOME": str(self.folder.parent / "home"),
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "correct horse",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # --event-log is one of them, as the Automation API knows
        }


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _done(events: list[dict[str, Any]], *, previewed: bool) -> Iterator[StepResult]:
    """What was done (when `previewed`: would be), in its order, for resources of AWS alone."""
    for event in events:
        if "resOutputsEvent" not in event:
            continue
        step = event["resOutputsEvent"]["metadata"]
        if event["resOutputsEvent"].get("planning") and not previewed:
            continue
        state = step.get("new") or step.get("old") or {}
        if (
            not state.get("custom")
            or step["type"].startswith((PROVIDER, STACK_REFERENCE))
            or step["op"] in (*_PARTS_OF_OTHERS, _FORGOTTEN)
        ):
            continue
        yield StepResult(
            _op(step), step["urn"], step["type"], step["urn"].rpartition("::")[2], tuple(step.get("diffs") or ())
        )


def _op(step: dict[str, Any]) -> Any:
    if step["op"] == "delete" and step["old"].get("retainOnDelete"):
        return "retain"
    return _OPS.get(step["op"], step["op"])
