"""Lambda's Invoke operation: which function is run or handed off, and how the caller is told what came of it.

The usual request, a name or ARN and a document, is answered without HTTP: every tick is one. All others come from moto's request
handling, also those that are refused.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from botocore.response import StreamingBody

from sluice.sandbox.cloud import lambda_hooks
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.cloud.functions import Runtime
from sluice.sandbox.cloud.light_hooks import Params
from sluice.sandbox.patches import Undo

_USUAL = {"FunctionName", "Payload"}
_UNHANDLED = "Unhandled"


@dataclass(slots=True)
class Invocations:
    """Answers Invoke, as what moto asks and as the light answer of the usual request."""

    runtime: Runtime
    _undos: list[Undo] = field(default_factory=list)

    def install(self) -> None:
        self._undos = [lambda_hooks.install_lambda_invoke(self._from_moto)]

    def uninstall(self) -> None:
        while self._undos:
            self._undos.pop()()

    def answer(self, params: Params) -> dict[str, Any] | None:
        """What the caller of the usual request gets; None when Lambda would refuse, or the request is another."""
        if params.keys() != _USUAL:
            return None
        name, sent = params["FunctionName"], params["Payload"]
        if not isinstance(sent, bytes) or _fault(sent) is not None:
            return None
        function = self.runtime.find(name)
        if function is None or not self.runtime.may_run(function):
            return None
        outcome = self.runtime.run(function, sent, _invoked_arn(self.runtime.place, function, name, None))
        return {
            "StatusCode": int(HTTPStatus.OK),
            "ExecutedVersion": str(function.version),
            "Payload": StreamingBody(io.BytesIO(outcome.payload), len(outcome.payload)),
            **({"FunctionError": _UNHANDLED} if outcome.error else {}),
        }

    def learn(self, params: Params, answer: Mapping[str, Any]) -> None:
        """An invocation says nothing about the next one."""

    def _from_moto(
        self,
        _backend: Any,
        name: str,
        qualifier: str | None,
        body: Any,
        headers: Mapping[str, str],
        response_headers: MutableMapping[str, str],
    ) -> bytes:
        """From moto's request handling and back into it."""
        runtime = self.runtime
        function = runtime.function(name, qualifier)
        arn = _invoked_arn(runtime.place, function, name, qualifier)
        sent = _document(body)
        kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return b""
        if kind == "Event":
            if runtime.asynchronously is None:
                raise RuntimeError("asynchronous invocations need a Handoff: make one and install it")
            runtime.asynchronously(arn, sent)
            return b""
        outcome = runtime.run(function, sent, arn)
        if outcome.refused:
            raise lambda_hooks.lambda_error(str(outcome.error), outcome.payload.decode())
        if outcome.error:
            response_headers["x-amz-function-error"] = _UNHANDLED
        response_headers["x-amz-executed-version"] = str(function.version)
        response_headers["x-amz-log-result"] = base64.b64encode("\n".join(outcome.log).encode()[-4096:]).decode()
        return outcome.payload


def _invoked_arn(place: Place, function: Any, name: str, qualifier: str | None) -> str:
    plain = place.arn("lambda", f"function:{function.function_name}")
    named = name.partition(":function:")[2].partition(":")[2] if name.startswith("arn:") else name.partition(":")[2]
    asked = qualifier or named
    return f"{plain}:{asked}" if asked else plain


def _fault(sent: bytes) -> str | None:
    """Why it is no document; None where it is one, or nothing."""
    try:
        json.loads(sent or b"{}")
    except ValueError as error:
        return f"Could not parse request body into json: {error}"
    return None


def _document(body: Any) -> bytes:
    sent = body if isinstance(body, bytes) else str(body or "").encode()
    fault = _fault(sent)
    if fault is not None:
        raise lambda_hooks.lambda_error("InvalidRequestContentException", fault)
    return sent
