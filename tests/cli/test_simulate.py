"""`sluice simulate`: the real tick on a simulated endpoint, in scenarios by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from sluice.forecast.scenarios import SCENARIOS
from tests.cli.conftest import Desk
from tests.forecast.policies import DOCUMENT, EVERYTHING

SHOWN = {**EVERYTHING["conversion"], "share": 0}


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(DOCUMENT, sort_keys=False))
    return str(file)


def played(tmp_path: Path, policy: str, scenario: str) -> tuple[int, dict[str, object]]:
    ran = Desk(tmp_path).run("simulate", scenario, "--policy", policy, "--rps", "200", "--seed", "3", "--json")
    return ran.exit_code, json.loads(ran.out)


@pytest.mark.parametrize(
    ("scenario", "blamed"),
    [("fails", "errors"), ("errors-x5", "errors"), ("slow", "latency"), ("worse-answers", "conversion")],
)
def test_a_bad_release_is_taken_back_for_what_is_wrong_with_it(
    tmp_path: Path, policy: str, scenario: str, blamed: str
) -> None:
    exit_code, document = played(tmp_path, policy, scenario)

    assert exit_code == 1
    assert document["ended"] == "rolled_back"
    assert blamed in str(document["because"])


@pytest.mark.parametrize("scenario", ["good", "incident"])
def test_a_good_release_goes_out_also_through_an_incident(tmp_path: Path, policy: str, scenario: str) -> None:
    exit_code, document = played(tmp_path, policy, scenario)

    assert exit_code == 0
    assert document["ended"] == "settled"
    kinds = [event["kind"] for event in document["events"]]  # type: ignore[attr-defined, index]
    assert ("incident" in kinds) == (scenario == "incident")


def test_metrics_of_every_kind_are_played(tmp_path: Path) -> None:
    file = tmp_path / "everything.yaml"
    file.write_text(yaml.safe_dump({**DOCUMENT, "metrics": {**EVERYTHING, "conversion": SHOWN}}, sort_keys=False))
    exit_code, document = played(tmp_path, str(file), "worse-answers")

    assert exit_code == 1
    assert document["ended"] == "rolled_back"
    assert "revenue" in str(document["because"])


def test_the_timeline_ends_with_the_sentence(tmp_path: Path, policy: str) -> None:
    ran = Desk(tmp_path).run("simulate", "fails", "--policy", policy, "--rps", "200", "--seed", "3")

    assert ran.out.splitlines()[0].startswith("fails: about half of all requests fail; ")
    assert ran.out.splitlines()[-1].startswith("rolled_back: ")
    assert "submitted        0 %  v2 was submitted against v1" in ran.out


def test_an_unknown_scenario_is_refused_with_all_there_are(tmp_path: Path, policy: str) -> None:
    ran = Desk(tmp_path).run("simulate", "fire", "--policy", policy)

    assert ran.exit_code == 2
    assert all(name in ran.err for name in SCENARIOS)
