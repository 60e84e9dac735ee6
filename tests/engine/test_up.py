"""`pulumi preview` and `pulumi up`: what is made, replaced, changed and left alone; live weights never move."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.resource_names import FUNCTIONS
from sluice.core.rollout import Phase
from sluice.sandbox.engine.program import RunResult
from tests.acceptance.conftest import Stage

READING = ("Get", "List", "Describe", "Head", "Invoke", "BatchGet", "Query", "Scan")


def written(stage: Stage) -> list[str]:
    """The calls so far that change something."""
    return [call.operation for call in stage.sandbox.cloud.gate.calls if not call.operation.startswith(READING)]


def done(result: RunResult) -> list[tuple[str, str]]:
    return [(step.op, step.name) for step in result.changes]


class TestOneReleaseAfterTheOther:
    """An empty account, then v1, then v2."""

    def test_a_preview_says_what_up_then_makes_and_changes_nothing(self, bare: Stage) -> None:
        bare.sandbox.config["endpoints"] = bare.example.endpoints("v1")
        before = written(bare)

        told = bare.sandbox.preview()

        assert written(bare) == before
        assert {step.op for step in told.changes} == {"create"}
        made = bare.up("v1")
        assert sorted(done(made)) == sorted(done(told))
        above = {type_ for step in made.steps for type_ in step.urn.split("::")[2].split("$")[:-1]}
        assert above - {"aws:s3/bucket:Bucket"} == {
            "sluice:infra:ControlPlane",
            "sluice:infra:Commands",
            "sluice:infra:GuardedEndpoint",
            "sluice:infra:Alarms",
            "sluice:infra:Submission",
            "sluice:infra:Dashboards",
        }, "grouped under components"

    def test_a_second_preview_and_a_second_up_are_silent(self, stage: Stage) -> None:
        before = stage.endpoint_calls()

        assert stage.sandbox.preview().changes == ()
        assert stage.up("v1").changes == ()
        assert stage.endpoint_calls() == before == ["CreateEndpoint"]

    def test_a_release_replaces_its_submission_and_nothing_else(self, stage: Stage) -> None:
        stage.sandbox.config["endpoints"] = stage.example.endpoints("v2")
        told = done(stage.sandbox.preview())

        made = stage.up("v2")

        assert done(made) == told == [("replace", "triage-submit")]
        assert stage.rollout.release.name == "v2"


@pytest.fixture(scope="class")
def baking(stage: Stage) -> Stage:
    """v2 has 25 %."""
    stage.up("v2")
    stage.until_weight(2500)
    return stage


class TestInMidRollout:
    """`pulumi up` at any moment moves no traffic. What is changed adds up from test to test."""

    def up_again(self, stage: Stage) -> RunResult:
        before, weight = stage.endpoint_calls(), stage.canary_weight("green")

        result = stage.sandbox.up()

        assert stage.endpoint_calls() == before
        assert stage.canary_weight("green") == weight == 0.25
        assert stage.rollout.phase is Phase.BAKING
        assert not [step for step in result.changes if "sagemaker" in step.type and step.op in ("replace", "delete")]
        return result

    def test_unchanged(self, baking: Stage) -> None:
        assert self.up_again(baking).changes == ()

    def test_another_policy_changes_no_submission(self, baking: Stage) -> None:
        baking.sandbox.config["endpoints"] = baking.example.endpoints("v2", policy="standard")

        result = self.up_again(baking)

        assert "triage-submit" not in [step.name for step in result.changes]
        assert len(baking.rollout.policy.steps) == 5, "the rollout runs on the snapshot it was submitted with"

    def test_another_tag_reaches_everything_but_what_is_left_alone(self, baking: Stage) -> None:
        baking.sandbox.config["aws:defaultTags"] = json.dumps({"tags": {"team": "triage"}})

        changed = {step.name: step.op for step in self.up_again(baking).changes}

        assert set(changed.values()) == {"update"}
        assert {"tick", "records", "clock", "triage"} <= set(changed)
        assert "dev-triage-bootstrap" not in changed

    def test_other_code_reaches_the_functions_alone(self, baking: Stage, tmp_path: Path) -> None:
        baking.sandbox.program = with_more_code(tmp_path / "program")

        result = self.up_again(baking)

        assert sorted(done(result)) == sorted(("update", word) for word in FUNCTIONS)
        baking.until_ended()
        assert baking.head.champion.release.name == "v2", "the rollout goes on with the new code"
        assert baking.sandbox.up().changes == (), "what the control plane made and moved is no difference"


def with_more_code(folder: Path) -> Path:
    """The program with one more file in the functions' zip."""
    folder.mkdir()
    (folder / "__main__.py").write_text(
        """\
import infra.bundle
from infra.__main__ import main

files = infra.bundle.bundled_files
infra.bundle.bundled_files = lambda: {**files(), "changed.py": files()["sluice/tick.py"]}
try:
    main()
finally:
    infra.bundle.bundled_files = files
"""
    )
    return folder
