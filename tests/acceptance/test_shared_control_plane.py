"""One control plane for several stacks: each stack's rollouts are its own, and what one does leaves the other's way back whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.core.audit import chain_faults, replay
from sluice.core.rollout import Phase
from sluice.sandbox.engine.program import Engine, ProgramFailed, RunResult
from sluice.sandbox.sandbox import PROJECT, REPOSITORY, STACK, Sandbox
from sluice.sandbox.triage import Example
from tests.acceptance.conftest import on_stage

WARD, LAB = "ward-triage", "lab-triage"
PLATFORM = f"organization/{PROJECT}/{STACK}"
THEIRS = "lab-is-flooded"


class Neighbour:
    """A stack of endpoints beside the sandbox's own, served by its control plane."""

    def __init__(self, sandbox: Sandbox, example: Example, stack: str) -> None:
        self.sandbox, self.example, self.stack = sandbox, example, stack
        self.engine = Engine(neighbours=sandbox.engine.neighbours)

    def up(self, release: str, **more: Any) -> RunResult:
        config = {"endpoints": self.example.endpoints(release, **more), "control_plane": PLATFORM, "protect": False}
        texts = {
            f"{PROJECT}:{key}": text if isinstance(text, str) else json.dumps(text) for key, text in config.items()
        }
        return self.engine.up(self.sandbox.program, PROJECT, self.stack, texts)


class Town:
    """The platform's stack and two stacks of endpoints, `ward` and `lab`. `listening` is a policy that names THEIRS."""

    def __init__(self, sandbox: Sandbox, example: Example, listening: Path) -> None:
        self.sandbox = sandbox
        self.listening = str(listening)
        self.ward, self.lab = (Neighbour(sandbox, example, stack) for stack in ("ward", "lab"))

    def at(self, endpoint: str, parts: int) -> bool:
        live = self.sandbox.head(endpoint).live
        return live is not None and live.phase is Phase.BAKING and live.canary_parts == parts

    def weight(self, endpoint: str, slot: str) -> float:
        weights = {route.slot: route.weight for route in self.sandbox.meters.endpoints.routes(endpoint)}
        return weights[slot] / sum(weights.values())

    def run_until_ended(self, endpoint: str) -> None:
        assert self.sandbox.run_until(lambda: self.sandbox.head(endpoint).live is None, 12 * 3600)

    def denied(self) -> list[object]:
        calls = self.sandbox.cloud.gate.calls
        return [call for call in calls if call.outcome.startswith(("AccessDenied", "Authorization"))]


@pytest.fixture(scope="module")
def town(example: Example, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Both stacks are at 5 % of another release; the lab's policy also listens to an alarm of its own."""
    policy = tmp_path_factory.mktemp("policies") / "listening.yaml"
    demo = (REPOSITORY / "policies" / "rollouts" / "demo.yaml").read_text()
    policy.write_text(demo.replace("alarms: []", f"alarms: [{THEIRS}]"))
    with on_stage(example) as stage:
        their_alarm()
        stage.sandbox.config |= {
            "protect": False,
            "reach": ["ward-*", LAB],
            "artifact_buckets": [example.document("v1")["artifact"]["url"].split("/")[2]],
        }
        stage.sandbox.up()
        made = Town(stage.sandbox, example, policy)
        made.ward.up("v1")
        made.lab.up("v1", policy=str(policy))
        for endpoint in (WARD, LAB):
            stage.sandbox.traffic(endpoint, example.load())
        made.ward.up("v2")
        made.lab.up("v5", policy=str(policy))
        assert stage.sandbox.run_until(lambda: made.at(WARD, 500) and made.at(LAB, 500), 4 * 3600)
        yield made


def their_alarm() -> None:
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName=THEIRS, Namespace="Lab", MetricName="Floods", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
    )  # fmt: skip


def set_alarm(name: str, state: str) -> None:
    boto3.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")


def test_a_rollout_in_one_stack_is_reverted_by_its_alarm_and_the_other_is_untouched(town: Town) -> None:
    before = len(town.sandbox.events(WARD))

    set_alarm(f"sluice/{PROJECT}/{STACK}/{LAB}/green/errors", "ALARM")

    assert town.sandbox.run_until(lambda: town.weight(LAB, "green") == 0, 300)
    assert town.sandbox.head(LAB).live is None or town.sandbox.head(LAB).live.is_latched
    assert town.weight(WARD, "green") >= 0.05
    assert town.sandbox.head(WARD).live is not None
    assert not [e for e in town.sandbox.events(WARD)[before:] if e.kind in ("rolling_back", "alarm_noted")]
    town.run_until_ended(LAB)
    assert town.sandbox.head(LAB).outcome.phase is Phase.ROLLED_BACK
    assert town.denied() == []
    calls = town.sandbox.cloud.gate.calls
    assert [call for call in calls if call.sids == ("SmokeTestElsewhere",)], (
        "slots of other stacks are not known by name"
    )


def test_every_command_finds_the_records_of_a_stack_that_has_none_of_its_own(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the folder of the lab's stack, where its configuration says whose control plane serves it."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: {PROJECT}\n")
    (tmp_path / "Pulumi.lab.yaml").write_text(
        f"config: {{aws:region: us-east-1, {PROJECT}:control_plane: {PLATFORM}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    town.sandbox.run_until(lambda: False, 60)
    said = {
        words: CliRunner().invoke(app, [*words.split(), f"lab/{LAB}"], catch_exceptions=False)
        for words in ("status", "history", "explain", "verify", "export", "report -o page.html")
    }

    assert [ran.exit_code for ran in said.values()] == [0] * len(said), {ran.output for ran in said.values()}
    seen = {words: ran.stdout for words, ran in said.items()}
    assert f"{LAB} ({PROJECT}, stack lab)" in seen["status"]
    count = len(town.sandbox.events(LAB))
    assert f"{LAB}: {count} events in an unbroken chain" in seen["verify"]
    assert f"{count} of them equal in the locked archive" in seen["verify"]
    assert seen["export"].count('"type":"event"') == count
    assert f"sluice verify lab/{LAB}" in (tmp_path / "page.html").read_text()


def test_destroying_is_refused_stack_by_stack_while_a_rollout_is_live(town: Town) -> None:
    assert town.sandbox.head(WARD).live is not None
    with pytest.raises(ProgramFailed, match="the stack cannot be destroyed while rollouts are live: ward-triage-"):
        town.ward.engine.destroy()
    with pytest.raises(
        ProgramFailed, match="while its control plane serves other stacks' endpoints: lab-triage, ward-t"
    ):
        town.sandbox.destroy()


def test_destroying_one_stack_leaves_the_others_way_back_whole(town: Town) -> None:
    """The lab goes while the ward is in the middle of a rollout; then the ward's alarm still takes its canary back."""
    assert town.sandbox.head(WARD).live is not None
    made_for_the_lab = created(LAB)
    assert made_for_the_lab

    town.lab.engine.destroy()

    assert town.sandbox.head(LAB).let_go_at is not None
    assert created(LAB) == []
    assert created(WARD), "what serves the ward is the ward's"
    set_alarm(f"sluice/{PROJECT}/{STACK}/{WARD}/green/errors", "ALARM")
    assert town.sandbox.run_until(lambda: town.weight(WARD, "green") == 0, 300)
    town.run_until_ended(WARD)
    assert town.sandbox.head(WARD).outcome.phase is Phase.ROLLED_BACK
    for endpoint in (WARD, LAB):
        events = town.sandbox.events(endpoint)
        assert chain_faults(events) == ()
        assert replay(events) == town.sandbox.head(endpoint)
    assert town.denied() == []


def created(endpoint: str) -> list[str]:
    found = boto3.client("sagemaker").list_endpoint_configs(NameContains=endpoint)["EndpointConfigs"]
    return [each["EndpointConfigName"] for each in found if "bootstrap" not in each["EndpointConfigName"]]


def test_a_stack_that_comes_back_starts_from_what_it_serves_then(town: Town) -> None:
    """And its policy's own alarm, which the platform's stack knows nothing of, takes its canary back."""
    seen = town.sandbox.head(LAB).version
    town.lab.up("v2")
    assert town.sandbox.head(LAB).champion.release.name == "v2"
    assert town.sandbox.head(LAB).version > seen, "the audit trail goes on"

    town.lab.up("v4", policy=town.listening)
    assert town.sandbox.run_until(lambda: town.at(LAB, 500), 4 * 3600), town.sandbox.head(LAB).outcome
    set_alarm(THEIRS, "ALARM")

    assert town.sandbox.run_until(lambda: town.weight(LAB, "green") == 0, 30)
    (latched,) = [e for e in town.sandbox.events(LAB)[seen:] if e.kind == "rolling_back"]
    assert latched.by == f"alarm:{THEIRS}", "by the event, not by a tick that happened to look"
    town.run_until_ended(LAB)
    assert town.sandbox.head(LAB).outcome.phase is Phase.ROLLED_BACK
    assert chain_faults(town.sandbox.events(LAB)) == ()
    assert town.denied() == []


def test_when_the_last_stack_is_gone_the_platform_may_go_too(town: Town) -> None:
    town.lab.engine.destroy()
    town.ward.engine.destroy()

    town.sandbox.destroy()

    assert town.sandbox.engine.state.resources == {}
