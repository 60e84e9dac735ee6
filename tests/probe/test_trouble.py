"""When a probe cannot go on: it says why, cleans up, and names what it could not remove."""

from __future__ import annotations

import pytest

from sluice.cli import probe as command
from sluice.core.errors import BadInput, Refused
from sluice.probe import run as running
from sluice.probe.account import Denied
from sluice.sandbox.cloud.faults import OPERATOR, Fault, Raise, Throw
from tests.probe.conftest import Probing
from tests.probe.test_probe import caller


def strike(room: Probing, operation: str, effect: Raise | Throw, nth: int = 1, times: int | None = 1) -> None:
    """Hit the nth such call and those after it. The first removal of each kind is the check that removing is allowed."""
    room.sandbox.cloud.gate.inject(Fault(operation=operation, effect=effect, function=OPERATOR, nth=nth, times=times))


def test_an_interruption_keeps_the_answers_so_far_and_leaves_nothing(room: Probing) -> None:
    strike(room, "UpdateEndpointWeightsAndCapacities", Throw(KeyboardInterrupt()))

    code, outcome = room.probe("event_path", "weight_call", "count_call")

    assert outcome is not None
    assert (code, outcome.stopped) == (1, "interrupted")
    assert outcome.document.facts.model_dump(exclude_none=True).keys() == {"event_path"}
    assert room.made_and_left() == []


def test_an_interruption_while_the_endpoint_is_being_made_waits_for_it_and_removes_it(room: Probing) -> None:
    strike(room, "DescribeEndpoint", Throw(KeyboardInterrupt()))

    room.probe("create_endpoint")

    assert room.made_and_left() == []


def test_a_crash_in_the_middle_leaves_nothing_and_is_not_hidden(room: Probing) -> None:
    strike(room, "InvokeEndpoint", Throw(RuntimeError("a bug")))

    with pytest.raises(RuntimeError, match="a bug"):
        room.probe("metric_delay")

    assert room.made_and_left() == []


def test_what_cannot_be_removed_is_named_with_its_command_and_the_rest_is_removed(room: Probing) -> None:
    strike(room, "DeleteModel", Raise("InternalFailure", "try later", 500), nth=2)

    code, outcome = room.probe("create_endpoint")

    assert outcome is not None
    (left,) = outcome.left
    assert code == 1
    assert left.what.startswith("model sluice-probe-")
    assert "aws --region us-east-1 sagemaker delete-model --model-name sluice-probe-" in "\n".join(room.said)
    assert room.made_and_left() == [f"sluice-probe-{outcome.document.run}"]


def test_an_interrupted_clean_up_names_what_it_had_not_come_to_and_clean_removes_it(room: Probing) -> None:
    strike(room, "DeleteEndpointConfig", Throw(KeyboardInterrupt()), nth=5)

    _, outcome = room.probe("create_endpoint")
    assert outcome is not None
    assert [each.what.split()[0] for each in outcome.left] == [
        "endpoint",
        "model",
        "object",
        "bucket",
        "policy",
        "role",
    ]
    assert room.made_and_left() != []

    code = command.clean_up(room.account, outcome.document.run, room.said.append)

    assert code == 0
    assert room.made_and_left() == []


@pytest.mark.parametrize(
    ("without", "permission"),
    [("Queue", "sqs:GetQueueUrl"), ("Logs", "logs:DeleteLogGroup"), ("SeeEndpoints", "sagemaker:ListEndpoints")],
)
def test_who_may_not_clean_up_is_refused_before_anything_is_made(room: Probing, without: str, permission: str) -> None:
    person = caller(room, without)

    with room.sandbox.cloud.gate.acting_as(person), pytest.raises(Denied) as refused:
        room.probe("event_path")

    assert permission in str(refused.value)
    assert "sluice probe --policy" in str(refused.value)
    assert room.made_and_left() == ["person"]


@pytest.mark.parametrize(
    ("without", "permission"),
    [("LendRole", "iam:PassRole"), ("Weights", "sagemaker:UpdateEndpointWeightsAndCapacities")],
)
def test_a_missing_permission_in_the_middle_is_named_and_ends_the_run(
    room: Probing, without: str, permission: str
) -> None:
    with room.sandbox.cloud.gate.acting_as(caller(room, without)):
        code, outcome = room.probe("create_endpoint", "weight_call", "count_call")

    assert outcome is not None
    assert code == 1
    assert permission in str(outcome.stopped)
    assert outcome.document.facts.count_call is None
    assert room.made_and_left() == ["person"]


def test_an_endpoint_that_fails_is_an_answer_missing_and_is_removed(room: Probing) -> None:
    room.account.client("s3").create_bucket(Bucket="empty")

    code, outcome = room.probe("create_endpoint", "weight_call", model_data="s3://empty/model.tar.gz")

    assert outcome is not None
    facts = outcome.document.facts
    assert code == 1
    assert "Failed" in str(facts.create_endpoint.unknown)
    assert "no endpoint to ask" in str(facts.weight_call.unknown)
    assert room.made_and_left() == ["empty"]


def test_a_model_that_cannot_be_made_is_tried_once_and_what_was_made_for_it_is_removed(room: Probing) -> None:
    strike(room, "CreateModel", Raise("ResourceLimitExceeded", "too many models"), times=None)

    _, outcome = room.probe("create_endpoint", "weight_call")

    assert outcome is not None
    facts = outcome.document.facts
    assert "too many models" in str(facts.create_endpoint.unknown)
    assert "the first question that needed it" in str(facts.weight_call.unknown)
    assert len(room.sandbox.cloud.gate.made("CreateModel")) == 1
    assert room.made_and_left() == []


def test_a_question_that_gets_an_error_does_not_stop_the_others(room: Probing) -> None:
    strike(room, "SetAlarmState", Raise("InternalServiceFault", "try later", 500), times=None)

    _, outcome = room.probe("event_path", "alarm_clock")

    assert outcome is not None
    assert "InternalServiceFault" in str(outcome.document.facts.event_path.unknown)
    assert outcome.document.facts.alarm_clock.answer is not None


def test_the_remains_of_another_probe_are_refused_with_the_command_that_removes_them(room: Probing) -> None:
    strike(room, "DeleteEndpoint", Raise("InternalFailure", "try later", 500), nth=2, times=None)
    _, outcome = room.probe("create_endpoint")
    assert outcome is not None
    room.sandbox.cloud.gate.faults.clear()

    with pytest.raises(Refused, match=f"sluice probe --clean {outcome.document.run}"):
        room.probe("create_endpoint")

    assert command.clean_up(room.account, outcome.document.run, room.said.append) == 0
    assert room.made_and_left() == []


def test_a_region_full_of_endpoints_is_refused_unless_it_is_said_to_be_meant(
    room: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_ENDPOINTS", -1)

    with pytest.raises(Refused, match="--crowded"):
        room.probe("event_path")

    assert room.probe("event_path", crowded=True)[0] == 0


def test_a_question_nobody_knows_is_refused_with_those_that_are(room: Probing) -> None:
    with pytest.raises(BadInput, match="--only weights: no such question; known are metric_math"):
        room.probe("weights")
