"""`sluice plan`: the table, the ways back, and every assumption with its number."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cli.conftest import Desk

POLICY = """
version: 1
steps:
  - {weight: 1,  bake: {min: 7m,  max: 15m}, on_inconclusive: advance}
  - {weight: 10, bake: {min: 10m, max: 30m}}
  - {weight: 95, bake: {min: 2m, max: 1h}, on_inconclusive: rollback}
  - {weight: 100}
min_samples: 100
soak: 24h
metrics:
  errors: {kind: rate, events: Invocation5XXErrors, trials: Invocations, rail: {rate: 5%, versus_stable: 2.0}}
"""

Golden = Callable[[str], None]


@pytest.fixture(autouse=True)
def _policy(desk: Desk) -> None:
    (desk.folder / "p.yaml").write_text(POLICY)
    desk.width = 120


@pytest.mark.golden
def test_plan_without_traffic(desk: Desk, golden: Golden) -> None:
    golden(desk.run("plan", "p.yaml").transcript)


@pytest.mark.golden
def test_plan_at_25_requests_a_second(desk: Desk, golden: Golden) -> None:
    golden(
        desk.run(
            "plan", "p.yaml", "--rps", "25", "--endpoint-update-minutes", "8", "--weight-call-seconds", "15"
        ).transcript
    )


@pytest.mark.golden
@pytest.mark.parametrize("traffic", [(), ("--rps", "25")], ids=["without_traffic", "at_25"])
def test_plan_in_80_columns(desk: Desk, golden: Golden, traffic: tuple[str, ...]) -> None:
    desk.width = 80

    ran = desk.run("plan", "p.yaml", *traffic)

    golden(ran.transcript)
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.golden
def test_plan_that_is_stuck(desk: Desk, golden: Golden) -> None:
    (desk.folder / "p.yaml").write_text(POLICY + "max_hold: 1h\nafter_soak: retire\n")

    golden(desk.run("plan", "p.yaml", "--rps", "0.2").transcript)


@pytest.mark.golden
def test_plan_json(desk: Desk, golden: Golden) -> None:
    ran = desk.run("plan", "p.yaml", "--rps", "25", "--json")

    golden(ran.transcript)
    assert json.loads(ran.out)["assumptions"]["update_seconds"] == {"earliest": 300, "latest": 1800}


def test_a_policy_of_too_short_bakes_says_that_no_traffic_is_enough(desk: Desk) -> None:
    (desk.folder / "p.yaml").write_text(POLICY.replace("{min: 7m,  max: 15m}", "{min: 1m, max: 3m}"))

    assert "too short, too short" in desk.run("plan", "p.yaml").out


@pytest.mark.parametrize("text", ["0", "x", "30-5", "5-", "-5"])
def test_a_range_that_is_none_is_named(desk: Desk, text: str) -> None:
    ran = desk.run("plan", "p.yaml", f"--endpoint-update-minutes={text}")

    assert (ran.exit_code, ran.out) == (2, "")
    assert ran.err == f"--endpoint-update-minutes: must be a number above 0 or a range such as 5-30, got {text!r}\n"


def test_a_faulty_policy_is_not_planned(desk: Desk) -> None:
    (desk.folder / "p.yaml").write_text(POLICY.replace("min_samples: 100", "min_sample: 100"))

    ran = desk.run("plan", "p.yaml")

    assert ran.exit_code == 2
    missing, unknown = ran.err.splitlines()
    assert missing.startswith("p.yaml: min_samples: missing")
    assert unknown.startswith("p.yaml: min_sample: unknown key")


def test_traffic_must_be_above_zero(desk: Desk) -> None:
    assert desk.run("plan", "p.yaml", "--rps", "0").exit_code == 2


def test_plan_says_the_worst_case_of_scaling_that_is_kept(desk: Desk) -> None:
    said = " ".join(desk.run("plan", "p.yaml", "--rps", "25", "--scaling", "keep").out.split())

    assert "worst case, kept 30m30s from the decision: `scaling: keep` lets autoscaling change counts" in said
    assert "worst case" not in desk.run("plan", "p.yaml", "--rps", "25").out


def test_a_harm_budget_makes_weights_limits(desk: Desk) -> None:
    (desk.folder / "b.yaml").write_text(POLICY + "harm_budget: 200\n")

    told = " ".join(desk.run("plan", "b.yaml").transcript.split())

    assert "harm budget 200 excess bad requests a step: weights are limits then" in told
    assert "harm budget" not in desk.run("plan", "p.yaml").transcript


def test_the_name_of_a_ready_made_policy_is_answered_with_its_file(desk: Desk) -> None:
    ready_made = desk.folder / "policies" / "rollouts" / "standard.yaml"
    ready_made.parent.mkdir(parents=True)
    ready_made.write_text(POLICY)

    ran = desk.run("plan", "standard")

    assert ran.exit_code == 2
    assert ran.err == (
        "standard: cannot be read: No such file or directory. The ready-made policy of this name is policies/rollouts/standard.yaml\n"
    )
