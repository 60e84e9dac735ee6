"""The smaller adapters on moto: archives, alarms, metrics, the mirror, the topic."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sluice.aws.clients import client
from sluice.aws.patience import while_permissions_arrive
from sluice.aws.surroundings import ParameterMirrors, S3Artifacts, StepFunctionsClocks
from sluice.aws.watch import CloudWatchAlarms, CloudWatchMetrics
from sluice.core.actions import SetAlarm, StartClock
from sluice.core.errors import SluiceError
from sluice.core.observation import Counts
from sluice.core.release import Artifact
from sluice.core.rows import Reading
from sluice.ports import StoreUnavailable
from tests.builders import policy, release

BODY = b"a model"
SHA256 = hashlib.sha256(BODY).hexdigest()
MINUTE = 1_800_000_000


def upload(**arguments: object) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="v2.tar.gz", Body=BODY, **arguments)


class TestArtifacts:
    served = replace(release("v2"), artifact=Artifact("s3://models/v2.tar.gz", SHA256))

    def test_an_unchanged_archive_has_no_faults(self) -> None:
        upload(ChecksumAlgorithm="SHA256", ChecksumSHA256=base64.b64encode(hashlib.sha256(BODY).digest()).decode())

        assert S3Artifacts().faults(self.served) == ()

    def test_a_changed_archive_is_named_with_both_digests(self) -> None:
        upload(ChecksumAlgorithm="SHA256")
        other = replace(self.served, artifact=Artifact("s3://models/v2.tar.gz", "f" * 64))

        assert S3Artifacts().faults(other) == (
            f"the artifact of v2 was changed: s3://models/v2.tar.gz has SHA-256 {SHA256[:12]}, not ffffffffffff",
        )

    def test_an_archive_uploaded_in_parts_is_refused_with_the_way_to_upload_it_whole(self) -> None:
        # What HeadObject shows of a multipart upload: the checksum of the parts' checksums, and how many they were.
        upload(ChecksumAlgorithm="SHA256", ChecksumSHA256=base64.b64encode(bytes(32)).decode() + "-3")

        (fault,) = S3Artifacts().faults(self.served)

        assert "was uploaded in parts" in fault
        assert "aws s3api put-object --checksum-algorithm SHA256" in fault

    def test_a_missing_archive_is_named(self) -> None:
        upload(ChecksumAlgorithm="SHA256")
        gone = replace(self.served, artifact=Artifact("s3://models/v9.tar.gz", SHA256))

        assert S3Artifacts().faults(gone) == ("the artifact of v2 is gone: s3://models/v9.tar.gz",)


class TestAlarms:
    def put(self, name: str) -> None:
        boto3.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )

    def test_states_are_read_in_batches_and_absence_has_a_name(self) -> None:
        names = [f"alarm-{i:03d}" for i in range(120)]
        for name in names:
            self.put(name)

        states = CloudWatchAlarms().states([*names, "missing"])

        assert len(states) == 121
        assert states["alarm-119"].can_judge
        assert states["missing"].state is None

    def test_a_forced_state_carries_the_rehearsals_mark(self) -> None:
        self.put("alarm")

        CloudWatchAlarms().force(SetAlarm("alarm", "ALARM", "rehearsal", "shop-1"))

        found = boto3.client("cloudwatch").describe_alarms(AlarmNames=["alarm"])["MetricAlarms"][0]
        assert (found["StateValue"], json.loads(found["StateReasonData"])) == ("ALARM", {"sluiceRehearsal": "shop-1"})


class TestMetrics:
    def put(self, slot: str, name: str, value: float, minute: int) -> None:
        dimensions = [{"Name": "EndpointName", "Value": "shop"}, {"Name": "VariantName", "Value": slot}]
        at = datetime.fromtimestamp(MINUTE + 60 * minute, UTC)
        datum = {"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Value": value}
        boto3.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=[datum])

    def test_missing_minutes_stay_missing_and_impossible_ones_are_left_to_the_judge(self) -> None:
        for minute, (trials, events) in enumerate([(500, 5), (500, 700), (500, -1)]):
            self.put("green", "Invocations", trials, minute)
            self.put("green", "Invocation5XXErrors", events, minute)
        rates_only = {"errors": policy().metrics["errors"]}

        rows = CloudWatchMetrics().rows(Reading("shop", "green", "blue", rates_only, {}, MINUTE, MINUTE + 240))

        assert [row.at for row in rows] == [MINUTE, MINUTE + 60, MINUTE + 120, MINUTE + 180]
        assert [row.canary.rates.get("errors") for row in rows] == [
            Counts(500, 5),
            Counts(500, 700),
            Counts(500, -1),
            None,
        ]
        assert all(not row.stable.rates for row in rows)

    @pytest.mark.parametrize("status", ["InternalError", "PartialData", "Forbidden"])
    def test_an_answer_that_is_not_complete_is_no_silence(self, status: str) -> None:
        """The errors are missing, not absent: taken for a quiet minute they would hide harm."""
        self.put("green", "Invocations", 500, 0)

        def broken(parsed: dict[str, Any], **_: object) -> None:
            parsed["MetricDataResults"][1]["StatusCode"] = status

        client("cloudwatch").meta.events.register("after-call.cloudwatch.GetMetricData", broken)
        reading = Reading("shop", "green", "blue", {"errors": policy().metrics["errors"]}, {}, MINUTE, MINUTE + 240)

        with pytest.raises(SluiceError, match=f"Invocation5XXErrors of green: {status}"):
            CloudWatchMetrics().rows(reading)


def test_the_mirror_is_written_and_read() -> None:
    mirrors = ParameterMirrors("/sluice/sluice/test/")
    assert mirrors.read("shop") is None

    mirrors.write("shop", {"to_slot": "green", "canary_parts": 0})
    mirrors.write("shop", {"to_slot": "green", "canary_parts": 100})

    assert mirrors.read("shop") == {"to_slot": "green", "canary_parts": 100}


class TestClocks:
    def machine(self) -> str:
        return boto3.client("stepfunctions").create_state_machine(
            name="clock",
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/clock",
        )["stateMachineArn"]

    def test_starting_the_same_clock_twice_is_one_start(self) -> None:
        machine = self.machine()
        clocks = StepFunctionsClocks(machine)

        clocks.start(StartClock("shop", "shop-1", "shop-1-g3"))
        clocks.start(StartClock("shop", "shop-1", "shop-1-g3"))

        executions = boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        assert [execution["name"] for execution in executions] == ["shop-1-g3"]
        described = boto3.client("stepfunctions").describe_execution(executionArn=executions[0]["executionArn"])
        assert json.loads(described["input"]) == {"endpoint": "shop", "rollout": "shop-1", "generation": 3, "ticks": 0}

    def test_a_clock_that_never_was_does_not_run(self) -> None:
        clocks = StepFunctionsClocks(self.machine())
        clocks.start(StartClock("shop", "shop-1", "shop-1-g1"))

        assert clocks.runs("shop-1-g1")
        assert not clocks.runs("shop-1-g2")


class TestPatience:
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetItem")

    @pytest.fixture
    def pauses(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        slept: list[float] = []
        monkeypatch.setattr("sluice.aws.patience.time.sleep", slept.append)
        return slept

    def test_a_denial_is_tried_again_for_a_minute(self, pauses: list[float]) -> None:
        answers = iter([self.denied, self.denied, "done"])

        def call() -> str:
            answer = next(answers)
            if isinstance(answer, ClientError):
                raise StoreUnavailable("table t") from answer
            return answer

        assert while_permissions_arrive(call) == "done"
        assert pauses == [5, 5]

    def test_a_lasting_denial_comes_out(self, pauses: list[float]) -> None:
        def call() -> str:
            raise self.denied

        with pytest.raises(ClientError, match="AccessDenied"):
            while_permissions_arrive(call)
        assert sum(pauses) == 60

    def test_anything_else_is_not_tried_again(self, pauses: list[float]) -> None:
        def call() -> str:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "no"}}, "GetItem")

        with pytest.raises(ClientError, match="ValidationException"):
            while_permissions_arrive(call)
        assert pauses == []
