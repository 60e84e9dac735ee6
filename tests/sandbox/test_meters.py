"""What is installed over moto and botocore is gone once it is closed."""

import botocore.utils
from moto.cloudwatch.models import Alarm, CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from sluice.sandbox.cloud.clock import Clock
from sluice.sandbox.meters import Meters

PATCHED = (
    CloudWatchBackend,
    CloudWatchResponse,
    SageMakerModelBackend,
    SageMakerResponse,
    SageMakerRuntimeResponse,
    FakeEndpointConfig,
    Alarm,
    botocore.utils,
)


def test_closing_gives_moto_back_as_it_was(clock: Clock) -> None:
    before = [dict(vars(owner)) for owner in PATCHED]

    Meters(clock, lambda event: None).close()

    assert [dict(vars(owner)) for owner in PATCHED] == before
