"""The README is executed: its commands, its output, its YAML, its links."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from sluice.sandbox.triage import train
from sluice.schema import parse_policy, parse_stack

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def demo_output() -> list[str]:
    done = subprocess.run(
        [str(ROOT / ".venv/bin/sluice"), "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_the_demos_output_is_what_the_readme_shows(demo_output: list[str]) -> None:
    (block,) = blocks("console")
    command, *shown = block.splitlines()
    assert command == "$ make demo"

    remaining = iter(demo_output)
    missing = [line for line in shown if line != "..." and line not in remaining]

    assert missing == [], "these lines are not in the demo's output, or not in this order"


def test_make_demo_runs_the_sluice_command() -> None:
    # Under an outer `make` (CI) the inner one would also say which directory it enters and leaves.
    command = ["make", "--dry-run", "--no-print-directory", "demo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert shlex.split(done.stdout.splitlines()[-1])[-2:] == [".venv/bin/sluice", "demo"]


def test_the_yaml_blocks_are_a_valid_policy_and_a_valid_stack_configuration(tmp_path: Path) -> None:
    policy, stack = (yaml.safe_load(block) for block in blocks("yaml"))

    assert parse_policy(policy, "README.md").soak_seconds == 86400
    train(tmp_path / "build" / "triage")
    endpoints = stack["config"]["sluice:endpoints"]
    endpoints["triage"]["policy"] = str(ROOT / "policies" / "rollouts" / "standard.yaml")
    assert parse_stack({"endpoints": endpoints}, tmp_path, "sluice", "dev").endpoints[0].release.name == "v2"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists(), target


@pytest.mark.parametrize(("name", "file"), re.findall(r"\[((?:test_|Test)\w+)\]\((tests/[^)]+)\)", README))
def test_the_tests_behind_the_promises_exist(name: str, file: str) -> None:
    text = (ROOT / file).read_text()

    assert re.search(rf"(def|class) {name}\b", text), f"{file} has no {name}"


def test_the_readme_fits_on_two_screens() -> None:
    assert len(README.splitlines()) <= 130
