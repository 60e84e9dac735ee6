"""What a person sees of the real CLI: a preview that can be read, and `sluice up` on Pulumi's Automation API."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

import boto3
import pytest
from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.cli.engine import UpFailed, through_pulumi
from sluice.cli.invoke import through_urls
from sluice.cli.outside import Outside
from sluice.core.errors import BadInput
from sluice.sandbox.triage import Example
from tests.acceptance.conftest import Stage, on_stage
from tests.engine.command_line import CommandLine

COMPONENTS = {
    "sluice:infra:ControlPlane": "control-plane",
    "sluice:infra:Commands": "commands",
    "sluice:infra:GuardedEndpoint": "triage",
    "sluice:infra:Alarms": "triage",
    "sluice:infra:Submission": "triage",
    "sluice:infra:Dashboards": "dashboards",
}
CHANGE = re.compile(
    r"^\s*[-+~]+\s+(?!pulumi:pulumi:Stack)(\w+:\S+) (\S+) (create|update|replace|delete)\b", re.MULTILINE
)


@pytest.fixture
def on_cli(example: Example, command_line: Callable[[], CommandLine]) -> Iterator[tuple[Stage, CommandLine]]:
    with on_stage(example) as stage:
        engine = command_line()
        stage.sandbox.engine = engine  # type: ignore[assignment]
        yield stage, engine


def configure(stage: Stage, engine: CommandLine, release: str) -> None:
    stage.sandbox.config["endpoints"] = stage.example.endpoints(release)
    engine._set_out(stage.sandbox.program, "sluice", "dev", stage.sandbox._texts(), ())


def test_a_preview_names_everything_under_its_component_and_says_nothing_twice(
    on_cli: tuple[Stage, CommandLine],
) -> None:
    stage, engine = on_cli
    configure(stage, engine, "v1")

    told = engine.run("preview")

    lines = CHANGE.findall(told)
    assert {(kind, name) for kind, name, _ in lines} >= set(COMPONENTS.items())
    names = [(kind, name) for kind, name, _ in lines]
    assert len(names) == len(set(names)) > 50, "every line is another thing"
    assert all(len(name) <= 45 and not re.search(r"[0-9a-f]{7}", name) for _, name, _ in lines), "no drawn names"
    stage.up("v1")
    again = engine.run("preview")
    assert CHANGE.findall(again) == []
    assert re.search(r"Resources:\s+\d+ unchanged", again)
    stage.sandbox.config["endpoints"] = stage.example.endpoints("v2")
    configure(stage, engine, "v2")
    told = CHANGE.findall(engine.run("preview"))
    assert {name for _, name, _ in told} == {"triage-submit"}
    assert "replace" in {what for _, _, what in told}, "of which the CLI writes the two halves, too"


def test_sluice_up_is_pulumi_up(on_cli: tuple[Stage, CommandLine], monkeypatch: pytest.MonkeyPatch) -> None:
    stage, engine = on_cli
    for name, value in engine._environment().items():
        monkeypatch.setenv(name, value)
    configure(stage, engine, "v1")
    said: list[str] = []

    outputs = through_pulumi(engine.folder, "dev", said.append)

    assert outputs["endpoints"]["triage"]["desired"]["release"] == "v1"
    assert outputs["contract_version"] == 1
    assert "triage-submit" in "\n".join(said)
    with pytest.raises(BadInput, match=r"there is no 'prod' .*Make it: pulumi stack init prod"):
        through_pulumi(engine.folder, "prod", said.append)
    spoil(stage, "v2")
    configure(stage, engine, "v2")
    with pytest.raises(UpFailed, match="`pulumi up` of stack 'dev' failed: .*the artifact of v2 was changed"):
        through_pulumi(engine.folder, "dev", said.append)


def spoil(stage: Stage, release: str) -> None:
    url = stage.example.document(release)["artifact"]["url"]
    bucket, _, key = url.removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"something else", ChecksumAlgorithm="SHA256")


def test_sluice_up_wait_fails_when_the_release_is_taken_back(
    on_cli: tuple[Stage, CommandLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, engine = on_cli
    for name, value in engine._environment().items():
        monkeypatch.setenv(name, value)
    stage.up("v1")
    stage.send()
    configure(stage, engine, "v3")

    ran = CliRunner().invoke(app, ["up", "dev", "--wait"], obj=beside_the_sandbox(stage, engine))

    assert ran.exit_code == 1, ran.output
    assert "triage-submit replaced" in ran.output
    assert "↩ rolled_back           v1 serves: v3" in ran.output.splitlines()[-1]
    assert stage.canary_weight("green") == 0


def beside_the_sandbox(stage: Stage, engine: CommandLine) -> Outside:
    """As typed in the project's folder; only time and the network are the sandbox's."""
    clock = stage.sandbox.cloud.clock
    return Outside(
        invoke=through_urls,
        folder=engine.folder,
        environment=os.environ,
        request_id=lambda: "one",
        now=lambda: clock.now().timestamp(),
        sleep=lambda seconds: clock.run_for(seconds, lambda: False) and None,
        width=None,
        deploy=through_pulumi,
    )
