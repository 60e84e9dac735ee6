"""What a caller of an endpoint may do, as an IAM document: the platform makes its managed policy of it, other accounts their own."""

from __future__ import annotations

from typing import Any


def invoke_document(endpoint_arn: str, champion_parameter: str, outcome_namespace: str) -> dict[str, Any]:
    """Ask the endpoint, read who serves, record what came of it. `TargetVariant` would bypass the weights and a rollback."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            _allow(
                "InvokeByWeight",
                "sagemaker:InvokeEndpoint",
                endpoint_arn,
                {"Null": {"sagemaker:TargetVariant": "true"}},
            ),
            _allow("ReadChampion", "ssm:GetParameter", parameter_arn(endpoint_arn, champion_parameter)),
            # PutMetricData has no resource level; the namespace is the stack's own.
            _allow(
                "RecordOutcomes",
                "cloudwatch:PutMetricData",
                "*",
                {"StringEquals": {"cloudwatch:namespace": outcome_namespace}},
            ),
        ],
    }


def parameter_arn(endpoint_arn: str, parameter: str) -> str:
    """Of an SSM parameter beside the endpoint: in its partition, region and account."""
    arn, partition, _, region, account, _ = endpoint_arn.split(":", 5)
    return f"{arn}:{partition}:ssm:{region}:{account}:parameter{parameter}"


def _allow(sid: str, action: str, resource: str, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Action": [action], "Resource": [resource]}
    return {**statement, "Condition": condition} if condition else statement
