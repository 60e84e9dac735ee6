"""One contract test per light answer: the caller gets what it would get the long way, the gate sees the call, a change is seen at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError

from sluice.sandbox.cloud.faults import OPERATOR, Fault, Raise
from sluice.sandbox.cloud.gate import Principal
from sluice.sandbox.sandbox import START, Sandbox
from tests.sandbox.deploying import allow, client, machine, role
from tests.sandbox.releases import Account

NAMES = ["late", "slow", "gone"]
Call = Callable[[], dict[str, Any]]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


def put_alarm(name: str, **more: Any) -> None:
    client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Shop",
        MetricName="Latency",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10.0,
        ComparisonOperator="GreaterThanThreshold",
        **more,
    )


def put_latencies(*values: float, minute: int = 0) -> None:
    datum = {"MetricName": "Latency", "Timestamp": START + timedelta(minutes=minute), "Values": list(values)}
    client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[datum])


def asked(name: str, stat: str, **more: Any) -> dict[str, Any]:
    metric = {"Namespace": "Shop", "MetricName": "Latency"}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, **more}


def alarms(**more: Any) -> dict[str, Any]:
    kinds = ["MetricAlarm", "CompositeAlarm"]
    return dict(client("cloudwatch").describe_alarms(AlarmNames=NAMES, AlarmTypes=kinds, MaxRecords=100, **more))


def data(**more: Any) -> dict[str, Any]:
    queries = [
        asked("c", "SampleCount"),
        asked("p", "p90"),
        asked("none", "TC(99:)", Label="over"),
        asked("q", "Sum", ReturnData=False),
    ]
    times = {"StartTime": START, "EndTime": START + timedelta(minutes=5, microseconds=7)}
    return dict(client("cloudwatch").get_metric_data(**{"MetricDataQueries": queries, **times, **more}))


def without_light(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    lights = dict(sandbox.cloud.lights)
    sandbox.cloud.lights.clear()
    try:
        return call()
    finally:
        sandbox.cloud.lights.update(lights)


def said(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def is_light(answer: dict[str, Any]) -> bool:
    return answer["ResponseMetadata"]["HTTPHeaders"] == {}


def agree(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """The light answer, after it was found to be the long one."""
    long = without_light(sandbox, call)
    call()  # which the light learns from, if it has to
    light = call()
    assert is_light(light)
    assert not is_light(long)
    assert said(light) == said(long)
    return light


def test_metric_data(sandbox: Sandbox) -> None:
    put_latencies(1.0, 2.0, 30.0)
    put_latencies(5.0, minute=3)

    found = agree(sandbox, data)

    assert [result["Id"] for result in found["MetricDataResults"]] == ["c", "p", "none"]
    assert found["MetricDataResults"][0]["Timestamps"] == [START + timedelta(minutes=3), START]
    assert found["MetricDataResults"][0]["Timestamps"][0].tzinfo is not None
    agree(sandbox, lambda: data(ScanBy="TimestampAscending", MaxDatapoints=2))


def test_a_sample_that_arrives_is_seen_by_the_next_question(sandbox: Sandbox) -> None:
    put_latencies(1.0)
    agree(sandbox, data)
    put_latencies(2.0)

    assert data()["MetricDataResults"][0]["Values"] == [2.0]


def test_questions_that_are_refused_are_refused_as_before(sandbox: Sandbox) -> None:
    agree(sandbox, data)

    with pytest.raises(ClientError, match="must be before EndTime"):
        data(EndTime=START)
    with pytest.raises(ParamValidationError, match="StartTime"):
        data(StartTime=[])
    with pytest.raises(ParamValidationError, match="MetricDataQueries"):
        data(MetricDataQueries=[{"Id": 1}])


def test_times_that_are_written_otherwise_go_the_long_way(sandbox: Sandbox) -> None:
    put_latencies(1.0)
    agree(sandbox, data)

    assert said(data(StartTime=START.timestamp())) == said(data())
    assert not is_light(data(StartTime=START.isoformat()))


def test_alarms(sandbox: Sandbox) -> None:
    put_alarm("late", AlarmDescription="pages", Tags=[{"Key": "team", "Value": "shop"}])
    put_alarm("slow", TreatMissingData="notBreaching")
    client("cloudwatch").put_composite_alarm(AlarmName="gone", AlarmRule='ALARM("late")')

    found = agree(sandbox, alarms)

    assert [alarm["AlarmName"] for alarm in found["MetricAlarms"]] == ["late", "slow"]


def change_state() -> None:
    client("cloudwatch").set_alarm_state(AlarmName="late", StateValue="ALARM", StateReason="now")


def switch_off() -> None:
    client("cloudwatch").disable_alarm_actions(AlarmNames=["late"])


def delete() -> None:
    client("cloudwatch").delete_alarms(AlarmNames=["late"])


@pytest.mark.parametrize(
    "change",
    [change_state, switch_off, delete, lambda: put_alarm("late", AlarmDescription="x"), lambda: put_alarm("gone")],
)
def test_an_alarm_that_changed_is_told_as_it_is(sandbox: Sandbox, change: Callable[[], None]) -> None:
    put_alarm("late")
    before = agree(sandbox, alarms)
    change()

    now = agree(sandbox, alarms)

    assert now["MetricAlarms"] != before["MetricAlarms"]


def test_an_evaluation_and_an_impairment_are_seen(sandbox: Sandbox) -> None:
    put_alarm("late")
    agree(sandbox, alarms)
    put_latencies(99.0)
    sandbox.cloud.clock.run_for(90)
    assert agree(sandbox, alarms)["MetricAlarms"][0]["StateValue"] == "ALARM"
    sandbox.meters.alarms.impair("late", "EVALUATION_ERROR")

    assert agree(sandbox, alarms)["MetricAlarms"][0]["EvaluationState"] == "EVALUATION_ERROR"


def test_an_execution(sandbox: Sandbox) -> None:
    arn = machine(
        "wait", role("clock", service="states.amazonaws.com"), {"W": {"Type": "Wait", "Seconds": 60, "End": True}}
    )
    started = client("stepfunctions").start_execution(stateMachineArn=arn, name="one", input=json.dumps({"a": 1}))

    def call() -> dict[str, Any]:
        return dict(client("stepfunctions").describe_execution(executionArn=started["executionArn"]))

    assert agree(sandbox, call)["status"] == "RUNNING"
    sandbox.cloud.clock.run_for(61)

    assert agree(sandbox, call)["status"] == "SUCCEEDED"


def test_an_endpoint(sandbox: Sandbox) -> None:
    account = Account()
    role("serving", allow("Read", "s3:GetObject", "arn:aws:s3:::models/*"), service="sagemaker.amazonaws.com")
    account.model("one")
    account.config("first", {"blue": ("one", 1.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="first")
    assert agree(sandbox, account.described)["EndpointStatus"] == "Creating"
    sandbox.cloud.clock.run_for(3600)
    assert agree(sandbox, account.described)["EndpointStatus"] == "InService"
    account.shift(blue=3.0)
    agree(sandbox, account.described)
    sandbox.cloud.clock.run_for(600)

    assert agree(sandbox, account.described)["ProductionVariants"][0]["CurrentWeight"] == 3.0


def test_a_caller_that_changes_its_answer_changes_no_others(sandbox: Sandbox) -> None:
    put_alarm("late")
    agree(sandbox, alarms)["MetricAlarms"].clear()

    assert alarms()["MetricAlarms"]


def test_the_gate_sees_checks_and_disturbs_every_light_answer(sandbox: Sandbox) -> None:
    put_alarm("late")
    agree(sandbox, alarms)
    before = len(sandbox.cloud.gate.made("DescribeAlarms"))
    alarms()
    assert len(sandbox.cloud.gate.made("DescribeAlarms")) == before + 1
    who = Principal(role("nobody"), "function")
    with (
        sandbox.cloud.gate.acting_as(who),
        pytest.raises(ClientError, match="not authorized to perform: cloudwatch:DescribeAlarms"),
    ):
        alarms()
    sandbox.cloud.gate.inject(Fault(Raise("InternalServerError"), "cloudwatch", "DescribeAlarms", OPERATOR))

    with pytest.raises(ClientError, match="InternalServerError"):
        alarms()


def test_another_region_is_not_answered_from_here(sandbox: Sandbox) -> None:
    put_alarm("late")
    agree(sandbox, alarms)
    elsewhere = boto3.client("cloudwatch", region_name="eu-west-1")

    found = elsewhere.describe_alarms(AlarmNames=NAMES, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100)

    assert found["MetricAlarms"] == []


def test_times_are_told_in_utc(sandbox: Sandbox) -> None:
    put_alarm("late")

    assert agree(sandbox, alarms)["MetricAlarms"][0]["StateUpdatedTimestamp"] == datetime(2026, 1, 5, 9, tzinfo=UTC)
