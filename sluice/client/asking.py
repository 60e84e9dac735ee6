"""InvokeEndpoint that remembers which variant answered: without that, no outcome can be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3

from sluice.client.contract import Serving


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said. `slot` is the variant that said it, None where SageMaker did not tell."""

    body: bytes
    content_type: str
    slot: str | None


class Endpoint:
    """One endpoint. Weights decide who answers; errors of AWS pass untouched, and so do boto3's retries and timeouts."""

    def __init__(self, serving: Serving, runtime: Any = None) -> None:
        """`runtime` is a boto3 `sagemaker-runtime` client, for settings or a role of one's own."""
        self.serving = serving
        self._runtime = runtime

    def ask(
        self, body: bytes, content_type: str = "text/csv", accept: str = "text/csv", *, pinned_to: str | None = None
    ) -> Answer:
        """One prediction. `pinned_to` bypasses the weights, and so a rollback: only ever what `Sticky` says."""
        if self._runtime is None:
            self._runtime = boto3.client("sagemaker-runtime", region_name=self.serving.region)
        target = {"TargetVariant": pinned_to} if pinned_to is not None else {}
        said = self._runtime.invoke_endpoint(
            EndpointName=self.serving.endpoint_name, Body=body, ContentType=content_type, Accept=accept, **target
        )
        return Answer(said["Body"].read(), said.get("ContentType", accept), said.get("InvokedProductionVariant"))
