"""docs/transcript.md is executed: each command in a process of its own, over HTTP, against the sandbox as a server."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.cli.serve import serving
from sluice.sandbox.sandbox import START
from sluice.sandbox.server.server import Key, Server

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "transcript.md").read_text()
LEFT_OUT = "..."


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(
        Key("AKIATRANSCRIPT", "secret-of-the-transcript"), speed=0, port=0, requests_per_minute=3000, start=START
    ) as running:
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


def typed(command: str, server: Server, folder: Path) -> list[str]:
    program, *words = shlex.split(command)
    assert program == "sluice"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PULUMI_STACK": "dev",
        "NO_COLOR": "1",
        **server.environment,
    }
    done = subprocess.run(
        [str(ROOT / ".venv/bin/sluice"), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    printed = done.stdout.splitlines() + done.stderr.splitlines()
    return [*printed, f"exit {done.returncode}"] if done.returncode else printed


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
    seen = []
    for command, shown in steps():
        printed = typed(command, server, tmp_path)
        seen.append(f"$ {command}\n" + "\n".join(printed))

        assert missing(shown, printed) == [], "\n".join(seen)
        assert LEFT_OUT in shown or len(printed) == len(shown), f"lines that the page does not show: {seen[-1]}"
    assert server.fault is None
    assert "<html" in (tmp_path / "report.html").read_text()
