"""What a stack remembers: refresh, protection, destroy, failures, export and import, several stacks, secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from sluice.core.names import outcome_namespace
from sluice.sandbox.engine.program import Engine, ProgramFailed
from sluice.sandbox.triage import Example
from tests.acceptance.conftest import Stage, on_stage
from tests.acceptance.test_rollouts import GREEN_ALARM
from tests.engine.command_line import CommandLine
from tests.engine.test_up import done, written


class TestRefresh:
    def test_an_untouched_stack_has_not_drifted(self, stage: Stage) -> None:
        before = written(stage)

        assert stage.sandbox.refresh().changes == ()
        assert stage.up("v1").changes == ()
        assert written(stage) == before

    def test_what_was_changed_or_removed_by_hand_is_put_back_by_the_next_up(self, stage: Stage) -> None:
        functions, events = boto3.client("lambda"), boto3.client("events")
        functions.update_function_configuration(FunctionName="sluice-dev-tick", MemorySize=128)
        boto3.client("cloudwatch").delete_alarms(AlarmNames=[GREEN_ALARM])
        events.remove_targets(Rule="sluice-dev-sweep", Ids=[target["Id"] for target in targets(events)])

        seen = stage.sandbox.refresh()
        assert sorted(done(seen)) == [("delete", "sweep"), ("delete", "triage/green/errors"), ("update", "tick")]
        made = stage.up("v1")

        assert sorted(done(made)) == [("create", "sweep"), ("create", "triage/green/errors"), ("update", "tick")]
        assert len(targets(events)) == 1
        assert functions.get_function_configuration(FunctionName="sluice-dev-tick")["MemorySize"] == 512
        assert stage.up("v1").changes == ()
        assert stage.endpoint_calls() == ["CreateEndpoint"]

    def test_a_rollout_is_no_drift_and_is_not_disturbed(self, stage: Stage) -> None:
        stage.up("v2")
        stage.until_weight(500)
        before, weight = stage.endpoint_calls(), stage.canary_weight("green")

        seen = stage.sandbox.refresh()
        made = stage.up("v2")

        assert {step.name for step in seen.changes} <= {"triage"}, (
            "the endpoint is on the control plane's configuration"
        )
        assert made.changes == ()
        assert stage.endpoint_calls() == before
        assert stage.canary_weight("green") == weight


def targets(events: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = events.list_targets_by_rule(Rule="sluice-dev-sweep")["Targets"]
    return found


class TestRemoval:
    def test_a_protected_stack_is_not_destroyed(self, stage: Stage) -> None:
        before = written(stage)

        with pytest.raises(ProgramFailed, match="protect"):
            stage.sandbox.destroy()

        assert [word for word in written(stage)[len(before) :] if word.startswith("Delete")] == []

    def test_in_mid_rollout_the_guard_refuses_and_afterwards_everything_goes_in_order(self, stage: Stage) -> None:
        stage.sandbox.config["protect"] = False
        stage.up("v2")
        stage.until_weight(500)
        with pytest.raises(ProgramFailed, match="cannot be destroyed while rollouts are live"):
            stage.sandbox.destroy()
        assert stage.canary_weight("green") == pytest.approx(0.05)
        stage.until_ended()
        before = len(stage.sandbox.cloud.gate.calls)

        gone = stage.sandbox.destroy()

        order = [
            step.name
            for step in gone.steps
            if step.op == "delete" and step.name in ("guard", "triage", "clean", "clock")
        ]
        assert order.index("guard") == 0, "asked first"
        assert order.index("triage") < order.index("clean"), "models and configurations go once they serve nobody"
        assert sorted(done(gone)).count(("retain", "dev-triage-bootstrap")) == 2
        deleted = [call for call in stage.sandbox.cloud.gate.calls[before:] if call.operation == "DeleteEndpoint"]
        assert len(deleted) == 1
        sagemaker = boto3.client("sagemaker")
        assert sagemaker.list_endpoints()["Endpoints"] == []
        assert [m["ModelName"] for m in sagemaker.list_models()["Models"] if m["ModelName"].startswith("sluice-")] == []


def test_a_submission_that_fails_leaves_a_state_the_next_up_goes_on_from(stage: Stage) -> None:
    document = stage.example.document("v2")
    bucket, _, key = document["artifact"]["url"].removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"something else", ChecksumAlgorithm="SHA256")
    before = stage.endpoint_calls()

    with pytest.raises(ProgramFailed, match="the artifact of v2 was changed"):
        stage.up("v2")

    assert stage.endpoint_calls() == before
    assert stage.head.live is None
    if isinstance(stage.sandbox.engine, CommandLine):
        assert not stage.sandbox.engine.exported().get("pending_operations")
    assert stage.up("v1").changes == (), "what was submitted last is still what the state says"
    assert stage.up("v4").changes[0].op == "replace"
    assert stage.rollout.release.name == "v4"


SECRET = "correct-horse-battery"
PROGRAM = """
import pulumi, pulumi_aws as aws
token = pulumi.Config().require_secret("token")
kept = aws.ssm.Parameter("kept", type="SecureString", value=token)
queue = aws.sqs.Queue("plain", opts=pulumi.ResourceOptions(additional_secret_outputs=["url"]))
pulumi.export("name", kept.name)
pulumi.export("value", kept.value)
pulumi.export("url", queue.url)
"""


def test_secrets_stay_secret_in_the_state(bare: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "secretive"
    folder.mkdir()
    (folder / "__main__.py").write_text(PROGRAM)
    engine = bare.sandbox.engine

    engine.up(folder, "shop", "test", {"aws:region": "us-east-1", "shop:token": SECRET}, secret_keys=["shop:token"])

    (parameter,) = boto3.client("ssm").describe_parameters()["Parameters"]
    got = boto3.client("ssm").get_parameter(Name=parameter["Name"], WithDecryption=True)
    assert got["Parameter"]["Value"] == SECRET
    if isinstance(engine, CommandLine):
        text = json.dumps(engine.exported())
        assert SECRET not in text
        assert '"url": "http' not in text
    else:
        (record,) = [one for one in engine.state.resources.values() if one.name == "kept"]
        assert isinstance(record.outputs["value"], dict)
    assert SECRET not in repr(
        engine.preview(
            folder, "shop", "test", {"aws:region": "us-east-1", "shop:token": SECRET}, secret_keys=["shop:token"]
        )
    )


def test_a_stack_reads_the_exports_of_another(stage: Stage, tmp_path: Path) -> None:
    engine = beside(stage.sandbox.engine)
    program = reader(tmp_path / "reader")

    read = engine.up(program, "consumer", "app", {})

    assert read.outputs == {"name": "dev-triage"}
    assert read.changes == engine.preview(program, "consumer", "app", {}).changes == ()


def beside(engine: Any) -> Any:
    """An engine for another project on the same backend."""
    return engine if isinstance(engine, CommandLine) else Engine(neighbours=engine.neighbours)


@pytest.fixture(scope="class")
def on_cli(example: Example, command_line: Callable[[], CommandLine]) -> Iterator[tuple[Stage, CommandLine]]:
    """v1 serves."""
    with on_stage(example) as stage:
        engine = command_line()
        stage.sandbox.engine = engine  # type: ignore[assignment]
        stage.up("v1")
        yield stage, engine


class TestTheRealEngineAlone:
    """What the monitor has no words for."""

    def test_a_stack_that_was_exported_and_imported_is_the_same(
        self, on_cli: tuple[Stage, CommandLine], tmp_path: Path
    ) -> None:
        stage, engine = on_cli
        file = tmp_path / "stack.json"
        engine.run("stack", "export", "--show-secrets", "--file", str(file))
        engine.run("stack", "rm", "--force", "--yes", "--preserve-config")
        engine.current = ""
        engine.run("stack", "init", "dev")
        engine.current = "dev"

        engine.run("stack", "import", "--file", str(file))

        assert stage.sandbox.preview().changes == ()

    def test_two_stacks_share_an_account(self, on_cli: tuple[Stage, CommandLine], tmp_path: Path) -> None:
        stage, engine = on_cli
        texts = dict(stage.sandbox._texts())
        before = stage.endpoint_calls()

        made = engine.up(stage.sandbox.program, "sluice", "prod", texts)

        assert {step.op for step in made.changes} == {"create"}
        assert stage.endpoint_calls() == [*before, "CreateEndpoint"]
        names = {one["EndpointName"] for one in boto3.client("sagemaker").list_endpoints()["Endpoints"]}
        assert names == {"dev-triage", "prod-triage"}
        assert stage.sandbox.preview().changes == ()

    def test_a_stack_on_another_s_control_plane_rolls_out_and_goes_alone(
        self, on_cli: tuple[Stage, CommandLine]
    ) -> None:
        stage, engine = on_cli
        stage.sandbox.config |= {"protect": False, "reach": ["ward-*"]}
        stage.up("v1")
        program, texts = stage.sandbox.program, dict(stage.sandbox._texts())
        del texts["sluice:reach"]
        texts["sluice:control_plane"] = "organization/sluice/dev"

        made = engine.up(program, "sluice", "ward", texts)

        assert {"aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine"}.isdisjoint(
            {step.type for step in made.changes}
        )
        outcomes = outcome_namespace("sluice", "ward")
        stage.sandbox.traffic("ward-triage", replace(stage.example.load(), outcomes=outcomes))
        v2 = {**texts, "sluice:endpoints": json.dumps(stage.example.endpoints("v2"))}
        assert done(engine.up(program, "sluice", "ward", v2)) == [("replace", "triage-submit")]
        assert stage.sandbox.run_until(lambda: stage.sandbox.head("ward-triage").live is None, 12 * 3600)
        assert stage.sandbox.head("ward-triage").champion.release.name == "v2"
        assert engine.up(program, "sluice", "ward", v2).changes == ()
        engine.current = "dev"
        with pytest.raises(ProgramFailed, match="its control plane serves other stacks' endpoints: ward-triage"):
            engine.destroy()
        engine.current = "ward"
        engine.destroy()
        names = {one["EndpointName"] for one in boto3.client("sagemaker").list_endpoints()["Endpoints"]}
        assert "ward-triage" not in names
        assert "dev-triage" in names
        assert stage.sandbox.preview().changes == ()


def reader(folder: Path) -> Path:
    """A program of somebody else that reads the exports."""
    folder.mkdir()
    (folder / "__main__.py").write_text(
        """\
import pulumi
ours = pulumi.StackReference("organization/sluice/dev")
pulumi.export("name", ours.get_output("endpoints").apply(lambda found: found["triage"]["endpoint_name"]))
"""
    )
    return folder
