"""facts.json as an input: what is refused with which sentence, what the sandbox takes from it, what it is a warning of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.core.errors import BadInput
from sluice.probe.estimate import estimate
from sluice.probe.model import REGISTRIES, archive, default_image
from sluice.probe.table import QUESTIONS, chosen
from sluice.sandbox.facts import setting
from sluice.sandbox.sandbox import Setting
from sluice.schema.facts import read_facts, surprises
from sluice.schema.facts_document import Facts, FactsDocument

ASKED = {"question": "?", "how": "by asking", "at": "2026-11-21T15:00:00+00:00"}
WEIGHTS = {"in_service_seconds": [20.0, 31.5], "read_back_seconds": [19.0, 30.0]}
ADDED = {"seconds": 400.0, "weight_kept": True, "count_kept": True, "new_weight": 0.0, "on_new_config": True}
MATH = {
    "missing_side": "as_zero",
    "compared_with_missing": "as_zero",
    "empty_side": "as_zero",
    "compared_with_empty": "as_zero",
    "guard_on_empty": "stays_down",
    "divided_by_zero": "dropped",
    "filled_empty": "as_zero",
}


def document(**answers: Any) -> dict[str, Any]:
    facts = {key: {**ASKED, "answer": answer} for key, answer in answers.items()}
    return {
        "schema": 1,
        "run": "r1",
        "region": "eu-west-1",
        "instance_type": "ml.t2.medium",
        "image": "i",
        "facts": facts,
    }


def facts_of(**answers: Any) -> Facts:
    return FactsDocument.model_validate(document(**answers)).facts


def faults_of(tmp_path: Path, given: object) -> str:
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(given))
    with pytest.raises(BadInput) as refused:
        read_facts(file)
    return str(refused.value).replace(str(file), "facts.json")


def test_the_questions_of_the_table_are_the_facts_of_the_file() -> None:
    assert [question.key for question in QUESTIONS] == list(Facts.model_fields)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"schema": 2}, "facts.json: schema: must be 1, got 2; this Sluice reads no other version"),
        ({"facts": {"weight_cal": {}}}, "facts.json: facts.weight_cal: unknown key; did you mean 'weight_call'?"),
        (
            {"facts": {"event_path": {**ASKED, "answer": {"seconds": [-1.0]}}}},
            "facts.json: facts.event_path.answer.seconds[0]: must be at least 0.0, got -1.0",
        ),
        (
            {"facts": {"event_path": {**ASKED, "answer": {"seconds": []}}}},
            "facts.json: facts.event_path.answer.seconds: must have at least 1 entry, got none",
        ),
        (
            {"facts": {"count_call": {**ASKED, "answer": {"seconds": 99999.0}}}},
            "facts.json: facts.count_call.answer.seconds: must be at most 14400.0, got 99999.0",
        ),
        (
            {"facts": {"count_call": ASKED}},
            "facts.json: facts.count_call: must have either `answer` or `unknown` (why there is none), and not both, got a mapping",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_a_sentence(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    assert faults_of(tmp_path, {**document(), **change}) == sentence


def test_of_several_measurements_the_sandbox_takes_the_slowest() -> None:
    found = setting(facts_of(weight_call=WEIGHTS, event_path={"seconds": [0.4, 3.0]}))

    assert found.meters.endpoints.weights == 30.0
    assert found.event_seconds == 3.0


def test_what_was_not_asked_or_not_answered_stays_at_its_default() -> None:
    facts = {"count_call": {**ASKED, "unknown": "throttled"}}

    assert setting(FactsDocument.model_validate({**document(), "facts": facts}).facts) == Setting()


@pytest.mark.parametrize(
    ("answers", "warning"),
    [
        ({"weight_call": {**WEIGHTS, "read_back_seconds": [90.0]}}, "a weight call took 90 s"),
        (
            {"busy_call": {"accepted": False, "message": "Busy.", "recognised": False}},
            "not recognised as busy ('Busy.')",
        ),
        ({"zero_weights": {"accepted": True, "served": False}}, "accepts weights that are all zero"),
        ({"small_weights": {"asked": [0.1], "read_back": [0.0], "kept_as": "otherwise"}}, "not read back as asked"),
        ({"add_slot": {**ADDED, "weight_kept": False}}, "did not keep live weights and counts"),
        ({"add_slot": {**ADDED, "new_weight": 1.0}}, "came up with weight 1 instead of 0"),
        ({"guarded_update": {"seconds": 1.0, "endpoint_kept": False, "on_new_config": True}}, "made another endpoint"),
        (
            {"trimmed_counts": {"answered": False, "adds_up": False, "rank_agrees": False}},
            "trimmed counts on ModelLatency",
        ),
        ({"metric_math": {**MATH, "guard_on_empty": "goes_off"}}, "a guard on an empty series goes off"),
        ({"metric_math": {**MATH, "divided_by_zero": "kept"}}, "division by zero leaves a data point"),
    ],
)
def test_what_contradicts_the_code_is_said_with_what_it_means(answers: dict[str, Any], warning: str) -> None:
    (said,) = surprises(facts_of(**answers))

    assert warning in said


def test_what_agrees_with_the_code_is_no_surprise() -> None:
    assert surprises(facts_of(weight_call=WEIGHTS, add_slot=ADDED, metric_math=MATH)) == []


def test_the_estimate_counts_the_endpoint_also_where_its_making_is_not_asked_about() -> None:
    alone, free = estimate(chosen(["weight_call"]), "ml.t2.medium"), estimate(chosen(["event_path"]), "ml.t2.medium")

    assert (alone.minutes, alone.instances) == (3 + 5 + 2, 2)
    assert alone.instance_hours == pytest.approx(2 * 10 / 60)
    assert alone.dollars == pytest.approx(2 * 10 / 60 * 0.056, abs=0.01)
    assert (free.instances, free.instance_hours) == (0, 0)


def test_an_instance_of_unknown_price_has_no_estimate_unless_it_is_given() -> None:
    assert estimate(QUESTIONS, "ml.p9.huge").dollars is None
    assert estimate(QUESTIONS, "ml.p9.huge", 10.0).dollars == pytest.approx(
        estimate(QUESTIONS, "x", 1.0).dollars * 10, rel=0.01
    )


def test_the_probes_own_model_is_the_same_every_time_and_every_known_region_has_an_image() -> None:
    assert archive() == archive()
    assert all("sagemaker-scikit-learn" in str(default_image(region)) for region in REGISTRIES)
    assert default_image("mars-north-1") is None


def test_the_demo_refuses_facts_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text("{}")

    done = CliRunner().invoke(app, ["demo", "--facts", str(tmp_path / "facts.json")])

    assert done.exit_code == 2
    assert "facts.json: schema: missing" in done.stderr


def test_the_demo_takes_its_times_from_the_facts(tmp_path: Path) -> None:
    slow = {"in_service_seconds": [41.0], "read_back_seconds": [41.0]}
    (tmp_path / "facts.json").write_text(json.dumps(document(weight_call=slow)))

    done = CliRunner().invoke(app, ["demo", "--facts", str(tmp_path / "facts.json")])

    accepted, back = (
        line for line in done.stdout.splitlines() if "weight call accepted" in line or "read back" in line
    )
    seconds = [int(line.rpartition("+")[2].removesuffix(" s")) for line in (accepted, back)]
    assert done.exit_code == 0
    assert seconds[1] - seconds[0] >= 41, "15 s by default"
