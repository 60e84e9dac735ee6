"""`sluice lint`: silent when all is well, else every fault on its own line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Desk

POLICIES = sorted((Path(__file__).parents[2] / "policies" / "rollouts").glob("*.yaml"))
GOOD = """
version: 1
steps:
  - {weight: 5, bake: {min: 5m, max: 15m}}
  - {weight: 100}
min_samples: 100
soak: 1h
metrics:
  errors: {kind: rate, events: Invocation5XXErrors, trials: Invocations, rail: {rate: 5%, versus_stable: 2.0}}
alarms: []
"""
RELEASE = {
    "schema": 1,
    "name": "v1",
    "artifact": {"url": "s3://models/v1.tar.gz", "sha256": "a" * 64},
    "image": f"repo@sha256:{'b' * 64}",
    "contract": "1",
    "instance_type": "ml.m5.large",
    "smoke": {"content_type": "text/csv", "inputs": ["1,2"]},
}


@pytest.fixture
def files(desk: Desk) -> Path:
    (desk.folder / "good.yaml").write_text(GOOD)
    (desk.folder / "release.json").write_text(json.dumps(RELEASE))
    return desk.folder


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.name)
def test_the_ready_made_policies_have_nothing_to_be_said_about(desk: Desk, file: Path) -> None:
    ran = desk.run("lint", str(file))

    assert (ran.exit_code, ran.out, ran.err) == (0, "", "")


def test_good_policies_and_releases_are_silent(desk: Desk, files: Path) -> None:
    ran = desk.run("lint", "good.yaml", "release.json")

    assert (ran.exit_code, ran.out, ran.err) == (0, "", "")


def test_every_fault_of_every_file_has_its_own_line(desk: Desk, files: Path) -> None:
    (files / "bad.yaml").write_text(GOOD.replace("weight: 5,", "weight: 0,").replace("soak: 1h", "soak: 60"))
    (files / "bad.json").write_text(json.dumps({**RELEASE, "image": "latest", "colour": "red"}))
    (files / "notes.yaml").write_text("just: notes")

    ran = desk.run("lint", "bad.yaml", "good.yaml", "bad.json", "notes.yaml", "missing.yaml")

    assert (ran.exit_code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["bad.yaml"] * 2 + ["bad.json"] * 2 + [
        "notes.yaml",
        "missing.yaml",
    ]
    assert lines[0].startswith("bad.yaml: steps[0].weight: must be a")
    assert lines[4].startswith("notes.yaml: is neither a rollout policy ")
    assert lines[5].startswith("missing.yaml: cannot be read: No such file or directory")


def test_a_warning_has_its_reason_and_is_no_fault(desk: Desk, files: Path) -> None:
    (files / "listening.yaml").write_text(GOOD.replace("alarms: []", "alarms: [payments-are-down]"))

    ran = desk.run("lint", "listening.yaml")

    assert ran.exit_code == 0
    assert ran.err == (
        "listening.yaml: warning: alarms[0]: payments-are-down is absolute: in an incident that stable shares it takes the "
        "canary back and quarantines it, although the canary is not to blame\n"
    )


def test_what_the_traffic_cannot_show_is_said_only_when_the_traffic_is_known(desk: Desk, files: Path) -> None:
    silent, warned = desk.run("lint", "good.yaml"), desk.run("lint", "good.yaml", "--rps", "1")

    assert silent.err == ""
    assert warned.exit_code == 0
    assert warned.err.startswith("good.yaml: warning: steps[0]: at 5 % of 1 requests/s the 100 requests needed")


def test_json_has_faults_and_warnings(desk: Desk, files: Path) -> None:
    (files / "bad.yaml").write_text(GOOD.replace("soak: 1h", "soak: 1"))

    ran = desk.run("lint", "bad.yaml", "good.yaml", "--rps", "1", "--json")

    found = json.loads(ran.out)
    assert (ran.exit_code, ran.err, found["schema"]) == (2, "", 1)
    assert (len(found["faults"]), len(found["warnings"])) == (1, 1)
