"""What is read of endpoints that Sluice did not make: their sort, and every setting it would not carry on."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from sluice.aws.adoption import found_endpoint

ROLE = "arn:aws:iam::123456789012:role/theirs"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """SageMaker's answers, in the shape botocore's model gives them; moto keeps too little of configurations."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
    }
    running = {
        "VariantName": "AllTraffic",
        "DesiredInstanceCount": 2,
        "DeployedImages": [{"ResolvedImage": "x@sha256:1"}],
    }
    source = {"S3DataSource": {"S3Uri": "s3://b/k", "S3DataType": "S3Object", "CompressionType": "Gzip"}}
    made: dict[str, dict[str, Any]] = {
        "endpoint": {"EndpointStatus": "InService", "EndpointConfigName": "c", "ProductionVariants": [running]},
        "config": {"EndpointConfigName": "c", "ProductionVariants": [variant], "EnableNetworkIsolation": False},
        "model": {
            "ModelName": "m",
            "ExecutionRoleArn": ROLE,
            "PrimaryContainer": {
                "Image": IMAGE,
                "Mode": "SingleModel",
                "ModelDataSource": source,
                "Environment": {"A": "1"},
            },
        },
    }

    class Answering:
        def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
            return made["endpoint"]

        def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
            return made["config"]

        def describe_model(self, ModelName: str) -> dict[str, Any]:
            return made["model"]

    monkeypatch.setattr("sluice.aws.adoption.client", lambda service: Answering())
    return made


def test_one_model_on_instances_is_read_whole(answers) -> None:
    found = found_endpoint("theirs")

    assert (found.status, found.variants, found.kind, found.extras) == ("InService", ("AllTraffic",), None, ())
    assert (found.artifact_url, found.environment, found.instance_type, found.instances) == (
        "s3://b/k",
        {"A": "1"},
        "ml.m5.large",
        2,
    )
    assert found.images == (IMAGE, "x@sha256:1")


@pytest.mark.parametrize(
    ("where", "change", "kind"),
    [
        ("config", {"AsyncInferenceConfig": {"OutputConfig": {}}}, "asynchronous"),
        (
            "config",
            {"ProductionVariants": [{"VariantName": "a", "ModelName": "m", "ServerlessConfig": {"MaxConcurrency": 1}}]},
            "serverless",
        ),
        ("config", {"ShadowProductionVariants": [{"VariantName": "s"}]}, "an endpoint with a shadow variant"),
        (
            "config",
            {"ProductionVariants": [{"VariantName": "a", "InstanceType": "ml.m5.large"}]},
            "made of inference components",
        ),
        ("model", {"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "a multi-model endpoint"),
        (
            "model",
            {"PrimaryContainer": None, "Containers": [{"Image": IMAGE}, {"Image": IMAGE}]},
            "an inference pipeline of several containers",
        ),
    ],
)
def test_a_sort_that_is_out_of_scope_is_named(answers, where: str, change: dict[str, Any], kind: str) -> None:
    answers[where].update(change)

    assert found_endpoint("theirs").kind == kind


def test_every_setting_that_would_be_dropped_is_named(answers) -> None:
    answers["config"]["ProductionVariants"][0]["RoutingConfig"] = {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
    answers["config"]["SomethingNewNextYear"] = {"a": 1}
    answers["model"]["VpcConfig"] = {"Subnets": ["s"]}
    answers["model"]["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["CompressionType"] = "None"

    assert found_endpoint("theirs").extras == (
        "RoutingConfig",
        "SomethingNewNextYear",
        "VpcConfig",
        "a ModelDataSource that is not one compressed archive",
    )


def test_two_variants_have_no_model_in_common(answers) -> None:
    answers["config"]["ProductionVariants"].append(
        {"VariantName": "b", "ModelName": "n", "InstanceType": "ml.m5.large"}
    )

    found = found_endpoint("theirs")

    assert found.variants == ("AllTraffic", "b")
    assert (found.artifact_url, found.images, found.instances) == (None, (), 0)


def test_an_endpoint_that_is_not_there_is_the_callers_error() -> None:
    with pytest.raises(boto3.client("sagemaker").exceptions.ClientError, match="Could not find"):
        found_endpoint("nobodys")
