"""An application that uses `sluice.client`: what its users see and what comes of it is recorded per variant, at the exposure's time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from sluice.client import CloudWatch, Endpoint, contract_from, read_champion
from sluice.client.sinks import Row, Sent
from sluice.sandbox.cloud.gate import Principal
from sluice.sandbox.triage import ENDPOINT, Example
from tests.acceptance.conftest import on_stage
from tests.acceptance.ward import Case, Ward, deploy

NAMESPACE = "Sluice/sluice/dev/outcomes"
MINUTES = 10


@pytest.fixture(scope="module")
def ward(example: Example) -> Iterator[Ward]:
    """v2 is at 25 % and more for a while, and the ward asks all the time."""
    with on_stage(example) as stage:
        stage.up("v1")
        stage.send()
        _, made = deploy(stage)
        ward = Ward(stage, made.outputs["function"])
        stage.up("v2")
        stage.until_weight(2500)
        ward.open()
        stage.sandbox.run_until(lambda: False, MINUTES * 60)
        yield ward


def recorded(name: str, slot: str) -> dict[int, float]:
    """Sums by minute, as the tick reads them."""
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": name,
        "Dimensions": [{"Name": "EndpointName", "Value": ENDPOINT}, {"Name": "VariantName", "Value": slot}],
    }
    found = boto3.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "n", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}],
        StartTime=datetime(2026, 1, 5, tzinfo=UTC),
        EndTime=datetime(2026, 1, 6, tzinfo=UTC),
    )["MetricDataResults"][0]
    return {int(at.timestamp()): value for at, value in zip(found["Timestamps"], found["Values"], strict=True)}


def by_minute(cases: list[Case], slot: str) -> dict[int, float]:
    return dict(Counter(case.at - case.at % 60 for case in cases if case.slot == slot))


@pytest.mark.parametrize("slot", ["blue", "green"])
def test_what_was_seen_and_what_came_of_it_is_recorded_for_the_variant_and_minute_of_the_exposure(
    ward: Ward, slot: str
) -> None:
    shown = by_minute(ward.seen, slot)
    agreed = by_minute([case for case in ward.closed if case.agreed], slot)

    assert len(shown) >= MINUTES
    assert recorded("Shown", slot) == shown
    assert agreed
    assert recorded("Confirmed", slot) == {minute: agreed.get(minute, 0.0) for minute in shown}, "zeros too"


def test_a_mean_is_recorded_as_number_sum_and_sum_of_squares(ward: Ward) -> None:
    closed = by_minute(ward.closed, "blue")

    number, total, squares = (recorded(f"Minutes_{word}", "blue") for word in ("n", "sum", "sumsq"))
    for minute, count in closed.items():
        assert (number[minute], total[minute], squares[minute]) == (count, 10 * count, 100 * count)


def test_the_application_may_do_what_it_does_and_nothing_was_denied(ward: Ward) -> None:
    its = [call for call in ward.stage.sandbox.cloud.gate.calls if call.function == ward.function]

    assert {call.operation for call in its} == {"InvokeEndpoint"}
    assert {call.outcome for call in its} == {"ok"}
    assert {sid for call in its for sid in call.sids} == {"InvokeByWeight"}


def test_its_role_records_by_calls_too_and_neither_picks_a_variant_nor_writes_elsewhere(ward: Ward) -> None:
    serving = contract_from(ward.stage.sandbox.engine.state.outputs).endpoint("triage").serving
    minute = int(ward.clock.now().timestamp()) // 60 * 60 - 7200

    with ward.stage.sandbox.cloud.gate.acting_as(Principal(ward.role, "ward-service")):
        read_champion(serving.champion_parameter, boto3.client("ssm"))
        sent = CloudWatch().send(serving, [Row("green", minute, {"Shown": 7.0})])
        refused = CloudWatch().send(
            replace(serving, outcome_namespace="AWS/SageMaker"), [Row("green", minute, {"x": 1.0})]
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            Endpoint(serving).ask(ward.rows[0].encode(), pinned_to="green")

    assert sent == Sent()
    assert recorded("Shown", "green")[minute] == 7
    assert len(refused.again) == 1
    denied = boto3.client("cloudwatch").list_metrics(Namespace="AWS/SageMaker", MetricName="x")["Metrics"]
    assert denied == []
