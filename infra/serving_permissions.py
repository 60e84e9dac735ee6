"""What the endpoint's own role may do, what callers of the endpoint need, and who may put events into the queues."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import cast

from infra.endpoint_names import champion_parameter, endpoint_arn, endpoint_log_group
from infra.iam_documents import Document, Statement, allow, document
from infra.place import Place
from infra.resource_names import Names
from sluice.client.access import invoke_document
from sluice.core.errors import BadInput
from sluice.schema import EndpointSpec

_ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<repository>[^@:]+).*"
)


def execution_document(
    names: Names, endpoint: EndpointSpec, artifact_buckets: Sequence[str], capture_url: str
) -> Document:
    """What SageMaker does in the endpoint's name: fetch the artifact and the image, write logs, metrics and captures."""
    buckets = [names.place.bucket_arn(bucket) for bucket in artifact_buckets]
    log_group = names.place.arn("logs", f"log-group:{endpoint_log_group(endpoint.endpoint_name)}")
    return document(
        allow("ReadArtifacts", ["s3:GetObject"], [f"{bucket}/*" for bucket in buckets]),
        allow("SeeMissingArtifacts", ["s3:ListBucket"], buckets),
        allow(
            "PullImage",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            sorted({repository_arn(release.image, names.place) for release in endpoint.releases}),
        ),
        # A login token is for the whole registry: GetAuthorizationToken has no resource level.
        allow("LogInToRegistry", ["ecr:GetAuthorizationToken"], ["*"]),
        allow(
            "WriteContainerLogs",
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [log_group, f"{log_group}:*"],
        ),
        # PutMetricData has no resource level; the namespaces are SageMaker's own.
        allow(
            "PublishMetrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
        ),
        *_captures(names, endpoint, capture_url),
    )


def _captures(names: Names, endpoint: EndpointSpec, url: str) -> Iterator[Statement]:
    if endpoint.capture.percent:
        bucket, _, prefix = url.removeprefix("s3://").rstrip("/").partition("/")
        below = f"{prefix}/*" if prefix else "*"
        yield allow("WriteCaptures", ["s3:PutObject"], [f"{names.place.bucket_arn(bucket)}/{below}"])


def repository_arn(image: str, place: Place) -> str:
    """The ECR repository of an image; raises BadInput for an image that lies elsewhere."""
    found = _ECR_IMAGE.fullmatch(image)
    if found is None:
        raise BadInput(
            (
                f"image {image!r}: SageMaker pulls from ECR only. Give it as "
                "<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>.",
            )
        )
    return f"arn:{place.partition}:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"


def caller_document(names: Names, endpoint: str) -> Document:
    """For application teams. It is `sluice.client`'s, which makes the same for roles of other accounts."""
    made = invoke_document(endpoint_arn(names, endpoint), champion_parameter(names, endpoint), names.outcome_namespace)
    return cast(Document, made)


def queue_document(sid: str, queue_arn: str, rule_arns: list[str]) -> Document:
    """These rules may send to one queue. No other rule of the account, and nobody else."""
    return document(
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["sqs:SendMessage"],
            "Resource": [queue_arn],
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arns}},
        }
    )
