"""Cases of the tables in `resources.sagemaker`."""

from __future__ import annotations

import pulumi_aws as aws

from tests.sandbox.engine.cases.case import Case
from tests.sandbox.stacks import client, configuration, model

CASES = (
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
)
