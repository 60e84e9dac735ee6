"""A whole probe on the sandbox: it finds the sandbox's own parameters, and leaves nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from sluice.probe.model import archive
from sluice.probe.permissions import caller_policy
from sluice.probe.run import Outcome
from sluice.sandbox.cloud.gate import Call, Principal
from sluice.sandbox.facts import setting
from sluice.sandbox.sandbox import Setting
from sluice.schema.facts import read_facts, surprises, written_facts
from tests.probe.conftest import UNUSUAL, Probing, probing

UNDONE_BY = {
    "CreateRole": "DeleteRole",
    "PutRolePolicy": "DeleteRolePolicy",
    "CreateBucket": "DeleteBucket",
    "PutBucketTagging": "DeleteBucket",
    "PutObject": "DeleteObject",
    "CreateModel": "DeleteModel",
    "CreateEndpointConfig": "DeleteEndpointConfig",
    "CreateEndpoint": "DeleteEndpoint",
    "PutMetricAlarm": "DeleteAlarms",
    "CreateQueue": "DeleteQueue",
    "PutRule": "DeleteRule",
    "PutTargets": "RemoveTargets",
}
"""Every call that makes something. PutMetricData makes what cannot be deleted, and the probe says so."""
HARMLESS = {"PutMetricData", "SetAlarmState", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "InvokeEndpoint"}


@dataclass(frozen=True)
class Whole:
    """What one run of everything came to."""

    code: int
    outcome: Outcome
    file: Path
    calls: list[Call]
    in_account: list[str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """By a caller who may do what `--policy` prints and nothing else. One sandbox at a time: it is closed again here."""
    folder = tmp_path_factory.mktemp("probe")
    with probing(folder) as room:
        gate = room.sandbox.cloud.gate
        with gate.acting_as(caller(room)):
            code, outcome = room.probe()
        assert outcome is not None
        return Whole(code, outcome, folder / "facts.json", gate.made(function="person"), room.made_and_left())


def caller(room: Probing, without: str | None = None) -> Principal:
    """A person with the printed policy, or with one statement of it taken away."""
    document = caller_policy(room.account.number, room.account.region)
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != without]
    iam = room.account.client("iam")
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}
    arn = iam.create_role(RoleName="person", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="person", PolicyName="probe", PolicyDocument=json.dumps(document))
    return Principal(arn, "person")


def test_it_finds_exactly_the_parameters_of_the_sandbox(whole: Whole) -> None:
    assert setting(whole.outcome.document.facts, Setting()) == UNUSUAL
    assert whole.code == 0


def test_it_sees_what_the_sandbox_refuses_keeps_and_rounds(whole: Whole) -> None:
    facts = whole.outcome.document.facts

    assert facts.busy_call.answer.recognised
    assert not facts.zero_weights.answer.accepted
    assert facts.small_weights.answer.kept_as == "float32"
    assert (facts.add_slot.answer.weight_kept, facts.add_slot.answer.count_kept) == (True, True)
    assert facts.trimmed_counts.answer.adds_up
    assert facts.fine_metrics.answer.finest_seconds == 60, "the sandbox publishes once a minute, whatever is asked for"
    assert facts.guarded_update.answer.endpoint_kept
    assert surprises(facts) == []


def test_the_written_file_reads_back_as_what_was_found(whole: Whole) -> None:
    assert read_facts(whole.file) == whole.outcome.document
    assert written_facts(whole.outcome.document) == whole.file.read_text()


def test_everything_it_made_is_gone_and_every_call_is_undone(whole: Whole) -> None:
    effective = [call.operation for call in whole.calls if call.effective]
    writes = {each for each in effective if not each.startswith(("Describe", "Get", "List", "Receive"))}

    assert whole.in_account == ["person"]
    assert whole.outcome.left == ()
    assert writes <= {*UNDONE_BY, *UNDONE_BY.values(), *HARMLESS, "DeleteMessage"}
    for made, undone in UNDONE_BY.items():
        assert undone in effective[effective.index(made) :], f"{made} is not undone"


def test_the_printed_policy_holds_nothing_the_probe_does_not_use(whole: Whole) -> None:
    used = {sid for call in whole.calls for sid in call.sids}
    granted = {each["Sid"] for each in caller_policy("123456789012", "us-east-1")["Statement"]}

    # The log group is SageMaker's to make; the sandbox makes none, so that its removal finds nothing.
    assert used | {"Logs"} == granted


def test_before_it_starts_it_says_what_it_makes_how_long_it_takes_and_what_it_costs(room: Probing) -> None:
    code, outcome = room.probe(yes=False, answer=False)
    said = "\n".join(room.said)

    assert (code, outcome) == (2, None)
    assert "up to 4 ml.t2.medium" in said
    assert "52 minutes" in said
    assert "$0.11 at list prices" in said
    assert room.said[-1] == "Nothing was made."
    assert room.made_and_left() == []


def test_only_the_questions_asked_for_are_answered(room: Probing) -> None:
    facts = room.outcome("weight_call", "event_path").document.facts

    assert facts.weight_call.answer.read_back_seconds == (23.0,) * 5
    assert facts.model_dump(exclude_none=True).keys() == {"weight_call", "event_path"}
    assert room.made_and_left() == []


def test_questions_without_an_endpoint_make_none(room: Probing) -> None:
    room.outcome("metric_math", "alarm_clock", "event_path")

    assert room.sandbox.cloud.gate.made("CreateEndpoint") == []
    assert room.sandbox.cloud.gate.made("CreateRole") == []


def test_an_own_image_model_and_role_are_used_and_not_removed(room: Probing, tmp_path: Path) -> None:
    room.account.client("s3").create_bucket(Bucket="own")
    room.account.client("s3").put_object(Bucket="own", Key="model.tar.gz", Body=archive())
    role = caller(room).role_arn
    room.account.client("iam").put_role_policy(
        RoleName="person",
        PolicyName="read",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::own/*"},
            }
        ),
    )

    code, _ = room.probe("create_endpoint", image="own-image", model_data="s3://own/model.tar.gz", role=role)

    (made,) = room.sandbox.cloud.gate.made("CreateModel")
    assert made.params["PrimaryContainer"]["Image"] == "own-image"
    assert code == 0
    assert room.made_and_left() == ["person", "own"]
