"""A release of the past as CloudWatch remembers it (moto): its minutes, its steps, and sentences where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sluice.aws import past as module
from sluice.aws.past import past_rows
from sluice.core.errors import BadInput
from sluice.core.observation import Counts
from sluice.core.past import Past
from sluice.core.policy import OnInconclusive, Policy, Step
from tests.builders import errors, latency, policy

BEGAN = 1_767_600_000
PAST = Past("shop", "green", "blue", BEGAN, BEGAN + 3600)


def stepped() -> Policy:
    steps = tuple(Step(parts, 300, 600, OnInconclusive.HOLD) for parts in (1000, 5000, 10_000))
    return policy(steps=steps, metrics={"errors": errors()})


def publish(slot: str, minute: int, requests: float, failed: float) -> Iterator[dict[str, Any]]:
    dimensions = [{"Name": "EndpointName", "Value": "shop"}, {"Name": "VariantName", "Value": slot}]
    for name, value in (("Invocations", requests), ("Invocation5XXErrors", failed)):
        yield {
            "MetricName": name,
            "Dimensions": dimensions,
            "Timestamp": datetime.fromtimestamp(BEGAN + 60 * minute, UTC),
            "Value": value,
        }


@pytest.fixture
def remembered() -> None:
    """Ten minutes of blue alone, ten with a tenth for green, ten with half of it."""
    found: list[dict[str, Any]] = []
    for minute in range(30):
        share = (0, 0.1, 0.5)[minute // 10]
        found += publish("blue", minute, 600 * (1 - share), 1)
        if share:
            found += publish("green", minute, 600 * share, 2)
    boto3.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=found)


@pytest.mark.usefixtures("remembered")
def test_the_minutes_in_which_the_canary_served_come_with_their_steps() -> None:
    rows = past_rows(stepped(), PAST)

    assert [row.at for row in rows] == [BEGAN + 60 * minute for minute in range(11, 30)]
    assert [row.step for row in rows] == [0] * 9 + [1] * 10
    assert rows[0].canary.rates["errors"] == Counts(60, 2)
    assert rows[0].stable.rates["errors"] == Counts(540, 1)


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize(
    ("past", "option"),
    [
        (Past("shop", "AllTraffic", "blue", BEGAN, BEGAN + 3600), "--canary: endpoint 'shop' has no minutes"),
        (Past("shop", "green", "red", BEGAN, BEGAN + 3600), "--stable: endpoint 'shop' has no minutes"),
        (Past("shop", "green", "blue", BEGAN, BEGAN + 300), "--canary: endpoint 'shop' has no minutes"),
    ],
    ids=["no such canary", "no such stable", "not then"],
)
def test_where_there_is_nothing_the_variants_that_there_are_are_named(past: Past, option: str) -> None:
    with pytest.raises(BadInput, match="variants CloudWatch knows of it: blue, green") as refused:
        past_rows(stepped(), past)

    assert str(refused.value).startswith(option)


def test_an_endpoint_that_nobody_knows_has_no_variants() -> None:
    with pytest.raises(BadInput, match="variants CloudWatch knows of it: none"):
        past_rows(stepped(), PAST)


def test_a_policy_without_a_rate_cannot_tell_when_the_canary_served() -> None:
    with pytest.raises(BadInput, match="the policy has no rate"):
        past_rows(policy(metrics={"latency": latency()}), PAST)


def test_what_aws_refuses_is_said_about_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not yours"}}, "GetMetricData")

    monkeypatch.setattr(module, "read", refused)

    with pytest.raises(BadInput, match="CloudWatch did not answer about endpoint 'shop': .*not yours"):
        past_rows(stepped(), PAST)
