"""boto3 sees the sandbox's metrics, and not moto's."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.releases import NOON, Account


def put_latencies(account: Account, *values: float, minute: int = 0, **datum: Any) -> None:
    shape = {"Values": list(values)} if values else {}
    account.cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[
            {
                "MetricName": "Latency",
                "Dimensions": [{"Name": "Slot", "Value": "blue"}],
                "Timestamp": NOON + timedelta(minutes=minute, seconds=30),
                **shape,
                **datum,
            }
        ],
    )


def asked(query_id: str = "m1", stat: str = "Sum", period: int = 60, **more: Any) -> dict[str, Any]:
    metric = {"Namespace": "Shop", "MetricName": "Latency", "Dimensions": [{"Name": "Slot", "Value": "blue"}]}
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **more}


def answered(account: Account, *queries: dict[str, Any], minutes: int = 10, **request: Any) -> dict[str, Any]:
    request = {
        "StartTime": NOON,
        "EndTime": NOON + timedelta(minutes=minutes),
        "ScanBy": "TimestampAscending",
    } | request
    return dict(account.cloudwatch.get_metric_data(MetricDataQueries=list(queries), **request))


def test_what_is_put_is_got_with_percentiles_and_trimmed_counts(account: Account) -> None:
    put_latencies(account, *[float(value) for value in range(1, 101)])

    found = answered(
        account, asked("p", "p99"), asked("c", "TC(:40)"), asked("r", "PR(:25)"), asked("n", "SampleCount")
    )

    assert {result["Id"]: result["Values"] for result in found["MetricDataResults"]} == {
        "p": [99.0],
        "c": [40.0],
        "r": [25.0],
        "n": [100.0],
    }
    assert found["MetricDataResults"][0]["Timestamps"] == [NOON]


def test_every_form_of_a_datum_is_taken(account: Account) -> None:
    put_latencies(account, Value=2.0)
    put_latencies(account, 3.0, 5.0, Counts=[2.0, 1.0])
    put_latencies(account, StatisticValues={"SampleCount": 4, "Sum": 20, "Minimum": 1, "Maximum": 9})

    found = answered(account, asked("s", "Sum"), asked("n", "SampleCount"), asked("x", "Maximum"))

    assert [result["Values"] for result in found["MetricDataResults"]] == [[33.0], [8.0], [9.0]]


def test_metric_math_is_answered_and_inputs_can_be_hidden(account: Account) -> None:
    put_latencies(account, 10.0, 20.0)
    put_latencies(account, 30.0, minute=2)

    found = answered(
        account,
        {"Id": "twice", "Expression": "mean * 2", "Label": "doubled"},
        asked("total", "Sum", ReturnData=False),
        asked("count", "SampleCount", ReturnData=False),
        {"Id": "mean", "Expression": "total / count", "ReturnData": False},
    )

    assert [(result["Id"], result["Label"], result["Values"]) for result in found["MetricDataResults"]] == [
        ("twice", "doubled", [30.0, 60.0])
    ]


def test_the_start_is_inclusive_the_end_exclusive_and_the_newest_comes_first_by_default(account: Account) -> None:
    for minute in range(5):
        put_latencies(account, float(minute), minute=minute)
    start, end = NOON + timedelta(minutes=1, seconds=20), NOON + timedelta(minutes=3)

    request = {"MetricDataQueries": [asked()], "StartTime": start, "EndTime": end}
    found = account.cloudwatch.get_metric_data(**request)

    assert found["MetricDataResults"][0]["Values"] == [2.0, 1.0]


def test_periods_are_aligned_each_to_its_own(account: Account) -> None:
    for minute in range(10):
        put_latencies(account, 1.0, minute=minute)

    found = answered(
        account, asked("five", period=300), asked("one"), StartTime=NOON + timedelta(minutes=7), minutes=10
    )

    assert [result["Timestamps"][0] for result in found["MetricDataResults"]] == [
        NOON + timedelta(minutes=5),
        NOON + timedelta(minutes=7),
    ]


def test_results_come_in_pages_of_max_datapoints(account: Account) -> None:
    for minute in range(5):
        put_latencies(account, float(minute), minute=minute)
    pages, token = [], {}

    while True:
        found = answered(account, asked("a"), asked("b"), MaxDatapoints=4, **token)
        pages.append([(result["Values"], result["StatusCode"]) for result in found["MetricDataResults"]])
        if "NextToken" not in found:
            break
        token = {"NextToken": found["NextToken"]}

    assert [values for page in pages for values, _ in page] == [[0, 1, 2, 3], [], [4], [0, 1, 2], [], [3, 4]]
    assert pages[0][0][1] == "PartialData"
    assert pages[-1][1][1] == "Complete"


@pytest.mark.parametrize(
    ("queries", "says"),
    [
        ([{"Id": "e", "Expression": "if(m1, 1, 0)"}, asked()], "upper case"),
        ([{"Id": "e", "Expression": "m1 + m2"}, asked()], "'m2', which is no id"),
        ([asked("M1")], "lower-case letter"),
        ([asked(), asked()], "used twice"),
        ([asked(stat="Median")], "no statistic 'Median'"),
        ([asked(period=45)], "got 45"),
        ([{"Id": "a", "Expression": "b"}, {"Id": "b", "Expression": "a"}], "in a circle"),
        ([asked(f"m{number}") for number in range(501)], "at most 500"),
    ],
)
def test_a_request_cloudwatch_refuses_is_refused_with_a_sentence(
    account: Account, queries: list[dict[str, Any]], says: str
) -> None:
    with pytest.raises(ClientError, match=says):
        answered(account, *queries)


def test_metric_statistics_know_percentiles(account: Account) -> None:
    put_latencies(account, *[float(value) for value in range(1, 101)], Unit="Milliseconds")
    request = {
        "Namespace": "Shop",
        "MetricName": "Latency",
        "Dimensions": [{"Name": "Slot", "Value": "blue"}],
        "StartTime": NOON,
        "EndTime": NOON + timedelta(minutes=5),
        "Period": 60,
    }

    plain = account.cloudwatch.get_metric_statistics(**request, Statistics=["Sum", "Maximum"])["Datapoints"]
    tail = account.cloudwatch.get_metric_statistics(**request, ExtendedStatistics=["p90"])["Datapoints"]

    assert (plain[0]["Sum"], plain[0]["Maximum"], plain[0]["Unit"]) == (5050.0, 100.0, "Milliseconds")
    assert tail[0]["ExtendedStatistics"] == {"p90": 90.0}


def test_metrics_are_listed_from_the_store(account: Account) -> None:
    put_latencies(account, 1.0)

    found = account.cloudwatch.list_metrics(Namespace="Shop")["Metrics"]

    assert [(metric["MetricName"], metric["Dimensions"]) for metric in found] == [
        ("Latency", [{"Name": "Slot", "Value": "blue"}])
    ]
    assert account.cloudwatch.list_metrics(Namespace="Other")["Metrics"] == []


def test_timestamps_come_back_in_utc(account: Account) -> None:
    put_latencies(account, 1.0)

    stamp = answered(account, asked())["MetricDataResults"][0]["Timestamps"][0]

    assert stamp.tzinfo is UTC
