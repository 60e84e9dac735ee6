"""Patches of moto's SageMaker runtime, pinned to 5.2.5: InvokeEndpoint is answered by a release's code, out of an artifact in moto's S3.

What a request comes to is decided by `serving`. Contract tests in tests/sandbox/hosting/test_serving_hooks.py.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlparse

from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from sluice.sandbox.hosting.loading import Fetch
from sluice.sandbox.hosting.serving import Runtime, RuntimeFault
from sluice.sandbox.patches import Undo, replaced


def moto_artifacts(account: str) -> Fetch:
    """Reads model artifacts out of moto's S3, for whichever role."""

    def fetch(url: str, role_arn: str) -> bytes:  # noqa: ARG001 - moto's own store asks for no role
        from moto.s3.models import s3_backends

        place = urlparse(url)
        found = s3_backends[account]["aws"].get_object(place.netloc, place.path.lstrip("/"))
        if place.scheme != "s3" or found is None:
            raise FileNotFoundError(f"no such object: {url}")
        value: bytes = found.value
        return value

    return fetch


def install_runtime(runtime: Runtime) -> Undo:
    """InvokeEndpoint is served by the release's own code."""

    def invoke(response: SageMakerRuntimeResponse) -> tuple[int, dict[str, str], str | bytes]:
        headers = {name.lower(): value for name, value in dict(response.headers).items()}
        body = response.body if isinstance(response.body, bytes) else str(response.body or "").encode()
        endpoint = response.path.split("/")[2]
        try:
            reply = runtime.invoke(
                endpoint,
                body,
                headers.get("content-type") or "application/json",
                headers.get("accept") or "application/json",
                headers.get("x-amzn-sagemaker-target-variant"),
            )
        except RuntimeFault as fault:
            return _error(400, "ValidationError", {"Message": str(fault), "message": str(fault)})
        served = reply.served
        if served.status >= 400:
            return _error(424, "ModelError", _model_error(endpoint, reply.slot, served.status, served.fault))
        shown = {"Content-Type": served.content_type, "x-Amzn-Invoked-Production-Variant": reply.slot}
        return 200, shown, served.body

    return replaced(SageMakerRuntimeResponse, "invoke_endpoint", invoke)


def _model_error(endpoint: str, slot: str, status: int, fault: str) -> dict[str, Any]:
    party = "server" if status >= 500 else "client"
    text = f'Received {party} error ({status}) from {slot} with message "{fault}".'
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    return {"Message": text, "OriginalStatusCode": status, "OriginalMessage": fault, "LogStreamArn": group}


def _error(status: int, code: str, content: Mapping[str, Any]) -> tuple[int, dict[str, str], str]:
    headers = {"status": str(status), "x-amzn-ErrorType": code, "Content-Type": "application/json"}
    return status, headers, json.dumps(content)
