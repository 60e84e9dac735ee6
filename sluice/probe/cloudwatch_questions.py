"""Questions that need no endpoint: metric arithmetic with gaps, when alarms look, how long an event takes to the queue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

from sluice.probe.stage import Stage
from sluice.probe.things import NAMESPACE, TARGET
from sluice.schema.facts_document import AlarmClock, EventPath, MetricMath, Missing

_EVERY, _VISIBLE_LIMIT, _ALARM_LIMIT, _QUEUE_LIMIT = 5, 300, 600, 120
_CHANGES = ("ALARM", "OK", "ALARM", "OK")
"""Ends in OK: an alarm that is in ALARM would turn a guarded update back."""
_RULE_SECONDS = 30
"""A new rule may take this long to see its first event."""
_GUARD = "IF(a >= 1 AND e >= 1 AND a/e > 0.05, 1, 0)"
"""The shape of Sluice's own slot alarms: a canary with requests, a stable without."""


def metric_math(stage: Stage) -> MetricMath:
    """Series a has two points, b lacks the second, z is 0, e was never written."""
    newest = int(stage.account.now() // 60 * 60) - 60
    older = newest - 60
    for name, at, value in (("a", older, 5), ("a", newest, 5), ("b", older, 2), ("z", older, 0), ("z", newest, 0)):
        _put(stage, name, at, value)
    stage.account.until(
        lambda: True if len(_evaluate(stage, "a + z", older)) == 2 else None, _EVERY, _VISIBLE_LIMIT, "two points"
    )
    guard = _evaluate(stage, _GUARD, older)
    return MetricMath(
        missing_side=_missing(_evaluate(stage, "a + b", older).get(newest), 5),
        compared_with_missing=_missing(_evaluate(stage, "a > b", older).get(newest), 1),
        empty_side=_missing(_evaluate(stage, "a + e", older).get(newest), 5),
        compared_with_empty=_missing(_evaluate(stage, "a > e", older).get(newest), 1),
        guard_on_empty=_guarded(guard),
        divided_by_zero="kept" if _evaluate(stage, "a / z", older) else "dropped",
        filled_empty=_missing(_evaluate(stage, "FILL(e, 0)", older).get(newest), 0),
    )


def _missing(value: float | None, as_zero: float) -> Missing:
    """`as_zero` is what the expression gives if the missing side counts as 0."""
    return "dropped" if value is None else "as_zero" if value == as_zero else "otherwise"


def _guarded(points: dict[int, float]) -> Literal["stays_down", "goes_off", "no_points"]:
    if not points:
        return "no_points"
    return "goes_off" if any(points.values()) else "stays_down"


def _put(stage: Stage, name: str, at: float, value: float) -> None:
    datum = {
        "MetricName": name,
        "Dimensions": [{"Name": "Run", "Value": stage.names.run}],
        "Timestamp": datetime.fromtimestamp(at, UTC),
        "Value": value,
    }
    stage.account.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


def _evaluate(stage: Stage, expression: str, start: int) -> dict[int, float]:
    """The points of an expression over two minutes."""
    dimensions = [{"Name": "Run", "Value": stage.names.run}]
    queries: list[dict[str, Any]] = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": dimensions},
                "Period": 60,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for name in ("a", "b", "z", "e")
    ]
    answer = stage.account.client("cloudwatch").get_metric_data(
        MetricDataQueries=[*queries, {"Id": "result", "Expression": expression}],
        StartTime=datetime.fromtimestamp(start, UTC),
        EndTime=datetime.fromtimestamp(start + 120, UTC),
    )
    (result,) = answer["MetricDataResults"]
    return {int(at.timestamp()): value for at, value in zip(result["Timestamps"], result["Values"], strict=True)}


def make_alarm(stage: Stage, which: str) -> None:
    """On a metric of the probe's own; every datapoint above 0 is a breach."""
    stage.ledger.note(f"alarm {which}")
    stage.account.client("cloudwatch").put_metric_alarm(
        AlarmName=stage.names.alarm(which),
        Namespace=NAMESPACE,
        MetricName=which,
        Dimensions=[{"Name": "Run", "Value": stage.names.run}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
        Tags=[{"Key": key, "Value": value} for key, value in stage.names.tags().items()],
    )


def alarm_clock(stage: Stage) -> AlarmClock:
    """A breach is written at the start of a minute; when does the alarm say so?"""
    make_alarm(stage, "clock")
    account = stage.account
    account.sleep(60 - account.now() % 60)
    minute = int(account.now() // 60 * 60)
    _put(stage, "clock", minute, 1)

    def look() -> datetime | None:
        (alarm,) = account.client("cloudwatch").describe_alarms(AlarmNames=[stage.names.alarm("clock")])["MetricAlarms"]
        changed: datetime = alarm["StateUpdatedTimestamp"]
        return changed if alarm["StateValue"] == "ALARM" else None

    at = account.until(look, _EVERY, _ALARM_LIMIT, "the alarm").timestamp()
    return AlarmClock(second_of_minute=at % 60, after_period_seconds=at - (minute + 60))


def event_path(stage: Stage) -> EventPath:
    """Changes of an alarm by hand. Both times are AWS's own: the event's and the queue's."""
    make_alarm(stage, "events")
    queue = _queue_behind_a_rule(stage)
    stage.account.sleep(_RULE_SECONDS)
    seconds = []
    for state in _CHANGES:
        stage.account.client("cloudwatch").set_alarm_state(
            AlarmName=stage.names.alarm("events"), StateValue=state, StateReason="sluice probe", StateReasonData="{}"
        )
        seconds.append(
            stage.account.until(lambda: _received(stage, queue), 1, _QUEUE_LIMIT, "the event of an alarm in the queue")
        )
    return EventPath(seconds=tuple(seconds))


def _queue_behind_a_rule(stage: Stage) -> str:
    """The queue's URL."""
    names, tags = stage.names, stage.names.tags()
    sqs, events = stage.account.client("sqs"), stage.account.client("events")
    queue_arn, rule_arn = names.arn("sqs", names.base), names.arn("events", f"rule/{names.base}")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
            }
        ],
    }
    stage.ledger.note("queue", "rule", TARGET)
    url: str = sqs.create_queue(QueueName=names.base, Attributes={"Policy": json.dumps(policy)}, tags=tags)["QueueUrl"]
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [names.alarm("events")]},
    }
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    events.put_rule(Name=names.base, EventPattern=json.dumps(pattern), Tags=pairs)
    events.put_targets(Rule=names.base, Targets=[{"Id": "queue", "Arn": queue_arn}])
    return url


def _received(stage: Stage, queue: str) -> float | None:
    """Seconds from the change of state to its message's arrival; None while there is no message."""
    sqs = stage.account.client("sqs")
    answer = sqs.receive_message(QueueUrl=queue, MessageSystemAttributeNames=["SentTimestamp"], MaxNumberOfMessages=1)
    for message in answer.get("Messages", []):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        changed = datetime.strptime(
            json.loads(message["Body"])["detail"]["state"]["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z"
        )
        return max(0.0, int(message["Attributes"]["SentTimestamp"]) / 1000 - changed.timestamp())
    return None
