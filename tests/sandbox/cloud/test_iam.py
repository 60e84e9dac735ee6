from __future__ import annotations

import json
from typing import Any

import pytest

from sluice.sandbox.cloud.actions import Need, Place, UnmappedOperation, actions_of
from sluice.sandbox.cloud.iam import (
    Authorizer,
    Decision,
    RolePolicies,
    UnsupportedPolicy,
    allows_service,
    evaluate,
    parse,
)

ROLE = "arn:aws:iam::123456789012:role/tick"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/sluice"
PLACE = Place()


def statement(effect: str, action: Any, resource: Any = "*", sid: str = "S", **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": effect, "Action": action, "Resource": resource, **more}


def decide(
    *statements: dict[str, Any], action: str = "dynamodb:GetItem", resource: str = TABLE, **context: str
) -> Decision:
    given = {key.replace("__", ":"): value for key, value in context.items()}
    return evaluate(parse("policy", json.dumps({"Statement": list(statements)})), action, resource, given)


def test_nothing_is_allowed_without_a_statement() -> None:
    assert decide() == Decision(allowed=False)


def test_the_statements_that_allow_are_named() -> None:
    decision = decide(
        statement("Allow", "dynamodb:GetItem", TABLE, sid="Read"),
        statement("Allow", "dynamodb:*", "*", sid="All"),
        statement("Allow", "s3:GetObject", "*", sid="Other"),
    )

    assert decision == Decision(allowed=True, sids=("Read", "All"))


def test_an_explicit_deny_wins() -> None:
    decision = decide(
        statement("Allow", "*", "*", sid="All"), statement("Deny", "dynamodb:Get*", f"{TABLE}*", sid="Never")
    )

    assert decision == Decision(allowed=False, denied=True, sids=("Never",))


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("dynamodb:getitem", "dynamodb:GetItem", True),  # actions do not mind the case
        ("dynamodb:Get*", "dynamodb:GetItem", True),
        ("dynamodb:GetIte?", "dynamodb:GetItem", True),
        ("dynamodb:GetIte?", "dynamodb:GetIte", False),
        ("dynamodb:Get", "dynamodb:GetItem", False),
        ("*", "dynamodb:GetItem", True),
    ],
)
def test_actions_match_by_wildcards(pattern: str, action: str, matches: bool) -> None:
    assert decide(statement("Allow", pattern), action=action).allowed is matches


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        (TABLE, TABLE, True),
        (TABLE, TABLE + "/index/live", False),  # an index has an ARN of its own
        (TABLE + "/index/*", TABLE + "/index/live", True),
        (TABLE.upper(), TABLE, False),  # resources mind the case
        ("arn:aws:dynamodb:*:*:table/slu?ce", TABLE, True),
        (
            "arn:aws:dynamodb:us-east-1:123456789012:table/a.b",
            "arn:aws:dynamodb:us-east-1:123456789012:table/aXb",
            False,
        ),
    ],
)
def test_resources_match_by_wildcards(pattern: str, resource: str, matches: bool) -> None:
    assert decide(statement("Allow", "*", ["arn:aws:s3:::x", pattern]), resource=resource).allowed is matches


@pytest.mark.parametrize(
    ("condition", "namespace", "holds"),
    [
        ({"StringEquals": {"cloudwatch:namespace": "Sluice"}}, "Sluice", True),
        ({"StringEquals": {"CloudWatch:Namespace": ["Other", "Sluice"]}}, "Sluice", True),  # keys do not mind the case
        ({"StringEquals": {"cloudwatch:namespace": "sluice"}}, "Sluice", False),
        ({"StringLike": {"cloudwatch:namespace": "Slu*"}}, "Sluice", True),
        ({"StringEquals": {"cloudwatch:namespace": "Slu*"}}, "Sluice", False),
        ({"ForAllValues:StringEquals": {"cloudwatch:namespace": "Sluice"}}, "Sluice", True),
    ],
)
def test_conditions_compare_the_calls_context(condition: dict[str, Any], namespace: str, holds: bool) -> None:
    decision = decide(statement("Allow", "*", Condition=condition), cloudwatch__namespace=namespace)

    assert decision.allowed is holds


def test_a_condition_on_a_key_the_call_does_not_carry_does_not_hold() -> None:
    condition = {"StringEquals": {"sagemaker:TargetVariant": "green"}}

    assert not decide(statement("Allow", "*", Condition=condition)).allowed


@pytest.mark.parametrize(("absent", "allowed"), [("true", (True, False)), ("false", (False, True))])
def test_a_condition_can_be_that_a_key_is_not_there(absent: str, allowed: tuple[bool, bool]) -> None:
    by_weight = statement("Allow", "*", Condition={"Null": {"sagemaker:TargetVariant": absent}})

    without, named = decide(by_weight), decide(by_weight, sagemaker__TargetVariant="green")

    assert (without.allowed, named.allowed) == allowed


def test_a_wildcard_of_an_arn_condition_does_not_reach_over_a_colon() -> None:
    rule = "arn:aws:events:us-east-1:123456789012:rule/alarms"

    def allowed(pattern: str, operator: str = "ArnLike") -> bool:
        condition = {operator: {"aws:SourceArn": pattern}}
        return decide(statement("Allow", "*", Condition=condition), aws__SourceArn=rule).allowed

    assert allowed("arn:aws:events:*:*:rule/*")
    assert allowed(rule, "ArnEquals")
    assert not allowed("arn:aws:events:*rule/alarms")
    assert not allowed("arn:aws:events:us-east-1:999999999999:rule/*")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, "does not evaluate NotAction"),
        ({"Effect": "Allow", "Action": "*", "NotResource": "x"}, "does not evaluate NotResource"),
        (
            statement("Allow", "*", Condition={"NumericLessThan": {"aws:SourceArn": "1"}}),
            "operator NumericLessThan is not evaluated",
        ),
        (statement("Allow", "*", Condition={"StringLikeIfExists": {"s3:prefix": "a"}}), "StringLikeIfExists"),
        (statement("Allow", "*", Condition={"StringEquals": {"aws:PrincipalTag/x": "a"}}), "aws:principaltag/x"),
        (statement("Allow", "*", "arn:aws:s3:::${aws:username}"), "policy variables are not evaluated"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_a_sentence(raw: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnsupportedPolicy, match=sentence):
        parse("role/policy", json.dumps({"Statement": raw}))


def test_a_statement_without_a_sid_is_named_by_its_place() -> None:
    raw = {"Effect": "Allow", "Action": "*", "Resource": "*"}

    assert parse("tick/inline", json.dumps({"Statement": raw}))[0].sid == "tick/inline[0]"


def test_an_authorizer_sees_a_changed_policy_at_once() -> None:
    documents: list[tuple[str, str]] = []
    authorizer = Authorizer(lambda arn: RolePolicies(arn, tuple(documents), "{}"))
    before = authorizer.decide(ROLE, "dynamodb:GetItem", TABLE)

    documents.append(("inline", json.dumps({"Statement": statement("Allow", "dynamodb:GetItem", TABLE)})))

    assert not before.allowed
    assert authorizer.decide(ROLE, "dynamodb:GetItem", TABLE).allowed


def test_a_role_that_does_not_exist_may_nothing() -> None:
    authorizer = Authorizer(lambda arn: None)

    assert not authorizer.decide(ROLE, "s3:GetObject", "arn:aws:s3:::a/b").allowed
    assert not authorizer.trusts(ROLE, "lambda.amazonaws.com")


def test_a_trust_policy_names_the_services_that_may_assume_the_role() -> None:
    trust = {
        "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    }
    authorizer = Authorizer(lambda arn: RolePolicies(arn, (), json.dumps(trust)))

    assert authorizer.trusts(ROLE, "lambda.amazonaws.com")
    assert not authorizer.trusts(ROLE, "states.amazonaws.com")


@pytest.mark.parametrize(
    ("service", "account", "trusted"),
    [
        ("states.amazonaws.com", ROLE.split(":")[4], True),
        ("states.amazonaws.com", "999999999999", False),
        ("lambda.amazonaws.com", ROLE.split(":")[4], False),
    ],
)
def test_a_role_for_one_account_is_not_for_services_that_do_not_say_for_whom_they_act(
    service: str, account: str, trusted: bool
) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    limited = {"Statement": {**statement, "Condition": {"StringEquals": {"aws:SourceAccount": account}}}}

    assert Authorizer(lambda arn: RolePolicies(arn, (), json.dumps(limited))).trusts(ROLE, service) == trusted


@pytest.mark.parametrize(
    ("service", "source", "allowed"),
    [
        ("events.amazonaws.com", "arn:aws:events:us-east-1:123456789012:rule/alarms", True),
        ("events.amazonaws.com", "arn:aws:events:us-east-1:123456789012:rule/other", False),
        ("scheduler.amazonaws.com", "arn:aws:events:us-east-1:123456789012:rule/alarms", False),
    ],
)
def test_a_resource_policy_speaks_to_a_service_and_a_source(service: str, source: str, allowed: bool) -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:alarms"
    document = json.dumps(
        {
            "Statement": statement(
                "Allow",
                "sqs:SendMessage",
                queue,
                Principal={"Service": "events.amazonaws.com"},
                Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/alarms"}},
            )
        }
    )

    decision = allows_service("queue", document, service, "sqs:SendMessage", queue, {"aws:SourceArn": source})

    assert decision.allowed is allowed
    assert not allows_service("queue", None, service, "sqs:SendMessage", queue, {"aws:SourceArn": source}).allowed


def needs(service: str, operation: str, **params: Any) -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in actions_of(service, operation, params, PLACE)]


INDEX = TABLE + "/index/live"
SM = "arn:aws:sagemaker:us-east-1:123456789012"
EXECUTION_ROLE = "arn:aws:iam::123456789012:role/serving"


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("dynamodb", "GetItem", {"TableName": "sluice"}, [("dynamodb:GetItem", TABLE)]),
        ("dynamodb", "Query", {"TableName": "sluice"}, [("dynamodb:Query", TABLE)]),
        ("dynamodb", "Query", {"TableName": TABLE, "IndexName": "live"}, [("dynamodb:Query", INDEX)]),
        ("dynamodb", "BatchGetItem", {"RequestItems": {"sluice": {}}}, [("dynamodb:BatchGetItem", TABLE)]),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "sluice"}},
                    {"Update": {"TableName": "sluice"}},
                    {"Put": {"TableName": "sluice"}},
                    {"Delete": {"TableName": "sluice"}},
                    {"ConditionCheck": {"TableName": "sluice"}},
                ]
            },
            [
                ("dynamodb:PutItem", TABLE),
                ("dynamodb:UpdateItem", TABLE),
                ("dynamodb:DeleteItem", TABLE),
                ("dynamodb:ConditionCheckItem", TABLE),
            ],
        ),
        (
            "sagemaker",
            "UpdateEndpointWeightsAndCapacities",
            {"EndpointName": "Fraud"},
            [("sagemaker:UpdateEndpointWeightsAndCapacities", f"{SM}:endpoint/fraud")],
        ),
        (
            "sagemaker",
            "UpdateEndpoint",
            {"EndpointName": "fraud", "EndpointConfigName": "Fraud-2"},
            [
                ("sagemaker:UpdateEndpoint", f"{SM}:endpoint/fraud"),
                ("sagemaker:UpdateEndpoint", f"{SM}:endpoint-config/fraud-2"),
            ],
        ),
        (
            "sagemaker",
            "CreateModel",
            {"ModelName": "M1", "ExecutionRoleArn": EXECUTION_ROLE, "Tags": [{"Key": "a", "Value": "b"}]},
            [
                ("sagemaker:CreateModel", f"{SM}:model/m1"),
                ("sagemaker:AddTags", f"{SM}:model/m1"),
                ("iam:PassRole", EXECUTION_ROLE),
            ],
        ),
        (
            "sagemaker",
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "Tags": []},
            [("sagemaker:CreateEndpointConfig", f"{SM}:endpoint-config/c")],
        ),
        (
            "sagemaker",
            "ListTags",
            {"ResourceArn": f"{SM}:endpoint-config/c"},
            [("sagemaker:ListTags", f"{SM}:endpoint-config/c")],
        ),
        ("sagemaker", "ListModels", {}, [("sagemaker:ListModels", "*")]),
        ("cloudwatch", "GetMetricData", {}, [("cloudwatch:GetMetricData", "*")]),
        (
            "cloudwatch",
            "DescribeAlarms",
            {"AlarmNames": ["a", "b"]},
            [
                ("cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"),
                ("cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:b"),
            ],
        ),
        (
            "cloudwatch",
            "DescribeAlarms",
            {},
            [("cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*")],
        ),
        (
            "cloudwatch",
            "SetAlarmState",
            {"AlarmName": "sluice/a"},
            [("cloudwatch:SetAlarmState", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:sluice/a")],
        ),
        ("stepfunctions", "StartExecution", {"stateMachineArn": "arn:m"}, [("states:StartExecution", "arn:m")]),
        ("stepfunctions", "StopExecution", {"executionArn": "arn:e"}, [("states:StopExecution", "arn:e")]),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k/m"}, [("s3:GetObject", "arn:aws:s3:::b/k/m")]),
        (
            "s3",
            "GetObject",
            {"Bucket": "b", "Key": "k", "VersionId": "1"},
            [("s3:GetObjectVersion", "arn:aws:s3:::b/k")],
        ),
        (
            "s3",
            "GetObjectAttributes",
            {"Bucket": "b", "Key": "k"},
            [("s3:GetObject", "arn:aws:s3:::b/k"), ("s3:GetObjectAttributes", "arn:aws:s3:::b/k")],
        ),
        ("s3", "ListObjectsV2", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        (
            "s3",
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": {"Bucket": "a", "Key": "j"}},
            [("s3:GetObject", "arn:aws:s3:::a/j"), ("s3:PutObject", "arn:aws:s3:::b/k")],
        ),
        (
            "ssm",
            "PutParameter",
            {"Name": "/sluice/x"},
            [("ssm:PutParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/sluice/x")],
        ),
        ("sns", "Publish", {"TopicArn": "arn:t"}, [("sns:Publish", "arn:t")]),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q"},
            [("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q")],
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "f", "Qualifier": "live"},
            [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f:live")],
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:f"},
            [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f")],
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{}, {}]},
            [("events:PutEvents", "arn:aws:events:us-east-1:123456789012:event-bus/default")],
        ),
        (
            "application-autoscaling",
            "DescribeScalableTargets",
            {},
            [("application-autoscaling:DescribeScalableTargets", "*")],
        ),
        (
            "application-autoscaling",
            "DeregisterScalableTarget",
            {"ServiceNamespace": "sagemaker", "ScalableDimension": "d"},
            [
                (
                    "application-autoscaling:DeregisterScalableTarget",
                    "arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/*",
                )
            ],
        ),
        ("sts", "GetCallerIdentity", {}, []),
    ],
)
def test_a_call_needs_these_actions(
    service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert needs(service, operation, **params) == expected


@pytest.mark.parametrize(
    ("service", "operation", "params", "context"),
    [
        ("cloudwatch", "PutMetricData", {"Namespace": "Sluice"}, {"cloudwatch:namespace": "Sluice"}),
        (
            "sagemaker-runtime",
            "InvokeEndpoint",
            {"EndpointName": "e", "TargetVariant": "green"},
            {"sagemaker:TargetVariant": "green"},
        ),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}, {}),
        ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "releases/"}, {"s3:prefix": "releases/"}),
        (
            "events",
            "PutEvents",
            {"Entries": [{"Source": "sluice", "DetailType": "Rollout ended"}]},
            {"events:source": "sluice", "events:detail-type": "Rollout ended"},
        ),
    ],
)
def test_a_call_carries_this_context(
    service: str, operation: str, params: dict[str, Any], context: dict[str, str]
) -> None:
    (need,) = actions_of(service, operation, params, PLACE)

    assert need.context == context


def test_passing_a_role_says_to_whom() -> None:
    found = actions_of("sagemaker", "CreateModel", {"ModelName": "m", "ExecutionRoleArn": EXECUTION_ROLE}, PLACE)

    assert found[-1] == Need("iam:PassRole", EXECUTION_ROLE, {"iam:PassedToService": "sagemaker.amazonaws.com"})


def test_an_operation_outside_the_table_asks_to_be_added() -> None:
    with pytest.raises(UnmappedOperation, match=r"which IAM actions ec2 RunInstances needs. Add it"):
        actions_of("ec2", "RunInstances", {}, PLACE)
