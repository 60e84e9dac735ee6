"""A page read as a person would follow it: its commands run in the sandbox, its documents are read by what reads the user's.

A command nobody here knows fails the test: nothing on a page goes unlooked at.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.sandbox.engine.program import RunResult
from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.triage import Example
from sluice.schema import parse_policy, parse_release, parse_stack

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_RELEASE = re.compile(r"release: build/triage/(v\d)/release\.json")
_LATER = re.compile(r"# (?:(\d+)|a|an) (minute|hour|day)s? later")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
ELSEWHERE = ("aws", "git", "jq", "docker", "source", "pip", "cd")
"""Tools that cannot run here. The page says that they were not tried."""


@dataclass(frozen=True)
class Block:
    """A fenced block and the text of the page before it."""

    language: str
    text: str
    before: str


def blocks(page: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(page):
        yield Block(found[1], found[2], page[: found.start()])


@dataclass
class Walk:
    """One person on one page. `stack` is what the newest stack configuration on the page says."""

    sandbox: Sandbox
    example: Example
    stack: dict[str, Any] = field(default_factory=dict)
    ups: list[RunResult] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)
    """By command: what it printed last."""

    def follow(self, page: str) -> None:
        for block in blocks(page):
            if block.language == "yaml":
                self.read(yaml.safe_load(block.text))
            elif block.language == "console":
                self.type(block)

    def read(self, document: Mapping[str, Any]) -> None:
        """A document of the page, with its own reader."""
        if "config" in document:
            self.stack = dict(document["config"])
            given = {key.removeprefix("sluice:"): value for key, value in self.stack.items()}
            parse_stack(
                {key: value for key, value in self.resolved(given).items() if ":" not in key}, ROOT, "sluice", "dev"
            )
        elif "artifact" in document:
            parse_release(document, "page")
        else:
            parse_policy(document, "page")

    def resolved(self, value: Any) -> Any:
        """With the example's own folder for `build/triage`."""
        return json.loads(json.dumps(value).replace("build/triage", str(self.example.folder)))

    def type(self, block: Block) -> None:
        lines = block.text.splitlines()
        for at, line in enumerate(lines):
            if later := _LATER.fullmatch(line):
                self.sandbox.run_until(lambda: False, int(later[1] or 1) * _SECONDS[later[2]])
            elif line.startswith("$ "):
                said = self.run(line.removeprefix("$ "), block.before)
                expected = next((i for i, other in enumerate(lines[at + 1 :]) if other.startswith(("$ ", "# "))), None)
                for wanted in lines[at + 1 :][:expected]:
                    assert wanted.rstrip() in said.splitlines(), f"{line} prints:\n{said}"

    def run(self, line: str, before: str) -> str:
        words = shlex.split(line)
        if words[0] in ELSEWHERE:
            return ""
        known: Mapping[str, Callable[[list[str], str], str]] = {
            "sluice": self.sluice,
            "pulumi": self.pulumi,
            "make": make,
            "python": script,
        }
        assert words[0] in known, f"nobody here knows how to run {line!r}"
        said = known[words[0]](words[1:], before)
        self.shown[line] = said
        return said

    def sluice(self, words: list[str], before: str) -> str:
        ran = CliRunner().invoke(app, [self.resolved(word) for word in words], catch_exceptions=False)
        assert ran.exit_code == 0, f"sluice {shlex.join(words)}: {ran.output}"
        return ran.stdout

    def pulumi(self, words: list[str], before: str) -> str:
        if newest := _RELEASE.findall(before):
            self.stack["sluice:endpoints"]["triage"]["release"] = f"build/triage/{newest[-1]}/release.json"
        self.sandbox.config.clear()
        self.sandbox.config.update(
            {key.removeprefix("sluice:"): value for key, value in self.resolved(self.stack).items()}
        )
        match words:
            case ["up"]:
                self.ups.append(self.sandbox.up())
            case ["preview"]:
                self.sandbox.preview()
            case ["destroy"]:
                self.sandbox.destroy()
            case ["login"] | ["stack", "init", _]:
                pass
            case other:
                raise AssertionError(f"nobody here knows pulumi {shlex.join(other)}")
        return ""


def make(words: list[str], before: str) -> str:
    """A target the Makefile has."""
    (target,) = words
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"make has no {target}"
    return ""


def script(words: list[str], before: str) -> str:
    """A script that is there and knows the options."""
    text = (ROOT / words[0]).read_text()
    for option in (word for word in words if word.startswith("--")):
        assert f'"{option}"' in text, f"{words[0]} has no {option}"
    return ""
