"""The IAM documents of a probe: what its caller needs, and what its endpoint's role may do."""

from __future__ import annotations

import re
from typing import Any

from sluice.probe.things import NAMESPACE, PREFIX, Names

Document = dict[str, Any]
_ECR = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^@:]+).*")


def _allow(sid: str, actions: str, resources: list[str], condition: Document | None = None) -> Document:
    """`actions` are a service and its verbs: "sqs: CreateQueue DeleteQueue"."""
    service, _, verbs = actions.partition(": ")
    statement: Document = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"{service}:{verb}" for verb in verbs.split()],
        "Resource": resources,
    }
    return {**statement, "Condition": condition} if condition else statement


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def caller_policy(account: str, region: str, partition: str = "aws") -> Document:
    """What whoever runs `sluice probe` needs: on things named sluice-probe-*, and on nothing else."""

    def arns(service: str, *resources: str) -> list[str]:
        return [f"arn:{partition}:{service}:{region}:{account}:{resource}" for resource in resources]

    ours = f"{PREFIX}*"
    role = [f"arn:{partition}:iam::{account}:role/{ours}"]
    bucket = f"arn:{partition}:s3:::{ours}"
    model = arns("sagemaker", f"model/{ours}")
    endpoint, config = arns("sagemaker", f"endpoint/{ours}"), arns("sagemaker", f"endpoint-config/{ours}")
    rule, queue = arns("events", f"rule/{ours}"), arns("sqs", ours)
    alarms, logs = arns("cloudwatch", f"alarm:{ours}"), arns("logs", f"log-group:/aws/sagemaker/Endpoints/{ours}")
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    namespace = {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}
    return _document(
        _allow("SeeEndpoints", "sagemaker: ListEndpoints", ["*"]),
        _allow("Models", "sagemaker: CreateModel DeleteModel", model),
        _allow("Configs", "sagemaker: CreateEndpointConfig DeleteEndpointConfig", config),
        _allow("Endpoints", "sagemaker: CreateEndpoint UpdateEndpoint", [*endpoint, *config]),
        _allow("Weights", "sagemaker: UpdateEndpointWeightsAndCapacities", endpoint),
        _allow("UseEndpoints", "sagemaker: DescribeEndpoint InvokeEndpoint DeleteEndpoint", endpoint),
        _allow("Tag", "sagemaker: AddTags", [*model, *config, *endpoint]),
        _allow("Role", "iam: CreateRole TagRole DeleteRole PutRolePolicy DeleteRolePolicy", role),
        _allow("LendRole", "iam: PassRole", role, to_sagemaker),
        # ListBucket, so that a bucket that is gone is said to be gone and not denied.
        _allow("Bucket", "s3: CreateBucket PutBucketTagging DeleteBucket ListBucket", [bucket]),
        _allow("Archive", "s3: PutObject DeleteObject", [f"{bucket}/*"]),
        _allow("Alarms", "cloudwatch: PutMetricAlarm TagResource DescribeAlarms SetAlarmState DeleteAlarms", alarms),
        # Neither has a resource level.
        _allow("ReadMetrics", "cloudwatch: GetMetricData", ["*"]),
        _allow("PutMetrics", "cloudwatch: PutMetricData", ["*"], namespace),
        _allow("Rule", "events: PutRule TagResource PutTargets RemoveTargets DeleteRule", rule),
        _allow("Queue", "sqs: CreateQueue TagQueue GetQueueUrl ReceiveMessage DeleteMessage DeleteQueue", queue),
        _allow("Logs", "logs: DeleteLogGroup", logs),
    )


def trust_policy() -> Document:
    service = {"Service": "sagemaker.amazonaws.com"}
    return _document({"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"})


def execution_policy(names: Names, image: str, model_data: str | None) -> Document:
    """What SageMaker does in the endpoint's name: read the archive, pull the image, write logs and metrics."""
    bucket = model_data.removeprefix("s3://").partition("/")[0] if model_data else names.bucket
    archive = f"arn:{names.partition}:s3:::{bucket}"
    found = _ECR.fullmatch(image)
    registry = f"arn:{names.partition}:ecr:{found[2]}:{found[1]}" if found else names.arn("ecr", "").rstrip(":")
    group = names.arn("logs", f"log-group:/aws/sagemaker/Endpoints/{names.base}")
    sagemakers = {"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}}
    pull = "ecr: BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer"
    write = "logs: CreateLogGroup CreateLogStream DescribeLogStreams PutLogEvents"
    return _document(
        _allow("ReadArchive", "s3: GetObject", [f"{archive}/*"]),
        _allow("SeeMissingArchive", "s3: ListBucket", [archive]),
        _allow("PullImage", pull, [f"{registry}:repository/{found[3] if found else '*'}"]),
        # A login token is for the whole registry, and metrics have no resource level.
        _allow("LogInToRegistry", "ecr: GetAuthorizationToken", ["*"]),
        _allow("WriteLogs", write, [group, f"{group}:*"]),
        _allow("PublishMetrics", "cloudwatch: PutMetricData", ["*"], sagemakers),
    )
