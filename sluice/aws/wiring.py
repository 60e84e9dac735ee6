"""Ports on AWS, from the environment that `infra` gives the functions. Reading it is all this does; no call is made."""

from __future__ import annotations

import os

from sluice.aws.endpoint import SageMakerEndpoints
from sluice.aws.evidence import S3Evidence
from sluice.aws.hooks import CalledHooks
from sluice.aws.registry import SageMakerRegistry
from sluice.aws.scaling import ApplicationAutoScaling
from sluice.aws.settled import SettledRows
from sluice.aws.store import DynamoStore
from sluice.aws.surroundings import ParameterMirrors, S3Artifacts, StepFunctionsClocks, wall_clock
from sluice.aws.watch import CloudWatchAlarms, CloudWatchMetrics
from sluice.ports import Ports

_SETTLED = SettledRows()
"""Outlives an invocation while its function is warm."""


def ports() -> Ports:
    """The control plane's ports."""
    return Ports(
        store=DynamoStore(os.environ["SLUICE_TABLE"]),
        endpoints=SageMakerEndpoints(),
        alarms=CloudWatchAlarms(),
        metrics=CloudWatchMetrics(_SETTLED),
        artifacts=S3Artifacts(),
        clocks=StepFunctionsClocks(os.environ["SLUICE_MACHINE_ARN"]),
        mirrors=ParameterMirrors(os.environ["SLUICE_PARAMETER_ROOT"]),
        now=wall_clock,
        scaling=ApplicationAutoScaling(),
        evidence=S3Evidence(os.environ.get("SLUICE_ARCHIVE", "")),
        hooks=CalledHooks(os.environ.get("SLUICE_KEY_PARAMETER")),
        registry=SageMakerRegistry(),
    )
