"""One contract test per hook: boto3 sees the sandbox's behaviour while it is installed, and moto's own after the undo."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.utils
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.cloudwatch.models import Alarm, CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from sluice.sandbox.cloud.clock import Clock
from sluice.sandbox.meters import Meters
from sluice.sandbox.watch import hooks as hooks_meters
from tests.sandbox.releases import FAILING_ON_NEGATIVES, Account

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PATCHED = (
    CloudWatchBackend,
    CloudWatchResponse,
    SageMakerModelBackend,
    SageMakerResponse,
    SageMakerRuntimeResponse,
    FakeEndpointConfig,
    Alarm,
    botocore.utils,
)


@pytest.fixture
def clock() -> Iterator[Clock]:
    with Clock(NOON) as running, mock_aws():
        yield running


@pytest.fixture
def account(clock: Clock) -> Iterator[Account]:
    """An account with everything installed; the clock stands at 12:10 and nothing has happened."""
    clock.run_for(600)
    events: list[dict[str, Any]] = []
    meters = Meters(clock, events.append)
    yield Account()
    meters.close()


def test_closing_gives_moto_back_as_it_was(clock: Clock) -> None:
    before = [dict(vars(owner)) for owner in PATCHED]

    Meters(clock, lambda event: None).close()

    assert [dict(vars(owner)) for owner in PATCHED] == before


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


def put_alarm(account: Account, name: str, **settings: Any) -> None:
    plain = {
        "Namespace": "Shop",
        "MetricName": "Latency",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    account.cloudwatch.put_metric_alarm(AlarmName=name, **{**plain, **settings})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"Period": 45}, "got 45"),
        ({"Period": 5}, "alarm's period is 10, 20, 30"),
        ({"Period": 3600, "EvaluationPeriods": 25}, "one day"),
        ({"DatapointsToAlarm": 2}, r"must lie in 1..EvaluationPeriods \(1\)"),
        ({"TreatMissingData": "notbreaching"}, "notBreaching"),
        ({"Statistic": None, "ExtendedStatistic": "q99"}, "no statistic 'q99'"),
    ],
)
def test_an_alarm_cloudwatch_refuses_is_refused_and_leaves_no_trace(
    account: Account, settings: dict[str, Any], says: str
) -> None:
    given = {key: value for key, value in settings.items() if value is not None}

    with pytest.raises(ClientError, match=says):
        put_alarm(account, "bad", **given)

    assert account.cloudwatch.describe_alarms()["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("expression", "says"),
    [("nope + 1", "no id of this request"), ("max(m1)", "upper case"), ("m1 +", "ends where a value")],
)
def test_a_math_alarm_with_a_faulty_expression_is_refused(account: Account, expression: str, says: str) -> None:
    metrics = [asked(ReturnData=False), {"Id": "e1", "Expression": expression}]

    with pytest.raises(ClientError, match=says):
        account.cloudwatch.put_metric_alarm(
            AlarmName="bad",
            Metrics=metrics,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )


def test_a_trimmed_statistic_can_be_alarmed_on(account: Account) -> None:
    account.cloudwatch.put_metric_alarm(
        AlarmName="slow",
        Namespace="Shop",
        MetricName="Latency",
        ExtendedStatistic="PR(500:)",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5.0,
        ComparisonOperator="GreaterThanThreshold",
    )

    assert account.cloudwatch.describe_alarms()["MetricAlarms"][0]["ExtendedStatistic"] == "PR(500:)"


def test_a_set_state_that_cloudwatch_refuses_is_refused_still(account: Account) -> None:
    put_alarm(account, "a")

    with pytest.raises(ClientError):
        account.cloudwatch.set_alarm_state(AlarmName="nowhere", StateValue="ALARM", StateReason="r")
    with pytest.raises(ClientError):
        account.cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="r", StateReasonData="{")


def test_composites_are_shown_only_to_those_who_ask_for_them(account: Account) -> None:
    put_alarm(account, "a")
    account.cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")

    plain = account.cloudwatch.describe_alarms()
    asked_for = account.cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])

    assert [alarm["AlarmName"] for alarm in plain["MetricAlarms"]] == ["a"]
    assert plain["CompositeAlarms"] == []
    assert [alarm["AlarmRule"] for alarm in asked_for["CompositeAlarms"]] == ["ALARM(a)"]
    assert asked_for["MetricAlarms"] == []


def test_a_composite_with_a_faulty_rule_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="composite alarm rule"):
        account.cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="a > 1")


def test_alarms_come_in_pages_and_a_hundred_names_a_call(account: Account) -> None:
    for number in range(60):
        put_alarm(account, f"alarm-{number:02}")

    first = account.cloudwatch.describe_alarms(AlarmNamePrefix="alarm-")
    rest = account.cloudwatch.describe_alarms(AlarmNamePrefix="alarm-", NextToken=first["NextToken"])

    assert [len(first["MetricAlarms"]), len(rest["MetricAlarms"])] == [50, 10]
    with pytest.raises(ClientError, match="at most 100 names, got 101"):
        account.cloudwatch.describe_alarms(AlarmNames=[f"a{number}" for number in range(101)])


def test_an_endpoint_lives_its_own_life(account: Account, clock: Clock) -> None:
    account.model("v1")
    account.config("one", {"blue": ("v1", 1.0), "green": ("v1", 0.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")

    assert account.status() == "Creating"

    clock.run_for(300)
    account.shift(blue=3, green=1)
    clock.run_for(15)

    assert account.weights() == {"blue": 3.0, "green": 1.0}


def test_update_endpoint_exists(account: Account, clock: Clock) -> None:
    account.model("v1")
    account.config("one", {"blue": ("v1", 1.0)})
    account.config("two", {"blue": ("v1", 1.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")
    clock.run_for(300)

    arn = account.sagemaker.update_endpoint(EndpointName="fraud", EndpointConfigName="two")["EndpointArn"]

    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:endpoint/fraud"

    clock.run_for(480)

    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        account.sagemaker.update_endpoint(EndpointName="fraud", EndpointConfigName="three")


def test_an_endpoint_that_would_serve_nothing_is_not_created(account: Account) -> None:
    account.model("v1")
    account.config("none", {"blue": ("v1", 0.0)})

    with pytest.raises(ClientError, match="weights of all variants are zero"):
        account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="none")

    assert account.sagemaker.list_endpoints()["Endpoints"] == []


def test_what_is_live_is_not_deleted(account: Account) -> None:
    account.model("v1")
    account.config("one", {"blue": ("v1", 1.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")

    with pytest.raises(ClientError, match="is live"):
        account.sagemaker.delete_endpoint_config(EndpointConfigName="one")


def test_any_instance_type_that_is_spelled_like_one_is_taken(account: Account) -> None:
    account.model("v1")
    variant = {"VariantName": "blue", "ModelName": "v1", "InitialInstanceCount": 1}

    for name, instance_type in (("new", "ml.m9g.2xlarge"), ("bad", "m5.large")):
        production = [{**variant, "InstanceType": instance_type}]
        if name == "bad":
            with pytest.raises(ClientError, match=r"ml\.<family>\.<size>"):
                account.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=production)
        else:
            account.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=production)


def test_tags_of_models_and_configurations_can_be_read_and_overwritten(account: Account) -> None:
    account.model("v1")
    account.config("one", {"blue": ("v1", 1.0)})
    place = "arn:aws:sagemaker:us-east-1:123456789012"

    for arn in (f"{place}:model/v1", f"{place}:endpoint-config/one"):
        account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "release", "Value": "1"}, {"Key": "a", "Value": "b"}])
        account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "release", "Value": "2"}])
        found = account.sagemaker.list_tags(ResourceArn=arn)["Tags"]

        assert {tag["Key"]: tag["Value"] for tag in found} == {"release": "2", "a": "b"}

    with pytest.raises(ClientError, match="Could not find resource"):
        account.sagemaker.list_tags(ResourceArn=f"{place}:model/nothing")


@pytest.fixture
def served(account: Account, clock: Clock) -> Account:
    account.model("v1")
    account.model("v3", FAILING_ON_NEGATIVES)
    account.config("one", {"blue": ("v1", 1.0), "green": ("v3", 0.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")
    clock.run_for(300)
    return account


def test_invoke_endpoint_is_answered_by_the_model(served: Account) -> None:
    answer = served.runtime.invoke_endpoint(
        EndpointName="fraud", Body=b"1,2", ContentType="text/csv", Accept="text/csv"
    )

    assert answer["Body"].read() == b"6.0"
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/csv", "blue")


def test_a_target_variant_is_invoked_whatever_its_weight(served: Account) -> None:
    answer = served.runtime.invoke_endpoint(
        EndpointName="fraud", Body=b"1,2", ContentType="text/csv", Accept="text/csv", TargetVariant="green"
    )

    assert (answer["Body"].read(), answer["InvokedProductionVariant"]) == (b"9.0", "green")


def test_a_failing_model_is_a_model_error_with_the_original_status(served: Account) -> None:
    with pytest.raises(served.runtime.exceptions.ModelError) as caught:
        served.runtime.invoke_endpoint(
            EndpointName="fraud", Body=b"-1,2", ContentType="text/csv", Accept="text/csv", TargetVariant="green"
        )

    error = caught.value.response
    assert error["Error"]["Code"] == "ModelError"
    assert error["OriginalStatusCode"] == 500
    assert error["OriginalMessage"] == "RuntimeError: negative amount"


@pytest.mark.parametrize(
    ("target", "says"),
    [({"EndpointName": "nowhere"}, "not in service"), ({"TargetVariant": "red"}, "found: blue, green")],
)
def test_an_endpoint_or_variant_that_is_not_there_is_a_validation_error(
    served: Account, target: dict[str, str], says: str
) -> None:
    with pytest.raises(ClientError, match=rf"ValidationError.*{says}"):
        served.runtime.invoke_endpoint(**{"EndpointName": "fraud", "Body": b"1", "ContentType": "text/csv", **target})


def test_invocations_are_metered(served: Account, clock: Clock) -> None:
    for body in (b"1,2", b"-1,2"):
        try:
            served.runtime.invoke_endpoint(
                EndpointName="fraud", Body=body, ContentType="text/csv", Accept="text/csv", TargetVariant="green"
            )
        except ClientError:
            assert body == b"-1,2"
    minute = clock.now()
    clock.run_for(70)
    metric = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": "EndpointName", "Value": "fraud"}, {"Name": "VariantName", "Value": "green"}],
    }
    query = {"Id": "rate", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}}

    found = served.cloudwatch.get_metric_data(
        MetricDataQueries=[query], StartTime=minute, EndTime=minute + timedelta(minutes=1)
    )

    assert found["MetricDataResults"][0]["Values"] == [0.5]


def test_timestamps_come_back_in_utc(account: Account) -> None:
    put_latencies(account, 1.0)

    stamp = answered(account, asked())["MetricDataResults"][0]["Timestamps"][0]

    assert stamp.tzinfo is UTC


def test_an_artifact_is_read_from_motos_own_store(account: Account) -> None:
    account.s3.put_object(Bucket="models", Key="a/b.tar.gz", Body=b"packed")
    fetch = hooks_meters.moto_artifacts("123456789012")

    assert fetch("s3://models/a/b.tar.gz", "role") == b"packed"
    with pytest.raises(FileNotFoundError, match="s3://models/none"):
        fetch("s3://models/none", "role")
