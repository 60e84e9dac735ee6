"""The component makes what the program makes, one level deeper, on the sandbox's monitor: no CLI and no other language needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from infra.packaged import Sluice
from sluice.client import contract_from
from sluice.sandbox.engine.goal import urn_for
from sluice.sandbox.triage import Example, train
from tests.acceptance.conftest import Stage, on_stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    example: Example = train(tmp_path / "releases")
    with on_stage(example) as made:
        yield made


def test_the_component_is_the_program_one_level_deeper(stage: Stage) -> None:
    engine = stage.sandbox.engine
    release = dict(stage.example.document("v1"))

    def program() -> None:
        whole = Sluice("sluice", {"endpoints": {"triage": {"release": release, "policy": "demo"}}, "protect": False})
        for name in ("contract_version", "endpoints", "control_plane"):
            pulumi.export(name, getattr(whole, name))

    made = engine.up(program, "sluice", "dev", {"aws:region": "us-east-1"})

    assert contract_from(made.outputs).endpoint("triage").live.release == "v1"
    parent = urn_for("dev", "sluice", "", "sluice:index:Sluice", "sluice").split("::")[2]
    assert {step.urn.split("::")[2].partition("$")[0] for step in made.changes} == {parent}
    assert engine.up(program, "sluice", "dev", {"aws:region": "us-east-1"}).changes == ()
    names = {(step.type, step.name) for step in made.steps}
    engine.destroy()
    stage.sandbox.config.update({"protect": False, "endpoints": stage.example.endpoints("v1")})
    assert {(step.type, step.name) for step in stage.sandbox.up().steps} == names
