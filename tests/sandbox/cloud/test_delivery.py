from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.cloud import Cloud
from tests.sandbox.deploying import ACCOUNT, START, allow, client, function, queue, url

ALARM = {
    "source": "aws.cloudwatch",
    "detail-type": "CloudWatch Alarm State Change",
    "resources": [f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:sluice/shop/prod/fraud/green/errors"],
    "detail": {"alarmName": "sluice/shop/prod/fraud/green/errors", "state": {"value": "ALARM"}},
}
PATTERN = {
    "source": ["aws.cloudwatch"],
    "detail-type": ["CloudWatch Alarm State Change"],
    "detail": {"alarmName": [{"prefix": "sluice/shop/prod/fraud/"}], "state": {"value": ["ALARM", "OK"]}},
}


def rule(name: str, *, pattern: dict[str, Any] | None = None, schedule: str | None = None, **more: Any) -> str:
    settings = {"EventPattern": json.dumps(pattern)} if pattern else {"ScheduleExpression": schedule}
    return str(client("events").put_rule(Name=name, **settings, **more)["RuleArn"])


def target(rule_name: str, arn: str, **more: Any) -> None:
    client("events").put_targets(Rule=rule_name, Targets=[{"Id": arn.rpartition(":")[2], "Arn": arn, **more}])


def admit(queue_name: str, rule_arn: str) -> None:
    """Let EventBridge send to a queue for one rule."""
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue_name}"
    statement = allow("Rule", "sqs:SendMessage", arn, ArnEquals={"aws:SourceArn": rule_arn})
    statement["Principal"] = {"Service": "events.amazonaws.com"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client("sqs").set_queue_attributes(QueueUrl=url(queue_name), Attributes={"Policy": policy})


def permit(function_name: str, rule_arn: str) -> None:
    client("lambda").add_permission(
        FunctionName=function_name,
        StatementId="Rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )


def received(name: str) -> list[dict[str, Any]]:
    answer = client("sqs").receive_message(QueueUrl=url(name), MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return answer.get("Messages", [])


def alarm_queue() -> str:
    arn = queue("alarms")
    admit("alarms", rule("alarms", pattern=PATTERN))
    target("alarms", arn)
    return arn


def test_a_matching_event_reaches_the_queue_after_a_second(cloud: Cloud) -> None:
    alarm_queue()
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(0.5)
    early = received("alarms")
    cloud.clock.run_for(0.5)

    (message,) = received("alarms")
    event = json.loads(message["Body"])
    assert early == []
    assert event["detail"] == ALARM["detail"]
    assert (event["version"], event["account"], event["region"]) == ("0", ACCOUNT, "us-east-1")
    assert event["time"] == "2026-03-02T09:00:00Z"
    assert len(event["id"]) == 36


@pytest.mark.parametrize(
    "detail",
    [
        {"alarmName": "sluice/shop/prod/fraud-eu/green/errors", "state": {"value": "ALARM"}},
        {"alarmName": "sluice/shop/prod/fraud/green/errors", "state": {"value": "INSUFFICIENT_DATA"}},
        {"state": {"value": "ALARM"}},
    ],
)
def test_an_event_that_does_not_match_goes_nowhere(cloud: Cloud, detail: dict[str, Any]) -> None:
    alarm_queue()
    cloud.delivery.publish({**ALARM, "detail": detail})
    cloud.clock.run_for(5)

    assert received("alarms") == []
    assert cloud.delivery.delivered == []


def test_a_pattern_may_exclude_values(cloud: Cloud) -> None:
    arn = queue("q")
    made = rule("others", pattern={"source": [{"anything-but": ["aws.cloudwatch", "aws.s3"]}]})
    admit("q", made)
    target("others", arn)
    for source in ("aws.cloudwatch", "aws.sagemaker"):
        cloud.delivery.publish({**ALARM, "source": source})
    cloud.clock.run_for(2)

    assert [json.loads(m["Body"])["source"] for m in received("q")] == ["aws.sagemaker"]


def test_a_disabled_rule_delivers_nothing(cloud: Cloud) -> None:
    alarm_queue()
    client("events").disable_rule(Name="alarms")
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(5)

    assert received("alarms") == []


def test_a_queue_whose_policy_does_not_name_the_rule_gets_nothing(cloud: Cloud) -> None:
    arn = queue("alarms")
    rule_arn = rule("alarms", pattern=PATTERN)
    admit("alarms", rule_arn + "-other")
    target("alarms", arn)
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(5)

    assert received("alarms") == []
    (delivered,) = cloud.delivery.delivered
    assert (delivered.rule, delivered.target, delivered.outcome) == (rule_arn, arn, "NO_PERMISSIONS")


def test_what_cannot_be_delivered_goes_to_the_targets_dead_letter_queue(cloud: Cloud) -> None:
    arn, dead = queue("alarms"), queue("dead")
    rule_arn = rule("alarms", pattern=PATTERN)
    admit("dead", rule_arn)
    target("alarms", arn, DeadLetterConfig={"Arn": dead})
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(5)

    (message,) = received("dead")
    attributes = {name: a["StringValue"] for name, a in message["MessageAttributes"].items()}
    assert json.loads(message["Body"])["detail"] == ALARM["detail"]
    assert attributes == {"RULE_ARN": rule_arn, "TARGET_ARN": arn, "ERROR_CODE": "NO_PERMISSIONS"}


def test_a_dead_letter_queue_needs_a_policy_too(cloud: Cloud) -> None:
    arn, dead = queue("alarms"), queue("dead")
    rule("alarms", pattern=PATTERN)
    target("alarms", arn, DeadLetterConfig={"Arn": dead})
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(5)

    assert received("dead") == []
    assert [d.outcome for d in cloud.delivery.delivered] == ["NO_PERMISSIONS", "NO_PERMISSIONS"]


def test_a_target_that_is_gone_is_recorded(cloud: Cloud) -> None:
    alarm_queue()
    client("sqs").delete_queue(QueueUrl=url("alarms"))
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(5)

    assert [d.outcome for d in cloud.delivery.delivered] == ["NO_RESOURCE"]


def test_a_function_with_a_permission_for_the_rule_is_invoked(cloud: Cloud) -> None:
    arn = function("alarm", "def handler(event, context): print(event['detail']['alarmName'])")
    permit("alarm", rule("alarms", pattern=PATTERN))
    target("alarms", arn)
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(1)

    assert cloud.functions.text("alarm") == "sluice/shop/prod/fraud/green/errors"


def test_a_function_without_a_permission_for_the_rule_is_not_invoked(cloud: Cloud) -> None:
    arn = function("alarm", "def handler(event, context): print('ran')")
    rule("alarms", pattern=PATTERN)
    target("alarms", arn)
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(5)

    assert cloud.functions.text("alarm") == ""
    assert [d.outcome for d in cloud.delivery.delivered] == ["NO_PERMISSIONS"]


def test_a_failing_function_gets_lambdas_retries_and_the_rules_dead_letter_queue_never_hears(cloud: Cloud) -> None:
    arn, dead = function("alarm", "def handler(event, context): raise RuntimeError('busy')"), queue("dead")
    rule_arn = rule("alarms", pattern=PATTERN)
    permit("alarm", rule_arn)
    admit("dead", rule_arn)
    target("alarms", arn, DeadLetterConfig={"Arn": dead})
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(3600)

    assert [d.outcome for d in cloud.delivery.delivered] == ["ok"]
    assert received("dead") == []
    assert cloud.handoff.lost[0].error == "RuntimeError"


def test_put_events_of_a_function_go_through_the_rules(cloud: Cloud) -> None:
    arn = queue("outcomes")
    admit("outcomes", rule("outcomes", pattern={"source": ["sluice"]}))
    target("outcomes", arn)
    function(
        "tick",
        """
        import boto3
        def handler(event, context):
            entry = {"Source": "sluice", "DetailType": "Rollout ended", "Detail": '{"outcome": "rolled_back"}'}
            return boto3.client("events").put_events(Entries=[entry])["FailedEntryCount"]
        """,
        allow("Tell", "events:PutEvents", f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"),
    )
    client("lambda").invoke(FunctionName="tick")
    cloud.clock.run_for(1)

    (message,) = received("outcomes")
    event = json.loads(message["Body"])
    assert event["detail"] == {"outcome": "rolled_back"}
    assert event["time"] == "2026-03-02T09:00:00Z"
    assert "ingestion-time" not in event


def sweeping(schedule: str, cloud: Cloud) -> list[float]:
    arn = function("sweep", "def handler(event, context): print(event['detail-type'])")
    permit("sweep", rule("sweep", schedule=schedule))
    target("sweep", arn)
    cloud.clock.run_for(600)
    return [(line.at - START).total_seconds() for line in cloud.functions.logs.get("sweep", [])]


def test_a_schedule_fires_each_minute(cloud: Cloud) -> None:
    times = sweeping("rate(1 minute)", cloud)

    assert times == [121 + 60 * n for n in range(8)], "first seen at 60 s, due a minute later, a second on the way"
    assert cloud.functions.logs["sweep"][0].text == "Scheduled Event"


def test_a_schedule_keeps_its_interval(cloud: Cloud) -> None:
    assert sweeping("rate(3 minutes)", cloud) == [241, 421]


def test_a_cron_schedule_fires_at_its_times_in_utc(cloud: Cloud) -> None:
    assert sweeping("cron(3/2 9 ? * MON *)", cloud) == [181, 301, 421, 541]


def test_a_cron_schedule_whose_times_are_over_does_not_fire(cloud: Cloud) -> None:
    assert sweeping("cron(* * ? * * 2025)", cloud) == []


def test_a_schedule_that_is_disabled_and_enabled_starts_over(cloud: Cloud) -> None:
    arn = function("sweep", "def handler(event, context): print('ran')")
    permit("sweep", rule("sweep", schedule="rate(2 minutes)"))
    target("sweep", arn)
    cloud.clock.run_for(90)
    client("events").disable_rule(Name="sweep")
    cloud.clock.run_for(90)
    client("events").enable_rule(Name="sweep")
    cloud.clock.run_for(240)

    assert [(line.at - START).total_seconds() for line in cloud.functions.logs["sweep"]] == [361]


def test_a_schedules_rule_does_not_get_other_events(cloud: Cloud) -> None:
    arn = queue("q")
    admit("q", rule("sweep", schedule="rate(1 day)"))
    target("sweep", arn)
    cloud.delivery.publish(ALARM)
    client("events").put_events(Entries=[{"Source": "x", "DetailType": "y", "Detail": "{}"}])
    cloud.clock.run_for(5)

    assert received("q") == []


def test_a_constant_input_replaces_the_event(cloud: Cloud) -> None:
    arn = queue("q")
    admit("q", rule("alarms", pattern=PATTERN))
    target("alarms", arn, Input='{"action": "sweep"}')
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(1)

    assert received("q")[0]["Body"] == '{"action": "sweep"}'


def test_lost_events_are_lost_as_often_as_asked(cloud: Cloud) -> None:
    alarm_queue()
    cloud.delivery.drop(2)
    for _ in range(3):
        cloud.delivery.publish(ALARM)
    cloud.clock.run_for(1)

    assert len(received("alarms")) == 1
    assert [d.outcome for d in cloud.delivery.delivered] == ["dropped", "dropped", "ok"]


def test_a_duplicated_event_arrives_twice_with_the_same_id(cloud: Cloud) -> None:
    alarm_queue()
    cloud.delivery.duplicate()
    cloud.delivery.publish(ALARM)
    cloud.clock.run_for(1)

    ids = [json.loads(m["Body"])["id"] for m in received("alarms")]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_a_delayed_event_arrives_late_and_out_of_order(cloud: Cloud) -> None:
    alarm_queue()
    cloud.delivery.delay(300, where=lambda e: e["detail"]["state"]["value"] == "ALARM")
    cloud.delivery.publish(ALARM)
    cloud.delivery.publish({**ALARM, "detail": {**ALARM["detail"], "state": {"value": "OK"}}})
    cloud.clock.run_for(400)

    assert [json.loads(m["Body"])["detail"]["state"]["value"] for m in received("alarms")] == ["OK", "ALARM"]
    assert [(d.at - START).total_seconds() for d in cloud.delivery.delivered] == [1, 301]


def test_a_foreign_message_can_be_put_into_a_queue(cloud: Cloud) -> None:
    cloud.delivery.inject(alarm_queue(), "not even json")

    assert received("alarms")[0]["Body"] == "not even json"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"InputPath": "$.detail"}, "InputPath is not evaluated"),
        ({"InputTransformer": {"InputTemplate": "1"}}, "InputTransformer is not evaluated"),
    ],
)
def test_what_is_not_simulated_is_refused(cloud: Cloud, settings: dict[str, Any], sentence: str) -> None:
    arn = queue("q")
    rule("alarms", pattern=PATTERN)
    target("alarms", arn, **settings)
    cloud.delivery.publish(ALARM)

    with pytest.raises(NotImplementedError, match=sentence):
        cloud.clock.run_for(1)


@pytest.mark.parametrize("schedule", ["cron(0 3 * * * *)", "cron(whenever)", "rate(1 minutes)"])
def test_a_schedule_that_eventbridge_does_not_know_is_refused(cloud: Cloud, schedule: str) -> None:
    with pytest.raises(ClientError, match="Parameter ScheduleExpression is not valid"):
        rule("nightly", schedule=schedule)
