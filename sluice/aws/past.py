"""Releases of the past from CloudWatch: the same queries as a look's, over the minutes it still keeps. Reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sluice.aws.clients import client
from sluice.aws.minutes import rows_of
from sluice.aws.series import queries, read
from sluice.aws.watch import CloudWatchMetrics
from sluice.core.errors import BadInput
from sluice.core.judge.doubts import requests_metric
from sluice.core.observation import Row
from sluice.core.past import Past, all_limits, served, with_steps
from sluice.core.policy import LatencyMetric, Policy, RateMetric
from sluice.core.rows import QUANTILE_SECONDS, Reading


def past_rows(policy: Policy, past: Past) -> tuple[Row, ...]:
    """Every minute in which the canary served, with its step. Raises BadInput where CloudWatch cannot say, or has nothing."""
    name = requests_metric(policy)
    if name is None:
        raise BadInput(
            ("the policy has no rate: without requests nobody knows when the canary served. Add a rate metric",)
        )
    try:
        found = _read(policy, past)
        rows = served(found, name)
        if not rows or not any(name in row.stable.rates for row in rows):
            raise BadInput(tuple(_nothing(policy, past, name, bool(rows))))
    except (ClientError, BotoCoreError) as fault:
        raise BadInput((f"CloudWatch did not answer about endpoint {past.endpoint!r}: {fault}",)) from None
    return with_steps(policy, rows, name)


def _read(policy: Policy, past: Past) -> tuple[Row, ...]:
    """Stable's usual latencies are those of the hour before."""
    latencies = {name: metric for name, metric in policy.metrics.items() if isinstance(metric, LatencyMetric)}
    began = past.since - QUANTILE_SECONDS
    usual = CloudWatchMetrics().quantiles(past.endpoint, past.stable, latencies, began, past.since)
    limits = all_limits(policy, usual)
    reading = Reading(past.endpoint, past.canary, past.stable, policy.metrics, limits, past.since, past.until)
    return rows_of(reading, read(list(queries(reading)), past.since, past.until))


def _nothing(policy: Policy, past: Past, name: str, canary_served: bool) -> Iterator[str]:
    metric = policy.metrics[name]
    assert isinstance(metric, RateMetric)
    which, option = (past.stable, "--stable") if canary_served else (past.canary, "--canary")
    begin, end = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" for at in (past.since, past.until))
    known = ", ".join(sorted(_variants(past.endpoint, metric))) or "none"
    yield (
        f"{option}: endpoint {past.endpoint!r} has no minutes of {metric.namespace} {metric.trials} for variant {which!r} between "
        f"{begin} and {end} UTC (variants CloudWatch knows of it: {known}). Check the names, the time, the region and the account"
    )


def _variants(endpoint: str, metric: RateMetric) -> set[str]:
    """Those with requests in the last two weeks: older ones are not listed."""
    request: dict[str, Any] = {
        "Namespace": metric.namespace,
        "MetricName": metric.trials,
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
    }
    pages = client("cloudwatch").get_paginator("list_metrics").paginate(**request)
    dimensions = [dimension for page in pages for found in page["Metrics"] for dimension in found["Dimensions"]]
    return {dimension["Value"] for dimension in dimensions if dimension["Name"] == "VariantName"}
