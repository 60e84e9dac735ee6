"""Alarms over moto's, in virtual time: when they are looked at, what a change sets off, and the event it publishes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from sluice.sandbox.cloud.clock import Clock
from sluice.sandbox.meters import Meters
from sluice.sandbox.watch.series import MetricStore, metric_key
from tests.sandbox.releases import client

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DIMENSIONS = [{"Name": "EndpointName", "Value": "fraud"}, {"Name": "VariantName", "Value": "green"}]
BLUE = [{"Name": "EndpointName", "Value": "fraud"}, {"Name": "VariantName", "Value": "blue"}]


@dataclass
class World:
    clock: Clock
    store: MetricStore
    meters: Meters
    events: list[dict[str, Any]] = field(default_factory=list)
    cloudwatch: Any = field(default_factory=lambda: client("cloudwatch"))

    def put(self, name: str, slot: str, *values: float, minute: datetime | None = None) -> None:
        """Samples in the minute that has just begun, or the one given."""
        key = metric_key("AWS/SageMaker", name, {"EndpointName": "fraud", "VariantName": slot})
        self.store.put(key, minute or self.clock.now(), [(value, 1.0) for value in values])

    def alarm(self, name: str = "errors", **settings: Any) -> None:
        """Errors of green over 5, 2 of 3 minutes, silence is good."""
        plain = {
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocation5XXErrors",
            "Dimensions": DIMENSIONS,
            "Statistic": "Sum",
            "Period": 60,
        }
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            **{
                "EvaluationPeriods": 3,
                "DatapointsToAlarm": 2,
                "Threshold": 5.0,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
                **({} if "Metrics" in settings else plain),
                **settings,
            },
        )

    def described(self, name: str = "errors") -> dict[str, Any]:
        return dict(self.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0])

    def state(self, name: str = "errors") -> str:
        return str(self.described(name)["StateValue"])

    def moves(self, name: str = "errors") -> list[tuple[str, str]]:
        return [
            (event["detail"]["previousState"]["value"], event["detail"]["state"]["value"])
            for event in self.events
            if event["detail"]["alarmName"] == name
        ]


@pytest.fixture
def world() -> Iterator[World]:
    with Clock(NOON) as clock, mock_aws():
        events: list[dict[str, Any]] = []
        meters = Meters(clock, events.append)
        yield World(clock, meters.store, meters, events)
        meters.close()


def test_a_new_alarm_has_not_been_looked_at(world: World) -> None:
    world.alarm()

    assert world.state() == "INSUFFICIENT_DATA"
    assert world.described()["StateReason"] == "Unchecked: Initial alarm creation"
    assert world.events == []


def test_alarms_are_looked_at_some_seconds_after_each_full_minute(world: World) -> None:
    world.alarm()
    world.clock.run_for(19)

    assert world.state() == "INSUFFICIENT_DATA"

    world.clock.run_for(1)

    assert world.state() == "OK"
    assert world.moves() == [("INSUFFICIENT_DATA", "OK")]


def test_an_alarm_goes_off_when_enough_minutes_breach_and_comes_back(world: World) -> None:
    world.alarm()
    for minute in range(3):
        world.put("Invocation5XXErrors", "green", 10.0, minute=NOON + timedelta(minutes=minute))
    world.clock.run_for(139)

    assert world.state() == "OK", "only the first minute has ended and was looked at"

    world.clock.run_for(1)

    assert world.state() == "ALARM"

    for minute in (3, 4):
        world.put("Invocation5XXErrors", "green", 0.0, minute=NOON + timedelta(minutes=minute))
    world.clock.run_for(180)

    assert world.moves() == [("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM"), ("ALARM", "OK")]


def test_a_minute_that_has_not_ended_is_not_looked_at(world: World) -> None:
    world.alarm(EvaluationPeriods=1, DatapointsToAlarm=1)
    world.clock.run_for(60)
    world.put("Invocation5XXErrors", "green", 10.0)
    world.clock.run_for(30)

    assert world.state() == "OK"


def test_the_event_of_a_single_metric_alarm_is_cloudwatchs_own(world: World) -> None:
    world.alarm(AlarmDescription="errors of the canary")
    for minute in range(2):
        world.put("Invocation5XXErrors", "green", 10.0, minute=NOON + timedelta(minutes=minute))
    world.clock.run_for(140)

    event = world.events[-1]
    detail = event["detail"]
    assert event["source"] == "aws.cloudwatch"
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["account"] == "123456789012"
    assert event["time"] == "2026-11-20T12:02:20Z"
    assert event["resources"] == ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"]
    assert detail["state"]["timestamp"] == "2026-11-20T12:02:20.000+0000"
    assert detail["state"]["reason"].startswith(
        "Threshold Crossed: 2 out of the last 3 datapoints "
        "[10.0 (20/11/26 12:01:00), 10.0 (20/11/26 12:00:00)] were greater than the threshold (5.0)"
    )
    data = json.loads(detail["state"]["reasonData"])
    assert (data["recentDatapoints"], data["threshold"], data["period"], data["statistic"]) == ([10, 10], 5, 60, "Sum")
    assert data["startDate"] == "2026-11-20T12:00:00.000+0000"
    assert detail["previousState"]["value"] == "OK"
    assert detail["configuration"]["description"] == "errors of the canary"
    metric = detail["configuration"]["metrics"][0]
    assert metric["metricStat"]["metric"] == {
        "namespace": "AWS/SageMaker",
        "name": "Invocation5XXErrors",
        "dimensions": {"EndpointName": "fraud", "VariantName": "green"},
    }
    assert json.loads(json.dumps(event)) == event


def backup_alarm(world: World, **settings: Any) -> None:
    def metric(query_id: str, name: str, stat: str, dimensions: list[dict[str, str]]) -> dict[str, Any]:
        described = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions}
        return {
            "Id": query_id,
            "MetricStat": {"Metric": described, "Period": 60, "Stat": stat},
            "ReturnData": False,
        }

    world.alarm(
        "backup",
        Metrics=[
            metric("nc", "Invocations", "Sum", DIMENSIONS),
            metric("ns", "Invocations", "Sum", BLUE),
            metric("ec", "Invocation5XXErrors", "Sum", DIMENSIONS),
            metric("es", "Invocation5XXErrors", "Sum", BLUE),
            {
                "Id": "harm",
                "Label": "harm",
                "Expression": "IF(nc >= 50 AND ns >= 50 AND ec/nc > 0.05 AND ec/nc > 2*es/ns, 1, 0)",
            },
        ],
        Threshold=0.5,
        **settings,
    )


def minute_of(world: World, minute: int, *, canary_errors: int, stable_errors: int) -> None:
    at = NOON + timedelta(minutes=minute)
    for slot, errors, requests in (("green", canary_errors, 100), ("blue", stable_errors, 900)):
        world.put("Invocations", slot, *[1.0] * requests, minute=at)
        world.put("Invocation5XXErrors", slot, *[1.0] * errors, *[0.0] * (requests - errors), minute=at)


def test_a_math_alarm_blames_the_canary_when_it_is_worse_than_stable(world: World) -> None:
    backup_alarm(world)
    for minute in range(3):
        minute_of(world, minute, canary_errors=30, stable_errors=2)
    world.clock.run_for(200)

    assert world.state("backup") == "ALARM"
    shown = world.events[-1]["detail"]["configuration"]["metrics"]
    assert [entry["id"] for entry in shown] == ["nc", "ns", "ec", "es", "harm"]
    assert shown[-1]["expression"].startswith("IF(nc >= 50")
    assert [entry["returnData"] for entry in shown] == [False, False, False, False, True]
    assert "statistic" not in json.loads(world.events[-1]["detail"]["state"]["reasonData"])


def test_a_math_alarm_holds_in_a_shared_incident(world: World) -> None:
    backup_alarm(world)
    for minute in range(3):
        minute_of(world, minute, canary_errors=30, stable_errors=270)
    world.clock.run_for(200)

    assert world.state("backup") == "OK"


def test_silence_is_good_where_the_alarm_says_so(world: World) -> None:
    backup_alarm(world)
    world.clock.run_for(3600)

    assert world.moves("backup") == [("INSUFFICIENT_DATA", "OK")]


def test_silence_is_insufficient_data_by_default(world: World) -> None:
    world.alarm(TreatMissingData="missing")
    world.put("Invocation5XXErrors", "green", 0.0)
    world.clock.run_for(80)

    assert world.state() == "OK"

    world.clock.run_for(600)

    assert world.state() == "INSUFFICIENT_DATA"


def test_a_percentile_alarm_watches_the_tail(world: World) -> None:
    settings = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "ModelLatency",
        "Dimensions": DIMENSIONS,
        "ExtendedStatistic": "p99",
        "Period": 60,
        "Threshold": 50_000.0,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    world.cloudwatch.put_metric_alarm(AlarmName="tail", TreatMissingData="notBreaching", **settings)
    world.cloudwatch.put_metric_alarm(
        AlarmName="careful", TreatMissingData="notBreaching", EvaluateLowSampleCountPercentile="ignore", **settings
    )
    world.put("ModelLatency", "green", *[20_000.0] * 98, 90_000.0, 90_000.0)
    world.clock.run_for(80)

    assert world.state("tail") == "ALARM"
    assert world.state("careful") == "INSUFFICIENT_DATA", "100 samples are too few for a p99"
    assert world.described("tail")["ExtendedStatistic"] == "p99"


def test_a_five_minute_alarm_slides_by_the_minute(world: World) -> None:
    world.alarm(Period=300, EvaluationPeriods=1, DatapointsToAlarm=1)
    world.clock.run_for(120)
    world.put("Invocation5XXErrors", "green", 10.0)
    world.clock.run_for(80)

    assert world.state() == "ALARM"


def test_a_short_alarm_is_looked_at_every_ten_seconds(world: World) -> None:
    world.alarm(Period=10, EvaluationPeriods=1, DatapointsToAlarm=1)
    world.clock.run_for(25)
    key = metric_key("AWS/SageMaker", "Invocation5XXErrors", {"EndpointName": "fraud", "VariantName": "green"})
    world.store.put(key, world.clock.now(), [(10.0, 1.0)], high_resolution=True)
    world.clock.run_for(5)

    assert world.state() == "ALARM"


def test_a_state_set_by_hand_publishes_and_lasts_until_the_next_look(world: World) -> None:
    world.alarm()
    world.clock.run_for(30)
    world.cloudwatch.set_alarm_state(
        AlarmName="errors", StateValue="ALARM", StateReason="rehearsal", StateReasonData='{"rehearsal": true}'
    )

    assert world.moves() == [("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM")]
    assert world.events[-1]["detail"]["state"]["reason"] == "rehearsal"
    assert world.events[-1]["detail"]["state"]["reasonData"] == '{"rehearsal": true}'
    assert world.events[-1]["time"] == "2026-11-20T12:00:30Z"

    world.clock.run_for(50)

    assert world.moves()[-1] == ("ALARM", "OK")


def test_setting_the_state_an_alarm_is_in_publishes_nothing(world: World) -> None:
    world.alarm()
    world.clock.run_for(30)
    world.cloudwatch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="again")

    assert len(world.events) == 1
    assert world.described()["StateReason"] == "again"


def test_a_changed_alarm_keeps_its_state_and_is_judged_by_its_new_settings(world: World) -> None:
    world.alarm()
    for minute in range(2):
        world.put("Invocation5XXErrors", "green", 10.0, minute=NOON + timedelta(minutes=minute))
    world.clock.run_for(140)
    world.alarm(Threshold=50.0)

    assert world.state() == "ALARM"

    world.clock.run_for(60)

    assert world.state() == "OK"


def test_a_deleted_alarm_is_not_looked_at(world: World) -> None:
    world.alarm()
    world.cloudwatch.delete_alarms(AlarmNames=["errors"])
    world.clock.run_for(120)

    assert world.events == []


def test_an_alarm_deleted_by_what_its_neighbours_event_set_off_stays_deleted(world: World) -> None:
    world.alarm("first")
    world.alarm("second")
    world.meters.alarms._publish = lambda event: world.cloudwatch.delete_alarms(AlarmNames=["second"])
    world.clock.run_for(60)

    assert world.cloudwatch.describe_alarms(AlarmNames=["second"])["MetricAlarms"] == []


def test_an_impaired_alarm_is_shown_so_and_keeps_its_state(world: World) -> None:
    world.alarm(EvaluationPeriods=1, DatapointsToAlarm=1)
    world.clock.run_for(30)
    world.meters.alarms.impair("errors", "EVALUATION_FAILURE")
    world.put("Invocation5XXErrors", "green", 10.0, minute=NOON + timedelta(minutes=1))
    world.clock.run_for(120)

    assert (world.state(), world.described()["EvaluationState"]) == ("OK", "EVALUATION_FAILURE")

    world.meters.alarms.impair("errors", None)
    world.clock.run_for(60)

    assert world.state() == "ALARM"
    assert "EvaluationState" not in world.described()


def test_the_time_of_the_last_change_is_shown(world: World) -> None:
    world.alarm()
    world.clock.run_for(600)
    world.cloudwatch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="again")

    assert world.described()["StateTransitionedTimestamp"] == NOON + timedelta(seconds=20)
    assert world.described()["StateUpdatedTimestamp"] == NOON + timedelta(seconds=600)


def test_silenced_actions_do_not_silence_the_event(world: World) -> None:
    world.alarm(ActionsEnabled=False)
    world.clock.run_for(30)

    assert world.moves() == [("INSUFFICIENT_DATA", "OK")]


def test_a_composite_follows_its_children(world: World) -> None:
    world.alarm("errors")
    world.alarm("traffic")
    world.cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule='ALARM("errors") AND NOT ALARM("traffic")')
    world.cloudwatch.put_composite_alarm(AlarmName="above", AlarmRule="ALARM(both)")
    world.clock.run_for(30)
    world.cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")

    assert world.moves("both") == [("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM")]
    assert world.moves("above")[-1] == ("OK", "ALARM")
    event = next(each for each in reversed(world.events) if each["detail"]["alarmName"] == "both")
    assert event["detail"]["configuration"]["alarmRule"] == 'ALARM("errors") AND NOT ALARM("traffic")'


def test_alarms_look_at_the_minute_that_is_late_only_when_it_has_come(world: World) -> None:
    """Metrics 90 s late: the newest minute is always missing, and the alarm goes by the ones before."""
    world.alarm(EvaluationPeriods=1, DatapointsToAlarm=1)
    world.clock.run_for(90)
    world.put("Invocation5XXErrors", "green", 10.0, minute=NOON)
    world.clock.run_for(60)

    assert world.moves()[-1] == ("OK", "ALARM")
