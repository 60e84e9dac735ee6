"""The endpoint's adapter where AWS does not answer at all; what it asks for in good times the sandbox proves."""

from __future__ import annotations

from botocore.exceptions import ReadTimeoutError

from sluice.aws.clients import client
from sluice.aws.endpoint import SageMakerEndpoints
from tests.builders import release


def test_a_model_that_never_answers_its_sample_inputs_has_failed_its_smoke_test() -> None:
    """And is not merely something that nobody could look at."""

    def silence(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://runtime")

    client("sagemaker-runtime").meta.events.register_first("before-send.sagemaker-runtime.*", silence)

    facts = SageMakerEndpoints().smoke("shop", "green", release("v2"))

    assert facts.fault == "sample input 0 of v2 was tried more than once and got no answer in time"
