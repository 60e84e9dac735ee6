"""boto3 sees the sandbox's alarms, and not moto's."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.releases import Account


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
    metric = {"Namespace": "Shop", "MetricName": "Latency"}
    sums = {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False}
    metrics = [sums, {"Id": "e1", "Expression": expression}]

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
