"""Asynchronous invocations: accepted at once, run as a clock entry, retried after 1 and 2 minutes, then dead-lettered.

Decides when an attempt happens and where a failure goes; running one is `functions`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.functions import Outcome, Runtime
from sluice.sandbox.cloud.gate import Principal

RETRY_PAUSES_SECONDS = (60.0, 120.0)  # Lambda's documented pauses before the second and third attempt


@dataclass(frozen=True, slots=True)
class Lost:
    """An event that ended nowhere: no dead-letter target, or no permission to write to it."""

    function: str
    body: bytes
    error: str


@dataclass
class Handoff:
    """Takes events for functions off the caller's hands."""

    runtime: Runtime
    lost: list[Lost] = field(default_factory=list)

    def install(self) -> None:
        self.runtime.asynchronously = self.accept

    def uninstall(self) -> None:
        self.runtime.asynchronously = None

    def accept(self, function_arn: str, body: bytes) -> None:
        """Run the function soon; from here on only Lambda's own retries remain."""
        self._schedule(function_arn, body, attempt=1, pause=0.0)

    def _schedule(self, arn: str, body: bytes, *, attempt: int, pause: float) -> None:
        clock = self.runtime.clock
        when = clock.now() + timedelta(seconds=pause)
        clock.spawn(when, lambda: self._attempt(arn, body, attempt), f"{arn.rpartition('function:')[2]} (async)")

    def _attempt(self, arn: str, body: bytes, attempt: int) -> None:
        function = self.runtime.find(arn)
        if function is None:
            self.lost.append(Lost(arn, body, "the function was deleted"))
            return
        outcome = self.runtime.run(function, body, arn)
        if outcome.error is None:
            return
        allowed = _configuration(function).get("MaximumRetryAttempts", len(RETRY_PAUSES_SECONDS))
        if attempt <= allowed:
            self._schedule(arn, body, attempt=attempt + 1, pause=RETRY_PAUSES_SECONDS[attempt - 1])
        else:
            self._give_up(function, arn, body, outcome, attempt)

    def _give_up(self, function: Any, arn: str, body: bytes, outcome: Outcome, attempts: int) -> None:
        destination = _configuration(function).get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        sends: list[Callable[[], None]] = []
        if function.dead_letter_target:
            sends.append(lambda: self._send(function.dead_letter_target, body.decode(), _reason(outcome)))
        if destination:
            record = self._record(arn, body, outcome, attempts)
            sends.append(lambda: self._send(destination, json.dumps(record), {}))
        if not sends:
            self.lost.append(Lost(function.function_name, body, outcome.error or ""))
        with self.runtime.gate.acting_as(Principal(function.role, function.function_name)):
            for send in sends:
                self._try(function, body, send)

    def _try(self, function: Any, body: bytes, send: Callable[[], None]) -> None:
        try:
            send()
        except ClientError as error:
            self.lost.append(Lost(function.function_name, body, str(error)))

    def _send(self, target: str, body: str, attributes: dict[str, str]) -> None:
        named = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
        service, name = target.split(":")[2], target.rpartition(":")[2]
        if service == "sqs":
            url = f"https://sqs.{self.runtime.place.region}.amazonaws.com/{self.runtime.place.account}/{name}"
            self._sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=named)
        elif service == "sns":
            self._sns.publish(TopicArn=target, Message=body, MessageAttributes=named)
        else:
            raise NotImplementedError(f"failed events can go to SQS and SNS in the sandbox, not to {target}")

    def _record(self, arn: str, body: bytes, outcome: Outcome, attempts: int) -> dict[str, Any]:
        return {
            "version": "1.0",
            "timestamp": self.runtime.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": outcome.request_id,
                "functionArn": arn,
                "condition": "RetriesExhausted",
                "approximateInvokeCount": attempts,
            },
            "requestPayload": json.loads(body or b"{}"),
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": None if outcome.refused else json.loads(outcome.payload),
        }

    @cached_property
    def _sqs(self) -> Any:
        return boto3.client("sqs", region_name=self.runtime.place.region)

    @cached_property
    def _sns(self) -> Any:
        return boto3.client("sns", region_name=self.runtime.place.region)


def _configuration(function: Any) -> dict[str, Any]:
    configured: dict[str, Any] = function.event_invoke_config[0].config if function.event_invoke_config else {}
    return configured


def _reason(outcome: Outcome) -> dict[str, str]:
    message = outcome.payload.decode() if outcome.refused else json.loads(outcome.payload).get("errorMessage", "")
    return {"RequestID": outcome.request_id, "ErrorCode": "200", "ErrorMessage": message[:1024] or "unknown"}
