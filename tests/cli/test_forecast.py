"""`sluice forecast`: the table, the picture, the gate, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Desk
from tests.forecast.policies import DOCUMENT


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """10 % for 10 to 30 minutes, then all: short, because every run plays hundreds of rollouts."""
    file = tmp_path / "policy.yaml"
    steps: list[object] = DOCUMENT["steps"]  # type: ignore[assignment]
    file.write_text(yaml.safe_dump({**DOCUMENT, "steps": [steps[1], steps[-1]]}, sort_keys=False))
    return str(file)


def test_the_table_and_the_sentences(tmp_path: Path, policy: str) -> None:
    ran = Desk(tmp_path).run("forecast", policy, "--rps", "500", "--rollouts", "40", "--rate", "errors=1%")

    assert ran.exit_code == 0
    assert "at 500 requests/s: 40 simulated rollouts each, seed 1" in ran.out
    assert "in good times errors 1 %, conversion 10 %" in ran.out
    assert "the smallest error increase caught with 90 %: x 1." in ran.out
    assert "a good release is at 100 % after " in ran.out
    assert "\r" not in ran.out, "progress is for terminals, on stderr"
    assert "no difference" in ran.err


def test_the_document_holds_the_same(tmp_path: Path, policy: str) -> None:
    ran = Desk(tmp_path).run("forecast", policy, "--rps", "500", "--rollouts", "40", "--json")

    document = json.loads(ran.out)
    assert document["schema"] == 1
    assert document["forecast"]["fates"][0]["name"] == "no difference"
    assert ran.err == ""


def test_a_picture_is_drawn(tmp_path: Path, policy: str) -> None:
    Desk(tmp_path).run("forecast", policy, "--rps", "500", "--rollouts", "40", "--picture", str(tmp_path / "p.svg"))

    drawn = (tmp_path / "p.svg").read_text()
    assert drawn.startswith("<svg ")
    assert "90 % from x" in drawn


@pytest.mark.parametrize(("rps", "exit_code"), [("2000", 0), ("2", 1)])
def test_the_gate_is_about_the_declared_effects(tmp_path: Path, policy: str, rps: str, exit_code: int) -> None:
    ran = Desk(tmp_path).run("forecast", policy, "--rps", rps, "--rollouts", "40", "--gate")

    assert ran.exit_code == exit_code
    assert ("declared and mostly missed" in ran.out) == bool(exit_code)


@pytest.mark.parametrize(
    ("rate", "sentence"),
    [
        ("errors", "--rate: must be METRIC=RATE such as errors=0.2%, got 'errors'"),
        ("errors=0%", "must be METRIC=RATE"),
        ("errors=100%", "must be METRIC=RATE"),
        ("latency=1%", "the policy has no rate or mean 'latency' (it has: errors, conversion)"),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused(tmp_path: Path, policy: str, rate: str, sentence: str) -> None:
    ran = Desk(tmp_path).run("forecast", policy, "--rps", "5", "--rate", rate)

    assert ran.exit_code == 2
    assert sentence in ran.err


def test_a_gate_without_a_declared_effect_is_refused(tmp_path: Path) -> None:
    ran = Desk(tmp_path).run("forecast", "policies/rollouts/demo.yaml", "--rps", "5", "--gate")

    assert ran.exit_code == 2
    assert "--gate needs a metric with `detect`" in ran.err
