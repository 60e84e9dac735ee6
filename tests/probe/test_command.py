"""`sluice probe` as typed."""

from __future__ import annotations

import json
import os
import signal

import pytest
from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.cli.probe import terminations
from tests.probe.conftest import Probing


def sluice(*words: str):
    return CliRunner().invoke(app, ["probe", *words])


def test_policy_prints_the_iam_policy_of_this_account_and_region(room: Probing) -> None:
    done = sluice("--policy", "--region", "eu-west-1")

    assert done.exit_code == 0
    resources = [each["Resource"] for each in json.loads(done.stdout)["Statement"]]
    assert ["arn:aws:sagemaker:eu-west-1:123456789012:model/sluice-probe-*"] in resources


def test_without_a_terminal_it_does_not_start_unless_told_to(room: Probing) -> None:
    done = sluice("--only", "event_path")

    assert done.exit_code == 2
    assert "say --yes" in done.stderr
    assert room.sandbox.cloud.gate.made("PutMetricAlarm") == []


def test_yes_runs_it_and_writes_the_file_named(room: Probing) -> None:
    out = room.folder / "seen.json"

    done = sluice("--only", "event_path", "--yes", "--out", str(out))

    assert done.exit_code == 0, done.output
    assert json.loads(out.read_text())["facts"]["event_path"]["answer"]["seconds"] == [2.5] * 4
    assert "1 of 1 questions answered" in done.stdout
    assert "Everything was removed again." in done.stdout


def test_clean_of_a_run_that_left_nothing_finds_nothing(room: Probing) -> None:
    assert sluice("--clean", "abcd1234").exit_code == 0


@pytest.mark.parametrize("run", ["../x", "ABC", "", "a" * 21])
def test_clean_takes_a_runs_id_and_nothing_else(room: Probing, run: str) -> None:
    done = sluice("--clean", run)

    assert done.exit_code == 2
    assert "a run's id is up to 20 lower-case letters and digits" in done.stderr


def test_an_unknown_region_needs_an_image(room: Probing) -> None:
    done = sluice("--region", "us-gov-west-1", "--yes")

    assert done.exit_code == 2
    assert "--image is needed in us-gov-west-1" in done.stderr


def test_a_polite_kill_ends_a_probe_as_ctrl_c_does() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt), terminations():
        os.kill(os.getpid(), signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before
