"""The same stack from TypeScript and from YAML, by way of the component: the same resources, the same contract."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from sluice.client import contract_from
from sluice.sandbox.triage import Example
from tests.acceptance.conftest import Stage, on_stage
from tests.engine import languages
from tests.engine.command_line import CommandLine
from tests.engine.test_up import done

LANGUAGES = {"typescript": "nodejs", "yaml": "yaml"}


@pytest.fixture(scope="session")
def projects(cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The examples' folders, each made ready once."""
    home = tmp_path_factory.mktemp("languages")

    @cache
    def ready(language: str) -> Path:
        folder = home / language
        languages.place(language, folder)
        if language == "typescript":
            try:
                languages.with_sdk(cli, folder)
            except (OSError, subprocess.CalledProcessError) as fault:
                pytest.skip(f"npm could not install @pulumi/pulumi: {fault}")
        return folder

    return ready


@pytest.fixture(params=LANGUAGES)
def written_in(
    request: pytest.FixtureRequest,
    example: Example,
    projects: Callable[[str], Path],
    command_line: Callable[[], CommandLine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Stage, CommandLine]]:
    """A project in this language; nothing is deployed."""
    host = LANGUAGES[request.param]
    if not languages.has_host(host):
        pytest.skip(
            f"no pulumi-language-{host} beside the CLI: the {request.param} example did not run under the engine"
        )
    project = projects(request.param)
    with on_stage(example) as stage:
        engine = command_line()
        shutil.copytree(project, engine.folder, symlinks=True)
        languages.offer_component(tmp_path / "plugins", monkeypatch)
        yield stage, engine


def config(stage: Stage, release: str) -> dict[str, str]:
    return {
        "aws:region": "us-east-1",
        "sluice:release": str(stage.example.folder / release / "release.json"),
        "sluice:policy": "demo",
        "sluice:protect": "false",
    }


def test_a_stack_from_another_language_is_the_same_stack(written_in: tuple[Stage, CommandLine]) -> None:
    stage, engine = written_in

    made = languages.up(engine, config(stage, "v1"))

    contract = contract_from(made.outputs)
    assert contract.endpoint("triage").endpoint_name == "dev-triage"
    assert contract.endpoint("triage").live.release == "v1"
    assert {step.urn.split("::")[2].split("$")[0] for step in made.changes} == {"sluice:index:Sluice"}
    assert stage.endpoint_calls() == ["CreateEndpoint"]
    assert languages.up(engine, config(stage, "v1")).changes == (), "a second run is silent"
    stage.send()

    assert done(languages.up(engine, config(stage, "v2"))) == [("replace", "triage-submit")]

    stage.until_ended()
    assert stage.head.champion.release.name == "v2"


def test_what_is_wrong_is_said_in_the_same_sentences(written_in: tuple[Stage, CommandLine], tmp_path: Path) -> None:
    stage, engine = written_in
    broken = tmp_path / "release.json"
    broken.write_text(json.dumps({**stage.example.document("v1"), "colour": "red"}))

    with pytest.raises(Exception, match=r"endpoints\.triage\.release\.colour: unknown key"):
        languages.up(engine, {**config(stage, "v1"), "sluice:release": str(broken)})
