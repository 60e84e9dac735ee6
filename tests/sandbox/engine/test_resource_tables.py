"""Every resource type against moto: made, found again by boto3, left alone, changed, replaced, gone."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import _types

from sluice.sandbox.engine.program import RunResult
from sluice.sandbox.engine.resources import KINDS
from tests.sandbox.stacks import Stack, client, code, configuration, function, model, policy, role

QUIET = {"comparison_operator": "GreaterThanThreshold", "evaluation_periods": 2, "threshold": 1.5}
PLAIN = {**QUIET, "metric_name": "Errors", "namespace": "N", "period": 60, "statistic": "Sum"}
EVERY_MINUTE = "rate(1 minute)"


@dataclass(frozen=True)
class Case:
    """`look` reads the thing named or identified by `x` back from AWS; `finds` is what it sees at first and after."""

    token: str
    first: Callable[[], Any]
    look: Callable[[str], Any]
    finds: tuple[Any, Any]
    changed: Callable[[], Any] | None = None
    replaced: Callable[[], Any] | None = None


def queue(name: str = "queue") -> aws.sqs.Queue:
    return aws.sqs.Queue(name)


def rule() -> aws.cloudwatch.EventRule:
    return aws.cloudwatch.EventRule("rule", schedule_expression=EVERY_MINUTE)


def bucket() -> aws.s3.Bucket:
    return aws.s3.Bucket("bucket")


def scaling(**more: Any) -> aws.appautoscaling.Target:
    settings: dict[str, Any] = {"resource_id": "table/t", "service_namespace": "dynamodb", "min_capacity": 1, **more}
    settings.setdefault("scalable_dimension", "dynamodb:table:ReadCapacityUnits")
    return aws.appautoscaling.Target("x", **{"max_capacity": 2, **settings})


def scaling_policy(target_value: float) -> aws.appautoscaling.Policy:
    predefined = {"predefined_metric_type": "DynamoDBReadCapacityUtilization"}
    tracking = {"target_value": target_value, "predefined_metric_specification": predefined}
    owner = aws.appautoscaling.Target(
        "target", resource_id="table/t", service_namespace="dynamodb", min_capacity=1, max_capacity=2,
        scalable_dimension="dynamodb:table:ReadCapacityUnits",
    )  # fmt: skip
    return aws.appautoscaling.Policy(
        "x", resource_id=owner.resource_id, service_namespace="dynamodb", policy_type="TargetTrackingScaling",
        scalable_dimension="dynamodb:table:ReadCapacityUnits", target_tracking_scaling_policy_configuration=tracking,
    )  # fmt: skip


def table(**more: Any) -> aws.dynamodb.Table:
    settings: dict[str, Any] = {
        "attributes": [{"name": name, "type": "S"} for name in ("pk", "sk", "live")],
        "hash_key": "pk",
        "range_key": "sk",
        "billing_mode": "PAY_PER_REQUEST",
        "point_in_time_recovery": {"enabled": True},
        "ttl": {"enabled": True, "attribute_name": "expires"},
        "global_secondary_indexes": [{"name": "live", "hash_key": "live", "projection_type": "ALL"}],
        "server_side_encryption": {"enabled": True},
    }
    return aws.dynamodb.Table("x", **{**settings, **more})


def machine(start: str, **more: Any) -> aws.sfn.StateMachine:
    definition = json.dumps({"StartAt": start, "States": {start: {"Type": "Succeed"}}})
    return aws.sfn.StateMachine("x", role_arn=role().arn, definition=definition, **more)


def math_alarm() -> aws.cloudwatch.MetricAlarm:
    metric = {"metric_name": "Invocations", "namespace": "AWS/SageMaker", "period": 60, "stat": "Sum"}
    dimensions = {"VariantName": "green", "EndpointName": "shop"}
    queries = [
        {"id": "n", "metric": {**metric, "dimensions": dimensions}},
        {"id": "e", "expression": "IF(n > 1, 1, 0)", "return_data": True, "label": "harm"},
    ]
    return aws.cloudwatch.MetricAlarm("x", **QUIET, treat_missing_data="notBreaching", metric_queries=queries)


def seen_alarm(name: str) -> Any:
    (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return [query["Id"] for query in alarm.get("Metrics", [])] or alarm["MetricName"]


def seen_table(name: str) -> Any:
    found = client("dynamodb").describe_table(TableName=name)["Table"]
    recovery = client("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return (
        [index["IndexName"] for index in found["GlobalSecondaryIndexes"]],
        recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"].get("AttributeName"),
    )


def seen_function(name: str) -> Any:
    found = client("lambda").get_function(FunctionName=name)
    settings = found["Configuration"]
    reserved = found.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    return settings["Timeout"], settings.get("Environment", {}).get("Variables"), reserved, found.get("Tags", {})


def renamed_function() -> aws.lambda_.Function:
    return aws.lambda_.Function(
        "x", name="other", role=role("x-role").arn, handler="app.handler", runtime="python3.13", code=code()
    )


def queue_setting(name: str, attribute: str) -> Any:
    return client("sqs").get_queue_attributes(QueueUrl=name, AttributeNames=["All"])["Attributes"].get(attribute)


def seen_target(identity: str) -> Any:
    (found,) = client("events").list_targets_by_rule(Rule=client("events").list_rules()["Rules"][0]["Name"])["Targets"]
    return found.get("RetryPolicy"), found.get("Input")


def seen_object(identity: str) -> Any:
    name, _, key = identity.partition("/")
    found = client("s3").get_object(Bucket=name, Key=key, ChecksumMode="ENABLED")
    return found["Body"].read(), "ChecksumSHA256" in found


def sid_of_permission(identity: str) -> Any:
    name = client("lambda").list_functions()["Functions"][0]["FunctionName"]
    document = json.loads(client("lambda").get_policy(FunctionName=name)["Policy"])
    return [s["Condition"]["ArnLike"]["AWS:SourceArn"][-1] for s in document["Statement"] if s["Sid"] == identity]


def attachment(name: str) -> aws.iam.RolePolicyAttachment:
    attached = aws.iam.Policy(name, policy=policy("a"))
    return aws.iam.RolePolicyAttachment("x", role=role().name, policy_arn=attached.arn)


def permission(source: str) -> aws.lambda_.Permission:
    return aws.lambda_.Permission(
        "x", function=function().name, action="lambda:InvokeFunction", principal="events.amazonaws.com",
        source_arn=f"arn:aws:events:us-east-1:123456789012:rule/{source}",
    )  # fmt: skip


def mapping(size: int, source: str = "queue") -> aws.lambda_.EventSourceMapping:
    return aws.lambda_.EventSourceMapping(
        "x", function_name=function().arn, event_source_arn=queue(source).arn, batch_size=size
    )


def target(**more: Any) -> aws.cloudwatch.EventTarget:
    return aws.cloudwatch.EventTarget("x", rule=rule().name, arn=queue().arn, **more)


def alias(**more: Any) -> aws.lambda_.Alias:
    return aws.lambda_.Alias("x", function_name=function(publish=True).name, function_version="1", **more)


def subscription(queue_name: str, **more: Any) -> aws.sns.TopicSubscription:
    topic = aws.sns.Topic("topic")
    return aws.sns.TopicSubscription("x", topic=topic.arn, protocol="sqs", endpoint=queue(queue_name).arn, **more)


def schedule(expression: str) -> aws.scheduler.Schedule:
    target = {"arn": function().arn, "role_arn": role().arn, "retry_policy": {"maximum_retry_attempts": 0}}
    return aws.scheduler.Schedule(
        "x", flexible_time_window={"mode": "OFF"}, schedule_expression=expression, target=target
    )


def lifecycle(days: int) -> aws.s3.BucketLifecycleConfiguration:
    rule = {"id": "capture", "status": "Enabled", "filter": {"prefix": "capture/"}, "expiration": {"days": days}}
    return aws.s3.BucketLifecycleConfiguration("x", bucket=bucket().id, rules=[rule])


def encryption(algorithm: str) -> aws.s3.BucketServerSideEncryptionConfiguration:
    rule = {"apply_server_side_encryption_by_default": {"sse_algorithm": algorithm}}
    return aws.s3.BucketServerSideEncryptionConfiguration("x", bucket=bucket().id, rules=[rule])


def lock(days: int) -> aws.s3.BucketObjectLockConfiguration:
    retention = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(mode="GOVERNANCE", days=days)
    rule = aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention)
    locked = aws.s3.Bucket("locked", object_lock_enabled=True)
    return aws.s3.BucketObjectLockConfiguration("x", bucket=locked.id, rule=rule)


def versioning(status: str) -> aws.s3.BucketVersioning:
    return aws.s3.BucketVersioning("x", bucket=bucket().id, versioning_configuration={"status": status})


def s3_object(text: str, key: str = "k", **more: Any) -> aws.s3.BucketObjectv2:
    return aws.s3.BucketObjectv2(
        "x", bucket=bucket().id, key=key, source=pulumi.StringAsset(text), checksum_algorithm="SHA256", **more
    )


def body(widgets: list[Any]) -> str:
    return json.dumps({"widgets": widgets})


WIDGET = {"type": "text", "x": 0, "y": 0, "width": 1, "height": 1, "properties": {"markdown": "a"}}
PUBLIC = {"Principal": "*"}
AROUND = ("role", "queue", "other", "dead", "topic", "rule", "bucket", "target", "function")  # made for others' sake

CASES = (
    Case(
        "aws:iam/role:Role",
        lambda: aws.iam.Role("x", assume_role_policy=json.loads(policy("a", **PUBLIC)), description="a"),
        lambda name: client("iam").get_role(RoleName=name)["Role"]["Description"],
        ("a", "b"),
        lambda: aws.iam.Role("x", assume_role_policy=policy("a", **PUBLIC), description="b", tags={"a": "1"}),
        lambda: aws.iam.Role("x", assume_role_policy=policy("a", **PUBLIC), path="/service/"),
    ),
    Case(
        "aws:iam/rolePolicy:RolePolicy",
        lambda: aws.iam.RolePolicy("x", role=role().name, policy=policy("a")),
        lambda identity: client("iam").get_role_policy(
            RoleName=identity.split(":")[0], PolicyName=identity.split(":")[1]
        )["PolicyDocument"],
        (json.loads(policy("a")), json.loads(policy("b"))),
        lambda: aws.iam.RolePolicy("x", role=role().name, policy=policy("b")),
        lambda: aws.iam.RolePolicy("x", name="other", role=role().name, policy=policy("b")),
    ),
    Case(
        "aws:iam/policy:Policy",
        lambda: aws.iam.Policy("x", policy=policy("a")),
        lambda arn: client("iam").get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"],
        ("v1", "v2"),
        lambda: aws.iam.Policy("x", policy=policy("b")),
        lambda: aws.iam.Policy("x", policy=policy("b"), path="/p/"),
    ),
    Case(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        lambda: attachment("a"),
        lambda identity: len(
            client("iam").list_attached_role_policies(RoleName=identity.split("/")[0])["AttachedPolicies"]
        ),
        (1, 1),
        None,
        lambda: attachment("b"),
    ),
    Case(
        "aws:lambda/function:Function",
        lambda: function("x"),
        seen_function,
        ((3, None, None, {}), (9, {"A": "b"}, 3, {"k": "v"})),
        lambda: function(
            "x", timeout=9, environment={"variables": {"A": "b"}}, reserved_concurrent_executions=3, tags={"k": "v"}
        ),
        renamed_function,
    ),
    Case(
        "aws:lambda/permission:Permission",
        lambda: permission("a"),
        sid_of_permission,
        (["a"], ["a"]),
        None,
        lambda: permission("b"),
    ),
    Case(
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        lambda: mapping(1),
        lambda uuid: client("lambda").get_event_source_mapping(UUID=uuid)["BatchSize"],
        (1, 2),
        lambda: mapping(2),
        lambda: mapping(2, "another"),
    ),
    Case(
        "aws:lambda/alias:Alias",
        alias,
        lambda arn: client("lambda").get_alias(FunctionName=arn.split(":")[6], Name=arn.split(":")[7])["Description"],
        ("", "d"),
        lambda: alias(description="d"),
        lambda: alias(name="other"),
    ),
    Case(
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        lambda: aws.lambda_.FunctionEventInvokeConfig("x", function_name=function().name, maximum_retry_attempts=1),
        lambda name: client("lambda").get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"],
        (1, 1),  # moto goes on showing the first configuration it was given
        lambda: aws.lambda_.FunctionEventInvokeConfig("x", function_name=function().name, maximum_retry_attempts=0),
    ),
    Case(
        "aws:lambda/functionUrl:FunctionUrl",
        lambda: aws.lambda_.FunctionUrl("x", function_name=function().name, authorization_type="AWS_IAM"),
        lambda name: client("lambda").get_function_url_config(FunctionName=name)["AuthType"],
        ("AWS_IAM", "NONE"),
        lambda: aws.lambda_.FunctionUrl("x", function_name=function().name, authorization_type="NONE"),
    ),
    Case(
        "aws:sfn/stateMachine:StateMachine",
        lambda: machine("a"),
        lambda arn: json.loads(client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"])[
            "StartAt"
        ],
        ("a", "b"),
        lambda: machine(
            "b",
            tags={"a": "1"},
            logging_configuration={
                "level": "ALL",
                "log_destination": "arn:aws:logs:us-east-1:123456789012:log-group:m:*",
            },
        ),
        lambda: machine("b", name="other"),
    ),
    Case(
        "aws:dynamodb/table:Table",
        table,
        seen_table,
        ((["live"], "ENABLED", "expires"), (["open"], "DISABLED", "expires")),
        lambda: table(
            tags={"a": "1"},
            stream_enabled=True,
            stream_view_type="NEW_IMAGE",
            point_in_time_recovery={"enabled": False},
            global_secondary_indexes=[{"name": "open", "hash_key": "live", "projection_type": "KEYS_ONLY"}],
        ),
        lambda: table(range_key="live", attributes=[{"name": name, "type": "S"} for name in ("pk", "live")]),
    ),
    Case(
        "aws:sqs/queue:Queue",
        lambda: aws.sqs.Queue("x"),
        lambda url: queue_setting(url, "VisibilityTimeout"),
        ("30", "99"),
        lambda: aws.sqs.Queue(
            "x",
            visibility_timeout_seconds=99,
            tags={"a": "1"},
            redrive_policy=queue("dead").arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
            ),
        ),
        lambda: aws.sqs.Queue("x", fifo_queue=True),
    ),
    Case(
        "aws:sqs/queuePolicy:QueuePolicy",
        lambda: aws.sqs.QueuePolicy("x", queue_url=queue().url, policy=policy("a", **PUBLIC)),
        lambda url: queue_setting(url, "Policy"),
        (policy("a", **PUBLIC), policy("b", **PUBLIC)),
        lambda: aws.sqs.QueuePolicy("x", queue_url=queue().url, policy=policy("b", **PUBLIC)),
        lambda: aws.sqs.QueuePolicy("x", queue_url=queue("other").url, policy=policy("b", **PUBLIC)),
    ),
    Case(
        "aws:sns/topic:Topic",
        lambda: aws.sns.Topic("x"),
        lambda arn: client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"],
        ("", "d"),
        lambda: aws.sns.Topic("x", display_name="d", tags={"a": "1"}),
        lambda: aws.sns.Topic("x", name="other"),
    ),
    Case(
        "aws:sns/topicPolicy:TopicPolicy",
        lambda: aws.sns.TopicPolicy("x", arn=aws.sns.Topic("topic").arn, policy=policy("a", **PUBLIC)),
        lambda arn: json.loads(client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]),
        (json.loads(policy("a", **PUBLIC)), json.loads(policy("b", **PUBLIC))),
        lambda: aws.sns.TopicPolicy("x", arn=aws.sns.Topic("topic").arn, policy=policy("b", **PUBLIC)),
    ),
    Case(
        "aws:sns/topicSubscription:TopicSubscription",
        lambda: subscription("queue"),
        lambda arn: client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["RawMessageDelivery"],
        ("false", "true"),
        lambda: subscription("queue", raw_message_delivery=True),
        lambda: subscription("other"),
    ),
    Case(
        "aws:cloudwatch/eventBus:EventBus",
        lambda: aws.cloudwatch.EventBus("x"),
        lambda name: client("events").describe_event_bus(Name=name)["Arn"].partition("event-bus/")[2].partition("-")[0],
        ("x", "other"),
        None,
        lambda: aws.cloudwatch.EventBus("x", name="other"),
    ),
    Case(
        "aws:cloudwatch/eventRule:EventRule",
        lambda: aws.cloudwatch.EventRule("x", schedule_expression=EVERY_MINUTE),
        lambda name: client("events").describe_rule(Name=name)["State"],
        ("ENABLED", "DISABLED"),
        lambda: aws.cloudwatch.EventRule("x", schedule_expression=EVERY_MINUTE, state="DISABLED", tags={"a": "1"}),
        lambda: aws.cloudwatch.EventRule("x", name="other", event_pattern=json.dumps({"source": ["aws.cloudwatch"]})),
    ),
    Case(
        "aws:cloudwatch/eventTarget:EventTarget",
        lambda: target(
            retry_policy={"maximum_retry_attempts": 3, "maximum_event_age_in_seconds": 60},
            dead_letter_config={"arn": queue("dead").arn},
        ),
        seen_target,
        (({"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60}, None), (None, "{}")),
        lambda: target(input="{}"),
        lambda: target(target_id="other", input="{}"),
    ),
    Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        math_alarm,
        seen_alarm,
        (["n", "e"], "Errors"),
        lambda: aws.cloudwatch.MetricAlarm("x", **PLAIN, dimensions={"a": "b"}, tags={"a": "1"}),
        lambda: aws.cloudwatch.MetricAlarm("x", name="other", **PLAIN),
    ),
    Case(
        "aws:cloudwatch/logGroup:LogGroup",
        lambda: aws.cloudwatch.LogGroup("x", retention_in_days=7),
        lambda name: client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"][0].get("retentionInDays"),
        (7, None),
        lambda: aws.cloudwatch.LogGroup("x", tags={"a": "1"}),
        lambda: aws.cloudwatch.LogGroup("x", name="/other"),
    ),
    Case(
        "aws:cloudwatch/dashboard:Dashboard",
        lambda: aws.cloudwatch.Dashboard("x", dashboard_name="d", dashboard_body=body([])),
        lambda name: client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"],
        (body([]), body([WIDGET])),
        lambda: aws.cloudwatch.Dashboard("x", dashboard_name="d", dashboard_body=body([WIDGET])),
        lambda: aws.cloudwatch.Dashboard("x", dashboard_name="other", dashboard_body=body([])),
    ),
    Case(
        "aws:sagemaker/model:Model",
        lambda: model(),
        lambda name: client("sagemaker").describe_model(ModelName=name)["PrimaryContainer"]["Environment"],
        ({"A": "1"}, {"A": "1"}),
        lambda: model(tags={"a": "1"}),
        lambda: model(enable_network_isolation=True),
    ),
    Case(
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        lambda: configuration(),
        lambda name: client("sagemaker").describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"][0][
            "VolumeSizeInGB"
        ],
        (20, 20),
        lambda: configuration(tags={"a": "1"}),
        lambda: configuration(kms_key_arn="key"),
    ),
    Case(
        "aws:sagemaker/endpoint:Endpoint",
        lambda: aws.sagemaker.Endpoint("x", endpoint_config_name=configuration().name),
        lambda name: client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"],
        ("InService", "InService"),
        lambda: aws.sagemaker.Endpoint("x", endpoint_config_name=configuration().name, tags={"a": "1"}),
        lambda: aws.sagemaker.Endpoint("x", name="other", endpoint_config_name=configuration().name),
    ),
    Case(
        "aws:s3/bucket:Bucket",
        lambda: aws.s3.Bucket("x"),
        lambda name: client("s3").head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"],
        (200, 200),
        lambda: aws.s3.Bucket("x", tags={"a": "1"}, force_destroy=True),
        lambda: aws.s3.Bucket("x", bucket="other"),
    ),
    Case(
        "aws:s3/bucketVersioning:BucketVersioning",
        lambda: versioning("Enabled"),
        lambda name: client("s3").get_bucket_versioning(Bucket=name)["Status"],
        ("Enabled", "Suspended"),
        lambda: versioning("Suspended"),
    ),
    Case(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        lambda: aws.s3.BucketPublicAccessBlock("x", bucket=bucket().id, block_public_acls=True),
        lambda name: client("s3").get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"][
            "BlockPublicPolicy"
        ],
        (False, True),
        lambda: aws.s3.BucketPublicAccessBlock(
            "x", bucket=bucket().id, block_public_acls=True, block_public_policy=True
        ),
    ),
    Case(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        lambda: lock(30),
        lambda name: client("s3").get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]["Rule"][
            "DefaultRetention"
        ]["Days"],
        (30, 60),
        lambda: lock(60),
    ),
    Case(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        lambda: encryption("AES256"),
        lambda name: client("s3").get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0][
            "ApplyServerSideEncryptionByDefault"
        ]["SSEAlgorithm"],
        ("AES256", "aws:kms"),
        lambda: encryption("aws:kms"),
    ),
    Case(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        lambda: lifecycle(30),
        lambda name: client("s3").get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]["Expiration"]["Days"],
        (30, 31),
        lambda: lifecycle(31),
    ),
    Case(
        "aws:s3/bucketPolicy:BucketPolicy",
        lambda: aws.s3.BucketPolicy("x", bucket=bucket().id, policy=policy("a", **PUBLIC)),
        lambda name: json.loads(client("s3").get_bucket_policy(Bucket=name)["Policy"]),
        (json.loads(policy("a", **PUBLIC)), json.loads(policy("b", **PUBLIC))),
        lambda: aws.s3.BucketPolicy("x", bucket=bucket().id, policy=json.loads(policy("b", **PUBLIC))),
    ),
    Case(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        lambda: s3_object("one"),
        seen_object,
        ((b"one", True), (b"two", True)),
        lambda: s3_object("two", tags={"a": "1"}),
        lambda: s3_object("two", key="other"),
    ),
    Case(
        "aws:s3/bucketObject:BucketObject",
        lambda: aws.s3.BucketObject("x", bucket=bucket().id, content="one"),
        seen_object,
        ((b"one", False), (b"two", False)),
        lambda: aws.s3.BucketObject("x", bucket=bucket().id, content="two"),
        lambda: aws.s3.BucketObject("x", bucket=bucket().id, key="other", content="two"),
    ),
    Case(
        "aws:ssm/parameter:Parameter",
        lambda: aws.ssm.Parameter("x", type="String", value="one"),
        lambda name: client("ssm").get_parameter(Name=name)["Parameter"]["Value"],
        ("one", "two"),
        lambda: aws.ssm.Parameter("x", type="String", value="two", description="d", tags={"a": "1"}),
        lambda: aws.ssm.Parameter("x", name="/other", type="String", value="two"),
    ),
    Case(
        "aws:scheduler/schedule:Schedule",
        lambda: schedule(EVERY_MINUTE),
        lambda identity: client("scheduler").get_schedule(Name=identity.split("/")[1])["ScheduleExpression"],
        (EVERY_MINUTE, "rate(2 minutes)"),
        lambda: schedule("rate(2 minutes)"),
    ),
    Case(
        "aws:appautoscaling/target:Target",
        scaling,
        lambda identity: client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")[
            "ScalableTargets"
        ][0]["MaxCapacity"],
        (2, 4),
        lambda: scaling(max_capacity=4, suspended_state={"dynamic_scaling_in_suspended": True}),
        lambda: scaling(scalable_dimension="dynamodb:table:WriteCapacityUnits"),
    ),
    Case(
        "aws:appautoscaling/policy:Policy",
        lambda: scaling_policy(70),
        lambda identity: client("application-autoscaling").describe_scaling_policies(ServiceNamespace="dynamodb")[
            "ScalingPolicies"
        ][0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"],
        (70.0, 71.5),
        lambda: scaling_policy(71.5),
    ),
)


def identity_of(stack: Stack, token: str) -> str:
    records = stack.engine.state.resources.values()
    (identity,) = [record.id for record in records if record.type == token and record.name not in AROUND]
    return identity


def steps_of(result: RunResult, token: str) -> list[str]:
    return [step.op for step in result.steps if step.type == token and step.name not in AROUND]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.token)
def test_a_resource_is_made_left_alone_changed_replaced_and_removed(stack, case):
    stack.up(case.first)
    first = identity_of(stack, case.token)
    assert case.look(first) == case.finds[0], "boto3 finds what the program asked for"

    stack.up(case.first)
    assert stack.calls == [], "the same program again makes no call at all"

    if case.changed is not None:
        changed = stack.up(case.changed)
        now = identity_of(stack, case.token)
        assert steps_of(changed, case.token) == ["update"], "changed in place"
        assert case.look(now) == case.finds[1], "boto3 finds the change"
        assert stack.up(case.changed).changes == (), "and it is settled"

    if case.replaced is not None:
        replaced = stack.up(case.replaced)
        assert steps_of(replaced, case.token) == ["replace"], "this change replaces"
        assert stack.up(case.replaced).changes == (), "and it is settled"

    stack.destroy()
    assert stack.engine.state.resources == {}, "nothing is left behind"


def test_a_composite_alarm_is_sent_with_its_suppressor(stack):
    """moto has no PutCompositeAlarm: what is sent is checked, and the read is answered."""
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:all"
    stack.answers["PutCompositeAlarm"] = lambda parameters: {}
    stack.answers["DescribeAlarms"] = lambda parameters: {"CompositeAlarms": [{"AlarmArn": arn}]}

    def program() -> None:
        suppressor = {"alarm": "deploying", "extension_period": 10, "wait_period": 20}
        made = aws.cloudwatch.CompositeAlarm(
            "x", alarm_name="all", alarm_rule="ALARM(a)", actions_suppressor=suppressor, tags={"a": "1"}
        )
        pulumi.export("arn", made.arn)

    result = stack.up(program)

    assert result.outputs == {"arn": arn}
    assert stack.sent("PutCompositeAlarm") == {
        "AlarmName": "all",
        "AlarmRule": "ALARM(a)",
        "ActionsEnabled": True,
        "ActionsSuppressor": "deploying",
        "ActionsSuppressorExtensionPeriod": 10,
        "ActionsSuppressorWaitPeriod": 20,
        "Tags": [{"Key": "a", "Value": "1"}],
    }


def test_every_table_is_exercised():
    exercised = {case.token for case in CASES}
    elsewhere = {"aws:cloudwatch/compositeAlarm:CompositeAlarm", "aws:lambda/invocation:Invocation"}

    assert set(KINDS) == exercised | elsewhere


def schema(token: str) -> tuple[set[str], set[str]]:
    """(inputs, outputs) of a type in the installed pulumi-aws."""
    _, path, class_name = token.split(":")
    package = path.split("/")[0].replace("lambda", "lambda_")
    source = importlib.import_module(f"pulumi_aws.{package}.{snake(class_name)}")
    arguments = getattr(source, f"{class_name}InitArgs", None) or getattr(source, f"{class_name}Args")
    inputs = set(_types.input_type_types(arguments))
    return inputs, set(_types.resource_types(getattr(source, class_name)))


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@pytest.mark.parametrize("token", sorted(KINDS))
def test_a_table_names_only_properties_that_pulumi_aws_has(token):
    kind = KINDS[token]
    inputs, outputs = schema(token)
    parts = {name for part in kind.parts for name in part.properties}
    written = {*kind.force_new, *kind.required, *kind.defaults, *kind.cleared, *kind.documents, *kind.known, *parts}
    named = {path.split(".")[0] for path in written} - {"*"}
    shared = {"policy", "expectedBucketOwner"} if "s3/bucket" in token else set()  # one function makes those tables

    assert named - inputs - shared == set(), "misspelt or gone in this version"
    assert {*kind.computed, *kind.formats} - outputs == set(), "outputs the real provider does not have"
    assert set(kind.required) <= inputs
