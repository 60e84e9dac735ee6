"""The ward's stack: a function that asks the triage endpoint, allowed to do that and nothing else."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_aws as aws
from access import allowed_here, allowed_there, allowed_to_log, trusting

from sluice.client.reference import SluiceStack, client_code

HERE = Path(__file__).resolve().parent

config = pulumi.Config()
platform = SluiceStack(config.require("platform"))
name = config.require("endpoint")
endpoint = platform.endpoint(name)

function = f"{pulumi.get_project()}-{pulumi.get_stack()}"
logs = aws.cloudwatch.LogGroup("ward", name=f"/aws/lambda/{function}", retention_in_days=30)
role = aws.iam.Role("ward", assume_role_policy=trusting("Service", "lambda.amazonaws.com"))
deployer = config.get("endpoint_account_role")
grant = allowed_there(role, endpoint, deployer) if deployer else allowed_here(role, endpoint)

ward = aws.lambda_.Function(
    "ward",
    name=function,
    runtime="python3.13",
    architectures=["arm64"],
    handler="app.handler",
    role=role.arn,
    timeout=30,
    memory_size=256,
    code=pulumi.AssetArchive({**client_code(), "app.py": pulumi.FileAsset(str(HERE / "app.py"))}),
    environment=aws.lambda_.FunctionEnvironmentArgs(
        variables={"SERVING": platform.serving_json(name), **grant.environment}
    ),
    opts=pulumi.ResourceOptions(depends_on=[allowed_to_log(role, logs), *grant.resources]),
)

pulumi.export("function", ward.name)
pulumi.export("asks", endpoint.endpoint_name)
