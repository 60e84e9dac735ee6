"""`pulumi preview --policy-pack` under the real engine, where a CLI is to be had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.sandbox.engine.plugin.server import PluginServer
from sluice.sandbox.engine.program import ProgramFailed
from sluice.sandbox.sandbox import PROJECT, STACK, Sandbox
from sluice.sandbox.triage import train
from tests.compliance.analyzing import PACK
from tests.engine.command_line import CommandLine, found

CLI = found()
if CLI is None:
    pytest.skip(
        "no `pulumi` on PATH or in .tools/pulumi/bin: the pack did not run under the real engine",
        allow_module_level=True,
    )

BROKEN = """
import pulumi_aws as aws
aws.iam.RolePolicy("reports", role="reports", policy='{"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}')
aws.cloudwatch.MetricAlarm(
    "late", namespace="Shop", metric_name="Late", statistic="Sum", period=60, evaluation_periods=1,
    comparison_operator="GreaterThanThreshold", threshold=0,
)
aws.s3.Bucket("captures")
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """With the real engine in it, and v1 of the example uploaded."""
    with Sandbox() as made, PluginServer() as plugin:
        example = train(tmp_path / "releases")
        example.upload(made, "v1")
        made.config["endpoints"] = example.endpoints("v1")
        made.engine = CommandLine(CLI, tmp_path / "project", plugin)
        yield made


@pytest.fixture
def broken(tmp_path: Path, sandbox: Sandbox) -> CommandLine:
    """A program that breaks rules, in the real engine."""
    program = tmp_path / "broken"
    program.mkdir()
    (program / "__main__.py").write_text(BROKEN)
    sandbox.engine.preview(program, PROJECT, STACK, {"aws:region": "us-east-1"})
    return sandbox.engine


def test_the_real_program_follows_every_rule_in_preview_and_update(sandbox: Sandbox) -> None:
    sandbox.preview()

    said = sandbox.engine.run("up", "--yes", "--policy-pack", str(PACK))

    assert "Policies:" in said
    assert "[mandatory]" not in said
    assert "[advisory]" not in said
    made = [call.operation for call in sandbox.cloud.gate.calls if call.effective]
    assert "CreateEndpoint" in made


def test_what_breaks_a_rule_is_not_made(sandbox: Sandbox, broken: CommandLine) -> None:
    """An update ends at its first violation; which one that is depends on which resource the engine sees first."""
    with pytest.raises(ProgramFailed) as stopped:
        broken.run("up", "--yes", "--skip-preview", "--policy-pack", str(PACK))

    said = " ".join(str(stopped.value).split())
    assert "[mandatory] no-wildcard-iam" in said or "[mandatory] missing-data-chosen" in said
    assert {call.operation for call in sandbox.cloud.gate.calls} & {"PutRolePolicy", "PutMetricAlarm"} == set()


def test_a_preview_tells_every_violation_and_levels_come_from_a_file(tmp_path: Path, broken: CommandLine) -> None:
    levels = tmp_path / "levels.json"
    levels.write_text(json.dumps({"all": "advisory", "buckets-private": "disabled"}))

    said = " ".join(broken.run("preview", "--policy-pack", str(PACK), "--policy-pack-config", str(levels)).split())

    assert "the action 's3:*' is a wildcard. Name the calls that are made." in said
    assert "alarm 'late" in said
    assert "[advisory] stores-encrypted" in said
    assert "bucket 'captures': encryption is not said" in said
    assert "buckets-private" not in said
