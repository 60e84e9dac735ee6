"""`sluice forecast`: the table, the picture, the gate, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sluice.cli.picture import draw_forecast
from sluice.forecast.forecast import Forecast, Setting, WhatIf, base_of, forecast
from sluice.forecast.world import Effect
from tests.cli.conftest import Desk
from tests.forecast.policies import DOCUMENT, with_kpi


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


@pytest.fixture(scope="module")
def made() -> Forecast:
    """A forecast small enough to be drawn twice."""
    policy = with_kpi()
    short = replace(policy, steps=(policy.steps[1], policy.steps[-1]))
    tried = [WhatIf("no difference", Effect(), False), WhatIf("errors x5", Effect({"errors": 5.0}), True)]
    return forecast(short, Setting(base_of(short, 500, {}), rollouts=20), tried)


def test_a_picture_is_a_png_or_an_svg_by_its_name(tmp_path: Path, made: Forecast) -> None:
    for name in ("p.svg", "again.svg", "p.png"):
        draw_forecast(made, "policy.yaml", tmp_path / name)

    drawn = (tmp_path / "p.svg").read_text()
    assert "90 % from x" in drawn
    assert "errors x5" in drawn, "words stay words"
    assert drawn == (tmp_path / "again.svg").read_text()
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_policy_without_an_error_rate_is_drawn_without_a_curve(tmp_path: Path, made: Forecast) -> None:
    draw_forecast(replace(made, curve=(), smallest_error_increase=None), "policy.yaml", tmp_path / "p.svg")

    assert "the policy has no error rate to increase" in (tmp_path / "p.svg").read_text()


def test_the_command_draws_beside_the_table(tmp_path: Path, policy: str) -> None:
    file = tmp_path / "p.png"
    ran = Desk(tmp_path).run("forecast", policy, "--rps", "5000", "--rollouts", "20", "--picture", str(file))

    assert ran.exit_code == 0
    assert file.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("name", "sentence"), [("p.jpg", "must end in .png or .svg"), ("no/p.png", "there is no folder")]
)
def test_a_picture_that_cannot_be_drawn_is_refused_before_anything_is_simulated(
    tmp_path: Path, policy: str, name: str, sentence: str
) -> None:
    ran = Desk(tmp_path).run("forecast", policy, "--rps", "500", "--picture", str(tmp_path / name))

    assert ran.exit_code == 2
    assert sentence in ran.err
    assert "no difference" not in ran.err


@pytest.mark.parametrize(("rps", "exit_code"), [("2000", 0), ("2", 1)])
def test_the_gate_is_about_the_declared_effects(tmp_path: Path, policy: str, rps: str, exit_code: int) -> None:
    ran = Desk(tmp_path).run("forecast", policy, "--rps", rps, "--rollouts", "40", "--gate")

    assert ran.exit_code == exit_code
    assert ("declared and mostly missed" in ran.out) == bool(exit_code)
    assert ("looks for schedules that see more" in ran.out) == bool(exit_code)


def test_a_step_that_good_releases_do_not_leave_is_named_with_the_reason(tmp_path: Path, policy: str) -> None:
    ran = Desk(tmp_path).run("forecast", policy, "--rps", "0.05", "--rollouts", "20")

    assert "a good release is not promoted\n" in ran.out
    assert "most good releases stay in step 1 (10 %): 100 requests of it take 333 min: lower min_samples" in ran.out


def test_a_proof_that_takes_too_long_is_the_reason_where_requests_are_not(tmp_path: Path) -> None:
    file = tmp_path / "strict.yaml"
    step = {"weight": 10, "bake": {"min": "5m", "max": "10m"}, "prove": {"errors": 1.6}, "on_inconclusive": "hold"}
    file.write_text(yaml.safe_dump({**DOCUMENT, "steps": [step, {"weight": 100}], "max_hold": "1h"}, sort_keys=False))
    ran = Desk(tmp_path).run("forecast", str(file), "--rps", "5", "--rollouts", "20")

    assert "step 1 (10 %): what it has to prove takes more than its longest bake of 10 min" in ran.out


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
