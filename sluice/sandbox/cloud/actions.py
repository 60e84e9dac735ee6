"""Which IAM actions, on which ARNs and with which context keys, a boto3 call needs.

One table for every service the Lambdas may call. An operation that is not in it is an error, never a free pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Params = Mapping[str, Any]


class UnmappedOperation(Exception):
    """A call whose needed actions the table does not know."""


class Need(NamedTuple):
    action: str
    resource: str
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """The account and region in which names become ARNs."""

    account: str = "123456789012"
    region: str = "us-east-1"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


Rule = Callable[[Params, Place], list[Need]]
Naming = Callable[[Params, Place], str]


def actions_of(service: str, operation: str, params: Params, place: Place) -> list[Need]:
    """What a caller must be allowed to do for this call; an empty list means that the call needs no permission."""
    rule = _TABLE.get((service, operation))
    if rule is None:
        raise UnmappedOperation(
            f"the sandbox does not know which IAM actions {service} {operation} needs. "
            "Add it to the table in sluice/sandbox/cloud/actions.py, after the Service Authorization Reference."
        )
    return rule(params, place)


def needs_to_see_missing(service: str, params: Params, place: Place) -> list[Need]:
    """What a caller needs to be told that an object is not there: without it S3 answers as if access were denied."""
    if service != "s3" or "Bucket" not in params:
        return []
    return [Need("s3:ListBucket", _bucket(params, place), {})]


def _need(action: str, resource: str, context: Mapping[str, str | None] | None = None) -> Need:
    return Need(action, resource, {key: value for key, value in (context or {}).items() if value})


def _on(action: str, naming: Naming) -> Rule:
    return lambda params, place: [_need(action, naming(params, place))]


def _anywhere(action: str) -> Rule:
    return lambda _params, _place: [_need(action, "*")]


def _named(service: str, prefix: str, parameter: str, *, lower: bool = False) -> Naming:
    """The ARN of what a parameter names; a parameter that is an ARN already stays as it is."""

    def naming(params: Params, place: Place) -> str:
        value = str(params[parameter])
        if value.startswith("arn:"):
            return value
        return place.arn(service, prefix + (value.lower() if lower else value))

    return naming


def _given(parameter: str) -> Naming:
    return lambda params, _place: str(params[parameter])


# DynamoDB: a query of an index is authorized on the index, a transaction item by item.


def _table(params: Params, place: Place) -> str:
    return _named("dynamodb", "table/", "TableName")(params, place)


def _table_or_index(params: Params, place: Place) -> str:
    index = params.get("IndexName")
    return _table(params, place) + (f"/index/{index}" if index else "")


def _keyed(action: str) -> Rule:
    """On one item; IAM knows its partition key as the leading one."""

    def rule(params: Params, place: Place) -> list[Need]:
        key = (params.get("Key") or params.get("Item") or {}).get("pk", {}).get("S")
        return [_need(action, _table(params, place), {"dynamodb:LeadingKeys": key})]

    return rule


def _tables(action: str) -> Rule:
    return lambda params, place: [_need(action, _table({"TableName": t}, place)) for t in params["RequestItems"]]


def _stream(params: Params, _place: Place) -> str:
    """A shard iterator begins with its stream's ARN."""
    return str(params.get("StreamArn") or params["ShardIterator"]).partition("|")[0]


_TRANSACTED = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}


def _transaction(params: Params, place: Place) -> list[Need]:
    items = [(verb, item) for entry in params["TransactItems"] for verb, item in entry.items()]
    return _unique(_need(_TRANSACTED[verb], _table(item, place)) for verb, item in items)


# SageMaker: names are lower-cased in ARNs; an update is authorized on the endpoint and on its new configuration.

_ENDPOINT = _named("sagemaker", "endpoint/", "EndpointName", lower=True)
_CONFIG = _named("sagemaker", "endpoint-config/", "EndpointConfigName", lower=True)
_MODEL = _named("sagemaker", "model/", "ModelName", lower=True)
_PACKAGE = _named("sagemaker", "model-package/", "ModelPackageName", lower=True)


def _creating(action: str, *namings: Naming) -> Rule:
    """A Create call: the action on each resource, AddTags on the first when it is created with tags, PassRole."""

    def rule(params: Params, place: Place) -> list[Need]:
        needs = [_need(action, naming(params, place)) for naming in namings]
        if params.get("Tags"):
            needs.append(_need("sagemaker:AddTags", namings[0](params, place)))
        if params.get("ExecutionRoleArn"):
            needs.append(_pass_role(str(params["ExecutionRoleArn"]), "sagemaker.amazonaws.com"))
        return needs

    return rule


def _pass_role(role_arn: str, service: str) -> Need:
    return _need("iam:PassRole", role_arn, {"iam:PassedToService": service})


def _update_endpoint(params: Params, place: Place) -> list[Need]:
    return [_need("sagemaker:UpdateEndpoint", naming(params, place)) for naming in (_ENDPOINT, _CONFIG)]


def _invoke_endpoint(params: Params, place: Place) -> list[Need]:
    variant = params.get("TargetVariant")
    return [_need("sagemaker:InvokeEndpoint", _ENDPOINT(params, place), {"sagemaker:TargetVariant": variant})]


# CloudWatch


def _put_metric_data(params: Params, _place: Place) -> list[Need]:
    return [_need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": params["Namespace"]})]


def _alarms(action: str, parameter: str = "AlarmNames") -> Rule:
    """On each alarm named; without names on alarm:*, as the denials of DescribeAlarms say."""

    def rule(params: Params, place: Place) -> list[Need]:
        names = params.get(parameter) or ["*"]
        listed = [names] if isinstance(names, str) else names
        return [_need(action, place.arn("cloudwatch", f"alarm:{name}")) for name in listed]

    return rule


# S3: objects by bucket and key, in no region and no account


def _object(params: Params, _place: Place) -> str:
    return f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"


def _bucket(params: Params, _place: Place) -> str:
    return f"arn:aws:s3:::{params['Bucket']}"


def _get_object(*extra: str) -> Rule:
    def rule(params: Params, place: Place) -> list[Need]:
        version = "Version" if params.get("VersionId") else ""
        actions = ("s3:GetObject", *extra)
        return [
            _need(action.replace("s3:GetObject", f"s3:GetObject{version}"), _object(params, place))
            for action in actions
        ]

    return rule


def _list_objects(params: Params, place: Place) -> list[Need]:
    return [_need("s3:ListBucket", _bucket(params, place), {"s3:prefix": params.get("Prefix")})]


def _put_object(params: Params, place: Place) -> list[Need]:
    actions = ["s3:PutObject"] + (["s3:PutObjectTagging"] if params.get("Tagging") else [])
    return [_need(action, _object(params, place)) for action in actions]


def _copy_object(params: Params, place: Place) -> list[Need]:
    source = params["CopySource"]
    path = (
        f"{source['Bucket']}/{source['Key']}" if isinstance(source, Mapping) else str(source).lstrip("/").split("?")[0]
    )
    return [_need("s3:GetObject", f"arn:aws:s3:::{path}"), *_put_object(params, place)]


def _delete_objects(params: Params, place: Place) -> list[Need]:
    keys = [str(o["Key"]) for o in params["Delete"]["Objects"]]
    return [_need("s3:DeleteObject", _object({"Bucket": params["Bucket"], "Key": key}, place)) for key in keys]


# Systems Manager, SQS, SNS, Lambda, EventBridge, Step Functions, autoscaling


def _parameter(params: Params, place: Place) -> str:
    return place.arn("ssm", f"parameter/{str(params.get('Name') or params['Path']).strip('/')}")


def _parameters(action: str) -> Rule:
    return lambda params, place: [_need(action, _parameter({"Name": name}, place)) for name in params["Names"]]


def _put_parameter(params: Params, place: Place) -> list[Need]:
    actions = ["ssm:PutParameter"] + (["ssm:AddTagsToResource"] if params.get("Tags") else [])
    return [_need(action, _parameter(params, place)) for action in actions]


def _queue(params: Params, place: Place) -> str:
    return place.arn("sqs", str(params["QueueUrl"]).rstrip("/").rpartition("/")[2])


def _new_queue(params: Params, place: Place) -> list[Need]:
    queue = place.arn("sqs", str(params["QueueName"]))
    return [_need(f"sqs:{verb}", queue) for verb in ("CreateQueue", *(["TagQueue"] if params.get("tags") else []))]


def _rule(params: Params, place: Place) -> str:
    return place.arn("events", f"rule/{params.get('Rule') or params['Name']}")


def _tagging(action: str, naming: Naming, tagging: str) -> Rule:
    """A call that may tag what it makes, which is a permission of its own."""
    return lambda params, place: [
        _need(each, naming(params, place)) for each in (action, *([tagging] if params.get("Tags") else []))
    ]


def _role(params: Params, place: Place) -> str:
    return f"arn:aws:iam::{place.account}:role/{params['RoleName']}"


def _function(params: Params, place: Place) -> str:
    """The function's ARN, with its alias or version when one is named: the unqualified ARN does not cover those."""
    name = str(params["FunctionName"])
    arn = name if name.startswith("arn:") else place.arn("lambda", f"function:{name.rpartition('function:')[2]}")
    qualifier = params.get("Qualifier")
    return f"{arn}:{qualifier}" if qualifier and arn.count(":") == 6 else arn


def _put_events(params: Params, place: Place) -> list[Need]:
    return _unique(
        _need(
            "events:PutEvents",
            _named("events", "event-bus/", "bus")({"bus": entry.get("EventBusName") or "default"}, place),
            {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")},
        )
        for entry in params["Entries"]
    )


def _group(params: Params, place: Place) -> str:
    return place.arn("logs", f"log-group:{params['logGroupName']}")


def _log_stream(params: Params, place: Place) -> str:
    return f"{_group(params, place)}:log-stream:{params['logStreamName']}"


def _scaling(action: str) -> Rule:
    """Register and the like: on any scalable target, whose ARN holds an id nobody can know before it exists."""

    def rule(params: Params, place: Place) -> list[Need]:
        need = Need(
            action,
            place.arn("application-autoscaling", "scalable-target/*"),
            {
                "application-autoscaling:service-namespace": str(params["ServiceNamespace"]),
                "application-autoscaling:scalable-dimension": str(params["ScalableDimension"]),
            },
        )
        role = params.get("RoleARN")
        return [need, _pass_role(str(role), "application-autoscaling.amazonaws.com")] if role else [need]

    return rule


def _nothing(_params: Params, _place: Place) -> list[Need]:
    return []


def _unique(needs: Iterable[Need]) -> list[Need]:
    return list({(n.action, n.resource, tuple(n.context.items())): n for n in needs}.values())


def _same(service: str, prefix: str, naming: Naming, *operations: str) -> dict[tuple[str, str], Rule]:
    """Operations that need the action of their own name on one resource."""
    return {(service, operation): _on(f"{prefix}:{operation}", naming) for operation in operations}


def _free(service: str, prefix: str, *operations: str) -> dict[tuple[str, str], Rule]:
    """Operations without resource-level permissions: the action of their own name on `*`."""
    return {(service, operation): _anywhere(f"{prefix}:{operation}") for operation in operations}


_MACHINE = _given("stateMachineArn")
_EXECUTION = _given("executionArn")

_TABLE: dict[tuple[str, str], Rule] = {
    **{("dynamodb", verb): _keyed(f"dynamodb:{verb}") for verb in ("GetItem", "PutItem", "UpdateItem", "DeleteItem")},
    **_same("dynamodb", "dynamodb", _table, "DescribeTable"),
    **_same("dynamodb", "dynamodb", _table_or_index, "Query", "Scan"),
    ("dynamodb", "BatchGetItem"): _tables("dynamodb:BatchGetItem"),
    ("dynamodb", "BatchWriteItem"): _tables("dynamodb:BatchWriteItem"),
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("dynamodb", "TransactGetItems"): _transaction,
    ("dynamodbstreams", "ListStreams"): _on("dynamodb:ListStreams", lambda p, place: f"{_table(p, place)}/stream/*"),
    **_same("dynamodbstreams", "dynamodb", _stream, "DescribeStream", "GetShardIterator", "GetRecords"),
    **_same(
        "sagemaker",
        "sagemaker",
        _ENDPOINT,
        "DescribeEndpoint",
        "DeleteEndpoint",
        "UpdateEndpointWeightsAndCapacities",
    ),
    **_same("sagemaker", "sagemaker", _CONFIG, "DescribeEndpointConfig", "DeleteEndpointConfig"),
    **_same("sagemaker", "sagemaker", _MODEL, "DescribeModel", "DeleteModel"),
    **_same("sagemaker", "sagemaker", _PACKAGE, "DescribeModelPackage"),
    **_same("sagemaker", "sagemaker", _given("ModelPackageArn"), "UpdateModelPackage"),
    **_same("sagemaker", "sagemaker", _given("ResourceArn"), "ListTags", "AddTags", "DeleteTags"),
    **_free("sagemaker", "sagemaker", "ListEndpoints", "ListEndpointConfigs", "ListModels", "ListModelPackages"),
    ("sagemaker", "CreateModel"): _creating("sagemaker:CreateModel", _MODEL),
    ("sagemaker", "CreateEndpointConfig"): _creating("sagemaker:CreateEndpointConfig", _CONFIG),
    ("sagemaker", "CreateEndpoint"): _creating("sagemaker:CreateEndpoint", _ENDPOINT, _CONFIG),
    ("sagemaker", "UpdateEndpoint"): _update_endpoint,
    ("sagemaker-runtime", "InvokeEndpoint"): _invoke_endpoint,
    **_free("cloudwatch", "cloudwatch", "GetMetricData", "GetMetricStatistics", "ListMetrics"),
    ("cloudwatch", "PutMetricData"): _put_metric_data,
    ("cloudwatch", "DescribeAlarms"): _alarms("cloudwatch:DescribeAlarms"),
    ("cloudwatch", "DescribeAlarmHistory"): _alarms("cloudwatch:DescribeAlarmHistory", "AlarmName"),
    ("cloudwatch", "SetAlarmState"): _alarms("cloudwatch:SetAlarmState", "AlarmName"),
    ("cloudwatch", "PutMetricAlarm"): _tagging(
        "cloudwatch:PutMetricAlarm", _named("cloudwatch", "alarm:", "AlarmName"), "cloudwatch:TagResource"
    ),
    ("cloudwatch", "DeleteAlarms"): _alarms("cloudwatch:DeleteAlarms"),
    ("cloudwatch", "EnableAlarmActions"): _alarms("cloudwatch:EnableAlarmActions"),
    ("cloudwatch", "DisableAlarmActions"): _alarms("cloudwatch:DisableAlarmActions"),
    **_same("stepfunctions", "states", _MACHINE, "StartExecution", "ListExecutions", "DescribeStateMachine"),
    **_same("stepfunctions", "states", _EXECUTION, "DescribeExecution", "StopExecution", "GetExecutionHistory"),
    **_free("stepfunctions", "states", "ListStateMachines"),
    ("s3", "HeadObject"): _get_object(),
    ("s3", "GetObject"): _get_object(),
    ("s3", "GetObjectAttributes"): _get_object("s3:GetObjectAttributes"),
    ("s3", "PutObject"): _put_object,
    ("s3", "CopyObject"): _copy_object,
    ("s3", "DeleteObject"): _on("s3:DeleteObject", _object),
    ("s3", "DeleteObjects"): _delete_objects,
    ("s3", "ListObjectsV2"): _list_objects,
    ("s3", "HeadBucket"): _on("s3:ListBucket", _bucket),
    ("s3", "ListObjectVersions"): _on("s3:ListBucketVersions", _bucket),
    **_same("ssm", "ssm", _parameter, "GetParameter", "DeleteParameter", "GetParametersByPath"),
    ("ssm", "GetParameters"): _parameters("ssm:GetParameters"),
    ("ssm", "PutParameter"): _put_parameter,
    ("ssm", "CreateOpsItem"): _on("ssm:CreateOpsItem", lambda _params, place: place.arn("ssm", "opsitem/new")),
    **_same("sns", "sns", _given("TopicArn"), "Publish"),
    **_same("sqs", "sqs", _queue, "SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    **_same("sqs", "sqs", _queue, "ChangeMessageVisibility"),
    **_same("sqs", "sqs", _queue, "DeleteQueue"),
    ("sqs", "CreateQueue"): _new_queue,
    **_same("events", "events", _rule, "PutTargets", "RemoveTargets", "DeleteRule"),
    ("events", "PutRule"): _tagging("events:PutRule", _rule, "events:TagResource"),
    **_same("iam", "iam", _role, "GetRole", "DeleteRole", "PutRolePolicy", "DeleteRolePolicy"),
    ("iam", "CreateRole"): _tagging("iam:CreateRole", _role, "iam:TagRole"),
    **_same("s3", "s3", _bucket, "CreateBucket", "PutBucketTagging", "DeleteBucket"),
    **_same("logs", "logs", _group, "DeleteLogGroup"),
    ("sqs", "SendMessageBatch"): _on("sqs:SendMessage", _queue),
    ("sqs", "DeleteMessageBatch"): _on("sqs:DeleteMessage", _queue),
    ("sqs", "ChangeMessageVisibilityBatch"): _on("sqs:ChangeMessageVisibility", _queue),
    ("sqs", "GetQueueUrl"): _on("sqs:GetQueueUrl", _named("sqs", "", "QueueName")),
    ("lambda", "Invoke"): _on("lambda:InvokeFunction", _function),
    **_same("lambda", "lambda", _function, "GetFunction", "GetFunctionConfiguration"),
    ("events", "PutEvents"): _put_events,
    **_same("logs", "logs", _group, "CreateLogGroup", "FilterLogEvents"),
    **_same("logs", "logs", _log_stream, "PutLogEvents", "GetLogEvents"),
    ("logs", "CreateLogStream"): _on("logs:CreateLogStream", _log_stream),
    **_free(
        "application-autoscaling",
        "application-autoscaling",
        "DescribeScalableTargets",
        "DescribeScalingPolicies",
        "DescribeScalingActivities",
    ),
    ("application-autoscaling", "RegisterScalableTarget"): _scaling("application-autoscaling:RegisterScalableTarget"),
    ("application-autoscaling", "DeregisterScalableTarget"): _scaling(
        "application-autoscaling:DeregisterScalableTarget"
    ),
    ("application-autoscaling", "PutScalingPolicy"): _scaling("application-autoscaling:PutScalingPolicy"),
    ("application-autoscaling", "DeleteScalingPolicy"): _scaling("application-autoscaling:DeleteScalingPolicy"),
    ("sts", "GetCallerIdentity"): _nothing,  # AWS answers it without a permission
}
