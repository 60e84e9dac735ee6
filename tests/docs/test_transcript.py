"""docs/transcript.md is executed: by another process, over HTTP, against the sandbox as a server."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.cli.serve import serving
from sluice.sandbox.sandbox import START
from sluice.sandbox.server.server import Key, Server

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "transcript.md").read_text()
(POLICY,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
LEFT_OUT = "..."


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """With fewer clients than usual: 150 requests a minute at the first step are enough to judge it, and cost less."""
    keys = (Key("AKIATRANSCRIPT", "secret-of-the-transcript"), Key("AKIACOLLEAGUE", "secret-too", "colleague"))
    with serving(keys, speed=0, port=0, requests_per_minute=600, start=START) as running:
        yield running


def steps() -> Iterator[tuple[str, list[str]]]:
    """(command, what the page shows of its output), in order."""
    command, shown = "", list[str]()
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line.removeprefix("$ "), []
            else:
                shown.append(line)
    yield command, shown


class Person:
    """Somebody at a shell in another process, who reaches the sandbox by its address and keys only. One process for all commands:
    starting Python for each of them would cost more than what they do.
    """

    def __init__(self, server: Server, folder: Path) -> None:
        self.environment = {"PULUMI_STACK": "dev", "NO_COLOR": "1", **server.environment}
        surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
        self.shell = subprocess.Popen(
            [sys.executable, "-c", SHELL], cwd=folder, env={**surroundings, **self.environment}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def types(self, command: str) -> list[str]:
        """What is printed. Variables before a command are for that command only."""
        words, given = shlex.split(command), dict(self.environment)
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            given[name] = self.environment[value.removeprefix("$")]
        assert words[0] == "sluice"
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.write(json.dumps([words[1:], given]) + "\n")
        self.shell.stdin.flush()
        printed, code = json.loads(self.shell.stdout.readline())
        return [*printed.splitlines(), f"exit {code}"] if code else list(printed.splitlines())

    def leaves(self) -> None:
        """Not `wait(timeout=...)`: it polls with `time.sleep`, which is the sandbox's here and would let its time pass."""
        self.shell.communicate()


SHELL = """
import json, os, sys
from typer.testing import CliRunner
from sluice.cli.app import app
for line in sys.stdin:
    words, given = json.loads(line)
    os.environ.update(given)
    ran = CliRunner().invoke(app, words, catch_exceptions=False)
    print(json.dumps([ran.output, ran.exit_code]), flush=True)
"""


def missing(shown: list[str], printed: list[str]) -> list[str]:
    """Shown lines that do not come, in this order; `...` alone is any number of lines, inside a line any text."""
    remaining = iter(printed)
    patterns = [
        (line, ".*".join(re.escape(part.strip()) for part in line.split(LEFT_OUT)))
        for line in shown
        if line != LEFT_OUT
    ]
    return [line for line, pattern in patterns if not any(re.fullmatch(pattern, found.strip()) for found in remaining)]


def test_the_session_goes_as_the_page_shows(server: Server, tmp_path: Path) -> None:
    """One test: every command depends on those before it."""
    (tmp_path / "approved.yaml").write_text(POLICY)
    person, seen = Person(server, tmp_path), []
    for command, shown in steps():
        printed = person.types(command)
        seen.append(f"$ {command}\n" + "\n".join(printed))

        assert missing(shown, printed) == [], "\n".join(seen)
        assert LEFT_OUT in shown or len(printed) == len(shown), f"lines that the page does not show: {seen[-1]}"
    person.leaves()
    assert server.fault is None
    assert "<html" in (tmp_path / "report.html").read_text()
