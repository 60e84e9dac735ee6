"""Rows on their way to CloudWatch: their shape, what is sent again, what never is."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws

from sluice.client import CloudWatch, EmfLines, Serving
from sluice.client.sinks import Row
from tests.client.conftest import NOON

ROW = Row("green", NOON, {"Conversions": 1.0, "Exposures": 20.0})


@pytest.fixture
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


@pytest.mark.usefixtures("_aws")
def test_sums_add_up_at_the_minute_of_the_exposure(serving: Serving) -> None:
    sink = CloudWatch()

    for _ in range(2):
        assert sink.send(serving, [ROW]).lost == 0

    dimensions = [{"Name": "EndpointName", "Value": "dev-triage"}, {"Name": "VariantName", "Value": "green"}]
    metric = {"Namespace": "Shop", "MetricName": "Exposures", "Dimensions": dimensions}
    found = boto3.client("cloudwatch", region_name="us-east-1").get_metric_data(
        MetricDataQueries=[{"Id": "n", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}],
        StartTime=datetime.fromtimestamp(NOON, UTC),
        EndTime=datetime.fromtimestamp(NOON + 60, UTC),
    )
    assert found["MetricDataResults"][0]["Values"] == [40.0]


class Refusing:
    """A client whose calls end as told, then well."""

    def __init__(self, *faults: Exception) -> None:
        self.faults, self.calls = list(faults), list[Any]()

    def put_metric_data(self, **call: Any) -> None:
        self.calls.append(call)
        if self.faults:
            raise self.faults.pop(0)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutMetricData")


@pytest.mark.parametrize(
    "fault", [refused("Throttling"), refused("AccessDenied"), EndpointConnectionError(endpoint_url="https://aws")]
)
def test_what_certainly_did_not_arrive_is_sent_again(serving: Serving, fault: Exception) -> None:
    assert CloudWatch(Refusing(fault)).send(serving, [ROW]).again == (ROW,)


@pytest.mark.parametrize(
    "fault",
    [refused("InvalidParameterValue"), refused("InternalServiceFault"), ReadTimeoutError(endpoint_url="https://aws")],
)
def test_what_may_have_arrived_or_never_will_is_lost_rather_than_counted_twice(
    serving: Serving, fault: Exception
) -> None:
    sent = CloudWatch(Refusing(fault)).send(serving, [ROW])

    assert (sent.again, sent.lost) == ((), 1)


def test_a_thousand_data_a_call_and_a_minute_is_never_cut_in_two(serving: Serving) -> None:
    client = Refusing()
    rows = [Row("blue", NOON - 60 * n, {f"m{k}": 1.0 for k in range(300)}) for n in range(7)]

    CloudWatch(client).send(serving, rows)

    assert [len(call["MetricData"]) for call in client.calls] == [900, 900, 300]


def test_lines_are_in_the_embedded_metric_format(serving: Serving) -> None:
    stream = io.StringIO()

    EmfLines(stream).send(serving, [ROW])

    assert json.loads(stream.getvalue()) == {
        "_aws": {
            "Timestamp": NOON * 1000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Shop",
                    "Dimensions": [["EndpointName", "VariantName"]],
                    "Metrics": [{"Name": "Conversions", "Unit": "None"}, {"Name": "Exposures", "Unit": "None"}],
                }
            ],
        },
        "EndpointName": "dev-triage",
        "VariantName": "green",
        "Conversions": 1.0,
        "Exposures": 20.0,
    }


def test_a_line_of_the_embedded_format_has_at_most_a_hundred_metrics_in_a_directive(serving: Serving) -> None:
    stream = io.StringIO()

    EmfLines(stream).send(serving, [Row("green", NOON, {f"m{i}": 1.0 for i in range(250)})])

    directives = json.loads(stream.getvalue())["_aws"]["CloudWatchMetrics"]
    assert [len(directive["Metrics"]) for directive in directives] == [100, 100, 50]
    assert {directive["Namespace"] for directive in directives} == {"Shop"}
