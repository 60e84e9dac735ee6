"""One table per AWS service: how each Pulumi resource type is made, changed, read and removed.

Properties and computed outputs follow pulumi-aws 7, what replaces follows the Terraform provider beneath it. A type is
one `Kind`; a property it does not name and no botocore shape knows is an error, so nothing is lost in silence.
"""

from __future__ import annotations

from collections.abc import Mapping

from sluice.sandbox.engine.kinds import Kind
from sluice.sandbox.engine.resources import (
    autoscaling,
    cloudwatch,
    dynamodb,
    events,
    functions,
    iam,
    invocation,
    messaging,
    s3,
    sagemaker,
    ssm,
    stepfunctions,
)

_MODULES = (
    autoscaling, cloudwatch, dynamodb, events, functions, iam, invocation, messaging, s3, sagemaker, ssm, stepfunctions,
)  # fmt: skip

KINDS: Mapping[str, Kind] = {kind.type: kind for module in _MODULES for kind in module.KINDS}
