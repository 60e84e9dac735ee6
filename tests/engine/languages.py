"""Programs in other languages under the real engine: the example's folder as it stands, and the component as its plugin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from sluice.sandbox.engine.program import RunResult
from sluice.sandbox.sandbox import REPOSITORY
from tests.engine.command_line import CommandLine, found

COMPONENT = REPOSITORY / "component"
EXAMPLES = REPOSITORY / "examples" / "languages"


def has_host(language: str) -> bool:
    """Whether the engine can run programs of this language here."""
    cli = found()
    name = f"pulumi-language-{language}"
    return cli is not None and (shutil.which(name) or shutil.which(name, path=str(cli.parent))) is not None


def place(example: str, folder: Path) -> None:
    """The example with the way from it to the component as it is from there."""
    shutil.copytree(EXAMPLES / example, folder)
    project = folder / "Pulumi.yaml"
    project.write_text(project.read_text().replace("../../../component", str(COMPONENT)))


def offer_component(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pulumi package add` would fetch the AWS provider from Pulumi's servers; an engine also finds plugins on PATH."""
    folder.mkdir()
    script = folder / "pulumi-resource-sluice"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{COMPONENT}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(folder), os.environ["PATH"])))


def up(engine: CommandLine, config: Mapping[str, str]) -> RunResult:
    """`pulumi up` of the program in the engine's folder, on a stack `dev`."""
    if "dev" not in engine.stacks:
        engine.run("stack", "init", "dev")
        engine.stacks.append("dev")
    engine.current = "dev"
    engine._configure(config)
    done = engine._steps("up", "--yes", "--skip-preview")
    return RunResult(done.steps, engine.outputs(), done.messages)


def with_sdk(cli: Path, folder: Path) -> None:
    """What `pulumi install` does for a Node.js project: types from the schema, then npm."""
    generate = [
        "package",
        "gen-sdk",
        str(COMPONENT / "schema.json"),
        "--language",
        "nodejs",
        "--local",
        "--out",
        "sdks",
    ]
    npm = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "./sdks/nodejs"]
    for words in ([str(cli), *generate], npm):
        subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True)
