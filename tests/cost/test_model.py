"""The arithmetic of the cost page, with numbers small enough to check by hand."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from sluice.cost.model import Scenario, alarm_minutes, bill, rates
from sluice.cost.price_sources import SEEN
from sluice.cost.prices import PRICES, Prices
from sluice.cost.usage import Assumed, Measured, Usage, measured

ACTIVE = Usage(
    minutes=100,
    calls={"DescribeAlarms": 50, "GetMetricData": 10, "SetAlarmState": 2, "PutObject": 1},
    ticks=100,
    metrics_requested=60,
    read_units=400,
    write_units=200,
)
SOAK = Usage(minutes=100, calls={"DescribeAlarms": 20}, ticks=20, metrics_requested=0, read_units=20, write_units=20)
USAGE = Measured(
    ACTIVE, SOAK, alarms=6, alarm_metrics=20, control_alarms=4, custom_metrics=73, control_metrics=2, dashboards=3
)
PLAIN = Prices(
    lambda_request=1.0,
    lambda_gb_second=0.0,
    transition=1.0,
    alarm_metric_month=1.0,
    custom_metric_month=1.0,
    dashboard_month=1.0,
    metric_requested=1.0,
    cloudwatch_request=1.0,
    log_gb=1e6,
    write_unit=1.0,
    read_unit=0.0,
    s3_put=1.0,
    sqs_request=1.0,
    instance_hour={"ml.m5.large": 1.0},
)


def dollars(scenario: Scenario) -> dict[str, float]:
    return {line.what: line.dollars for line in bill(scenario, USAGE, PLAIN, Assumed(log_kb=1.0))}


def test_a_month_of_one_endpoint_with_one_rollout_of_ten_hours_and_ten_of_soak() -> None:
    found = dollars(Scenario(1, 1, 10, 10, "ml.m5.large", 2))

    assert found == pytest.approx(
        {
            "alarms": 20 + 4,
            "dashboards": 3,
            "custom metrics": 2 + 73 * 20 / 730,  # those of the endpoint for the twenty hours they are published in
            "Lambda": 43_800
            + 600
            + 120,  # a sweep a minute, a tick a minute for ten hours, one in five minutes for ten more
            "Step Functions": 3 * 720,
            "GetMetricData": 360,
            "DescribeAlarms": 300 + 120,
            "DynamoDB": 1200 + 120,
            "S3": 6,
            "notifications": 2 * 43_800 * 15,  # two queues are polled, messages or not
            "logs": 43_800 + 600 + 120,
            "second fleet": 2 * 20,
        }
    )


def test_standby_pays_for_the_second_fleet_all_month() -> None:
    assert dollars(Scenario(1, 1, 10, 10, "ml.m5.large", 2, standby=True))["second fleet"] == 2 * 730


def test_a_second_fleet_is_never_paid_for_longer_than_the_month() -> None:
    assert dollars(Scenario(1, 100, 10, 10, "ml.m5.large", 1))["second fleet"] == 730


def test_every_started_stack_has_its_own_sweep_and_alarms() -> None:
    eleven = dollars(Scenario(11, 0, 0, 0, "ml.m5.large", 1, endpoints_per_stack=10))

    assert eleven["alarms"] == 11 * 20 + 2 * 4
    assert eleven["Lambda"] == 2 * 43_800


def test_a_rate_is_reached_where_its_calls_come_to_the_limit() -> None:
    describe, data, state = rates(100, USAGE)

    assert describe.a_second == pytest.approx(100 * 0.5 / 60)
    assert describe.reached_at == pytest.approx(9 * 60 / 0.5)
    assert data.reached_at == pytest.approx(50 * 60 / 0.1)
    assert state.reached_at == pytest.approx(3 * 60 / 0.02)


def test_a_call_that_is_never_made_reaches_no_limit() -> None:
    assert rates(1, replace(USAGE, active=replace(ACTIVE, calls={})))[0].reached_at == float("inf")


def test_a_first_up_of_a_thousand_endpoints_waits_for_its_alarms() -> None:
    assert alarm_minutes(1000, USAGE) == pytest.approx(6000 / 3 / 60)


def test_every_price_says_what_it_was_compared_with() -> None:
    priced = {field.name for field in fields(Prices)} - {"instance_hour"}

    assert set(SEEN) == priced | set(PRICES.instance_hour)


def test_prices_and_measured_usage_are_there_and_positive() -> None:
    priced = [getattr(PRICES, field.name) for field in fields(Prices) if field.name != "instance_hour"]

    assert all(price > 0 for price in [*priced, *PRICES.instance_hour.values()])
    assert measured().active.minutes > 0
    assert measured().alarms > 0
