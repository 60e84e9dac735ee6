"""What users are promised, on the whole system: the real program, functions and models in the sandbox."""

from __future__ import annotations

import json

import pytest

from sluice.core.audit import chain_faults, replay
from sluice.core.rollout import Phase
from sluice.sandbox.cloud.faults import Fault, Kill, Raise
from sluice.sandbox.engine.program import ProgramFailed
from sluice.sandbox.triage import ENDPOINT
from tests.acceptance.conftest import Stage

GREEN_ALARM = f"sluice/sluice/dev/{ENDPOINT}/green/errors"


def set_off(stage: Stage, alarm: str = GREEN_ALARM) -> None:
    import boto3

    boto3.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")


def test_a_better_model_is_promoted_and_soaked_and_a_bad_one_comes_back(stage: Stage) -> None:
    stage.up("v2")
    stage.until_ended()
    assert stage.head.champion.release.name == "v2"
    stage.up("v3")
    stage.until_ended()

    outcome = stage.head.outcome
    assert outcome is not None
    assert (outcome.phase, outcome.release_name) == (Phase.ROLLED_BACK, "v3")
    assert stage.head.champion.release.name == "v2"
    assert stage.canary_weight("blue") == 0
    assert "went off" in outcome.because, "by its alarm"
    events = stage.sandbox.events(ENDPOINT)
    assert chain_faults(events) == ()
    assert replay(events) == stage.head
    denied = [
        call for call in stage.sandbox.cloud.gate.calls if call.outcome.startswith(("AccessDenied", "Authorization"))
    ]
    assert denied == []


class TestUpInMidRollout:
    """`pulumi up` at any moment moves no traffic."""

    def changed(self, stage: Stage, **more: object) -> None:
        stage.up("v2")
        stage.until_weight(2500)
        before, weights = stage.endpoint_calls(), stage.canary_weight("green")

        result = stage.up("v2", **more)

        assert stage.endpoint_calls() == before
        assert stage.canary_weight("green") == weights
        assert not [step for step in result.changes if "sagemaker" in step.type and step.op in ("replace", "delete")]
        assert stage.rollout.phase is Phase.BAKING

    def test_unchanged(self, stage: Stage) -> None:
        stage.up("v2")
        stage.until_weight(2500)
        before = stage.endpoint_calls()

        result = stage.up("v2")

        assert result.changes == ()
        assert stage.endpoint_calls() == before

    def test_with_another_policy(self, stage: Stage) -> None:
        self.changed(stage, policy="standard")

        assert stage.rollout.policy.min_samples == 100, "the rollout runs on the snapshot it was submitted with"
        assert len(stage.rollout.policy.steps) == 5

    def test_with_another_tag(self, stage: Stage) -> None:
        stage.sandbox.config["aws:defaultTags"] = json.dumps({"tags": {"team": "triage"}})

        self.changed(stage)

    def test_with_other_code(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        import infra.bundle

        files = infra.bundle.bundled_files()
        changed = {**files, "changed.py": files["sluice/tick.py"]}
        monkeypatch.setattr(infra.bundle, "bundled_files", lambda: changed)

        self.changed(stage)
        stage.until_ended()

        assert stage.head.champion.release.name == "v2", "the rollout goes on with the new code"


class TestRefusals:
    """A refused submission fails the run with a sentence, and nothing moves."""

    def test_a_second_release_meanwhile(self, stage: Stage) -> None:
        stage.up("v2")
        stage.until_weight(500)

        with pytest.raises(
            ProgramFailed, match=r"rollout \S+ of v2 is live \(baking\). Wait for it to end or abort it"
        ):
            stage.up("v3")

        assert stage.rollout.release.name == "v2"

    def test_a_release_that_was_rolled_back(self, stage: Stage) -> None:
        stage.up("v3")
        stage.until_ended()
        stage.up("v1")

        with pytest.raises(
            ProgramFailed, match=r"v3 has the model of v3, which was rolled back \(.*\) and is quarantined"
        ):
            stage.up("v3", nonce="2")

    def test_a_release_whose_archive_changed(self, stage: Stage) -> None:
        document = stage.example.document("v2")
        bucket, _, key = document["artifact"]["url"].removeprefix("s3://").partition("/")
        import boto3

        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"something else", ChecksumAlgorithm="SHA256")

        with pytest.raises(ProgramFailed, match="the artifact of v2 was changed"):
            stage.up("v2")

        assert stage.head.live is None

    def test_bad_configuration_names_its_key(self, stage: Stage) -> None:
        with pytest.raises(ProgramFailed, match=r"sluice:endpoints\.triage\.instancs: unknown key"):
            stage.up("v2", instancs=2)

    def test_destroying_in_mid_rollout(self, stage: Stage) -> None:
        stage.sandbox.config["protect"] = False
        stage.up("v2")
        stage.until_weight(500)
        with pytest.raises(ProgramFailed, match="cannot be destroyed while rollouts are live"):
            stage.sandbox.destroy()
        assert stage.canary_weight("green") == pytest.approx(0.05)

        stage.until_ended()
        stage.sandbox.destroy()

        import boto3

        sagemaker = boto3.client("sagemaker")
        assert sagemaker.list_endpoints()["Endpoints"] == []
        assert [m["ModelName"] for m in sagemaker.list_models()["Models"] if m["ModelName"].startswith("sluice-")] == []


def test_a_second_release_deletes_and_replaces_nothing_live(stage: Stage) -> None:
    result = stage.up("v2")

    assert [(step.op, step.name) for step in result.changes] == [("replace", "triage-submit")]


class TestTheWayBack:
    """Each ends with the canary at 0."""

    def ends_at_zero(self, stage: Stage, slot: str = "green") -> None:
        stage.until_ended()
        assert stage.canary_weight(slot) == 0
        assert stage.head.outcome is not None
        assert stage.head.outcome.phase is Phase.ROLLED_BACK
        assert chain_faults(stage.sandbox.events(ENDPOINT)) == ()
        assert replay(stage.sandbox.events(ENDPOINT)) == stage.head

    def test_an_alarm_while_the_endpoint_is_updating_for_longer_than_any_retry_of_lambda(self, stage: Stage) -> None:
        stage.up("v2")
        stage.until_weight(2500)
        stage.sandbox.meters.endpoints.occupy(ENDPOINT, 20 * 60)

        set_off(stage)
        stage.sandbox.run_until(lambda: stage.canary_weight("green") == 0, 40 * 60)

        busy = [
            call for call in stage.sandbox.cloud.gate.made("UpdateEndpointWeightsAndCapacities") if not call.effective
        ]
        assert busy, "it was refused while the endpoint was busy, and asked again"
        self.ends_at_zero(stage)

    def test_a_tick_killed_between_the_intent_to_raise_and_the_call(self, stage: Stage) -> None:
        stage.up("v2")
        stage.until_weight(500)
        kill = Fault(Kill(), function="sluice-dev-tick", operation="UpdateEndpointWeightsAndCapacities")
        stage.sandbox.cloud.gate.inject(kill)
        stage.until_weight(2500, Phase.SHIFTING)
        set_off(stage)

        self.ends_at_zero(stage)

    def test_a_rollback_killed_between_intent_and_call(self, stage: Stage) -> None:
        stage.up("v2")
        stage.until_weight(2500)
        stage.sandbox.cloud.gate.inject(
            Fault(Kill(), function="sluice-dev-alarm", operation="UpdateEndpointWeightsAndCapacities")
        )

        set_off(stage)

        self.ends_at_zero(stage)

    def test_a_raise_in_flight_when_the_latch_is_set(self, stage: Stage) -> None:
        """The alarm comes between the tick's last read and its call."""
        stage.up("v2")
        stage.until_weight(500)
        fired: list[bool] = []
        gate = stage.sandbox.cloud.gate

        def alarm_first(params: object) -> bool:
            if not fired:
                fired.append(True)
                with gate.acting_as(None):
                    set_off(stage)
                stage.sandbox.cloud.clock.sleep(3)
            return False

        gate.inject(
            Fault(Kill(), function="sluice-dev-tick", operation="UpdateEndpointWeightsAndCapacities", where=alarm_first)
        )
        stage.sandbox.run_until(lambda: bool(fired), 3600)
        stage.sandbox.run_until(lambda: stage.rollout.is_latched, 60)
        latched_at = stage.rollout.latch.at
        stage.sandbox.run_until(lambda: stage.canary_weight("green") == 0, 300)

        assert stage.sandbox.cloud.clock.now().timestamp() - latched_at <= 30 + 15, (
            "undone within 30 s, plus the call itself"
        )
        self.ends_at_zero(stage)

    def test_a_table_that_refuses_writes_at_alarm_time(self, stage: Stage) -> None:
        stage.up("v2")
        stage.until_weight(2500)
        refusal = Raise("ProvisionedThroughputExceededException", "throttled", 400)
        faults = [
            stage.sandbox.cloud.gate.inject(Fault(refusal, service="dynamodb", operation=operation, times=None))
            for operation in ("TransactWriteItems", "PutItem")
        ]

        set_off(stage)
        stage.sandbox.run_until(lambda: stage.canary_weight("green") == 0, 120)
        assert stage.canary_weight("green") == 0
        for fault in faults:
            stage.sandbox.cloud.gate.faults.remove(fault)

        self.ends_at_zero(stage)
        assert "recorded_late" in stage.kinds or "rolling_back" in stage.kinds

    def test_a_table_that_is_gone_at_alarm_time(self, stage: Stage) -> None:
        stage.up("v2")
        stage.until_weight(2500)
        refusal = Raise("InternalServerError", "down", 500)
        fault = stage.sandbox.cloud.gate.inject(Fault(refusal, service="dynamodb", times=None))

        set_off(stage)
        stage.sandbox.run_until(lambda: stage.canary_weight("green") == 0, 120)
        assert stage.canary_weight("green") == 0
        stage.sandbox.cloud.gate.faults.remove(fault)

        self.ends_at_zero(stage)


def test_a_person_aborts_and_the_release_is_not_quarantined(stage: Stage) -> None:
    import boto3

    stage.up("v2")
    stage.until_weight(2500)

    answer = boto3.client("lambda").invoke(
        FunctionName="sluice-dev-command",
        Qualifier="pipeline",
        Payload=json.dumps({"action": "abort", "endpoint": ENDPOINT, "reason": "wrong day", "by": "me"}),
    )

    assert "aborted by unproven:me: wrong day" in json.loads(answer["Payload"].read())["result"]
    stage.until_ended()
    assert stage.canary_weight("green") == 0
    assert stage.head.quarantine == ()
