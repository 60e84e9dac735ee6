"""`sluice backtest` and `sluice calibrate` on recorded minutes of simulated rollouts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from sluice.core.observation import Row
from sluice.forecast.forecast import base_of
from sluice.forecast.rows import row_of
from sluice.forecast.world import Effect, Nature, World
from sluice.schema.recording import COLUMNS
from tests.cli.conftest import NOW, Desk
from tests.forecast.policies import DOCUMENT, with_kpi
from tests.forecast.test_agreement import ROLLOUTS, START, recorded

STEPS = np.repeat(np.array([0, 1, 2]), [15, 20, 25])[None, :].repeat(ROLLOUTS, axis=0)


def minutes(effect: Effect, nature: Nature, rps: float = 500.0) -> list[Row]:
    policy = with_kpi()
    world = World(base_of(policy, rps, {"errors": 0.01}), nature, ROLLOUTS, np.random.default_rng(8), effect)
    return [row_of(policy, minute, 0, START + 60 * at) for at, minute in enumerate(recorded(policy, world, STEPS))]


def lines(release: str, rows: Iterable[Row]) -> Iterable[tuple[object, ...]]:
    for row in rows:
        for slot, side in (("canary", row.canary), ("stable", row.stable)):
            for metric, counts in side.rates.items():
                yield release, row.at, row.step, slot, metric, counts.trials, counts.events, ""
            for metric, tail in side.tails.items():
                for threshold, over in tail.over.items():
                    yield release, row.at, row.step, slot, metric, tail.trials, over, threshold


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(DOCUMENT, sort_keys=False))
    return str(file)


def recording(tmp_path: Path, **releases: list[Row]) -> str:
    file = tmp_path / "minutes.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for release, rows in releases.items():
            writer.writerows(lines(release, rows))
    return str(file)


def test_a_bad_release_of_the_past_would_have_been_taken_back(tmp_path: Path, policy: str) -> None:
    good, bad = minutes(Effect(), Nature()), minutes(Effect({"errors": 5.0}), Nature())
    ran = Desk(tmp_path).run("backtest", recording(tmp_path, v7=good, v8=bad), "--policy", policy, "--json")

    assert ran.exit_code == 0
    v7, v8 = json.loads(ran.out)["releases"]
    assert v7["back_at"] is None
    assert [step for step, _ in v7["proven"]][-1] == 3
    assert v8["back_at"] <= 7
    assert v8["because"].startswith("errors")


def test_a_backtest_reads_as_sentences(tmp_path: Path, policy: str) -> None:
    bad = minutes(Effect({"errors": 5.0}), Nature())
    ran = Desk(tmp_path).run("backtest", recording(tmp_path, v8=bad), "--policy", policy)

    assert "1 releases, 1 would have been taken back" in ran.out
    assert "v8: 60 minutes" in ran.out
    assert "taken back after " in ran.out


def test_identical_variants_are_measured_and_the_tolerances_hold(tmp_path: Path, policy: str) -> None:
    same = minutes(Effect(), replace(Nature(), identical=0.01, cold_minutes=0.5))
    ran = Desk(tmp_path).run("calibrate", recording(tmp_path, again=same), "--policy", policy, "--json")

    found = json.loads(ran.out)["calibration"]
    assert ran.exit_code == 0, ran.out
    by_name = {metric["metric"]: metric for metric in found["metrics"]}
    assert by_name["errors"]["ratio"] == pytest.approx(1.0, abs=0.1)
    assert 1.0 <= by_name["errors"]["dispersion"] < 4
    assert by_name["latency"]["cold_minutes"] <= 2


def test_a_tolerance_below_the_difference_and_a_settle_time_below_the_cold_start_are_refused(
    tmp_path: Path, policy: str
) -> None:
    unlike = minutes(Effect({"conversion": 0.93}), replace(Nature(), cold_latency=4.0, cold_minutes=4.0))
    ran = Desk(tmp_path).run("calibrate", recording(tmp_path, again=unlike), "--policy", policy)

    assert ran.exit_code == 1
    assert "refused: conversion: a ratio of 0.97 is tolerated, but identical variants differ by 0.9" in ran.out
    assert "refused: judge.settle: 5 min, but the canary was cold for " in ran.out


def test_a_recording_of_several_releases_needs_a_name(tmp_path: Path, policy: str) -> None:
    rows = minutes(Effect(), Nature(), rps=5.0)
    file = recording(tmp_path, v7=rows, v8=rows)

    assert "say which with --release" in Desk(tmp_path).run("calibrate", file, "--policy", policy).err
    assert "holds no release 'v9'" in Desk(tmp_path).run("calibrate", file, "--policy", policy, "--release", "v9").err
    assert "too few events" in Desk(tmp_path).run("calibrate", file, "--policy", policy, "--release", "v8").out


CLOUDWATCH = ("--endpoint", "shop", "--canary", "green", "--stable", "blue")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((), "FILE: give a recording, or --endpoint with --canary, --stable, --from and --until"),
        (("--endpoint", "shop", "--stable", "blue"), "--endpoint: needs --canary, --from, --until, too"),
        ((*CLOUDWATCH, "--from", "noon", "--until", "2026-01-05"), "--from: must be a moment such as 2026-03-02T09:00"),
        (
            (*CLOUDWATCH, "--from", "2026-01-05", "--until", "2026-01-04"),
            "--until: must be after --from and in the past",
        ),
        (
            (*CLOUDWATCH, "--from", "2025-12-01", "--until", "2026-01-04"),
            "--from: CloudWatch keeps minutes for 15 days",
        ),
        (
            (*CLOUDWATCH, "--stable", "green", "--from", "2026-01-04", "--until", "2026-01-05"),
            "--canary: must be another variant than --stable, got 'green' for both",
        ),
    ],
)
@pytest.mark.parametrize("command", ["backtest", "calibrate"])
def test_what_is_missing_or_impossible_about_cloudwatch_is_said(
    tmp_path: Path, policy: str, command: str, given: tuple[str, ...], sentence: str
) -> None:
    ran = Desk(tmp_path, clock=NOW).run(command, "--policy", policy, *given)

    assert ran.exit_code == 2
    assert sentence in ran.err


def test_a_policy_that_reads_outcomes_needs_their_namespace(tmp_path: Path) -> None:
    given = (*CLOUDWATCH, "--from", "2026-01-04", "--until", "2026-01-05")
    ran = Desk(tmp_path, clock=NOW).run("backtest", "--policy", "policies/rollouts/demo.yaml", *given)

    assert ran.exit_code == 2
    assert "--outcomes: the policy reads accuracy from the stack's own namespace" in ran.err


def test_a_file_and_an_endpoint_are_one_too_many(tmp_path: Path, policy: str) -> None:
    ran = Desk(tmp_path, clock=NOW).run("backtest", "minutes.csv", "--policy", policy, "--endpoint", "shop")

    assert "--endpoint: given together with FILE" in ran.err
