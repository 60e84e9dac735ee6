"""moto made honest: the clock, the gate and the service behaviours, put together and taken apart in the right order."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import boto3
from moto import mock_aws
from moto.moto_api._internal import mock_random

from sluice.sandbox import environs
from sluice.sandbox.cloud import (
    backends,
    dynamodb_hooks,
    iam_hooks,
    lambda_hooks,
    light_hooks,
    quick_hooks,
    remembered_reads,
    s3_hooks,
    scaling_hooks,
    ssm_hooks,
    url_hooks,
    urls,
)
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.cloud.clock import Clock
from sluice.sandbox.cloud.clockwork import Clockwork
from sluice.sandbox.cloud.delivery import LATENCY_SECONDS, Delivery
from sluice.sandbox.cloud.functions import Runtime
from sluice.sandbox.cloud.gate import Gate
from sluice.sandbox.cloud.handoff import Handoff
from sluice.sandbox.cloud.iam import Authorizer, RolePolicies, bucket_decision
from sluice.sandbox.cloud.invocations import Invocations
from sluice.sandbox.cloud.sources import Sources
from sluice.sandbox.cloud.streams import Streams
from sluice.sandbox.patches import Undo

# Whoever runs the sandbox may have an AWS profile, a region, or another AWS behind AWS_ENDPOINT_URL: nothing of that may be seen
# here, and no call may go there.
_NO_PROFILE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_DEFAULT_REGION": Place().region,
}

_RARE_COLLECTIONS = (1_000_000, 20, 100)
"""moto, botocore and pulumi are a million objects that never die, and looking through them a quarter of all time. What a day of virtual
time leaves behind for the collector are thirty thousand: they wait for the end of the account."""


@lru_cache
def _session() -> boto3.Session:
    """One session for all sandboxes of the process: it keeps the parsed service models, which are dear to make."""
    return boto3.Session("sandbox", "sandbox", region_name=Place().region)


class Cloud:
    """An AWS account in this process, in virtual time. Use as a context manager; one at a time."""

    def __init__(
        self,
        start: datetime,
        *,
        seed: int = 1,
        patience_seconds: float = 60.0,
        event_seconds: float = LATENCY_SECONDS,
    ) -> None:
        """`event_seconds` is what EventBridge takes from an event to its target."""
        self.place = Place()
        self.clock = Clock(start, patience_seconds=patience_seconds)
        self._roles: dict[str, RolePolicies | None] = {}
        self.authorizer = Authorizer(self._role)
        self.gate = Gate(self.clock, self.authorizer, self.place)
        self.functions = Runtime(self.clock, self.gate, self.authorizer, self.place)
        self.invocations = Invocations(self.functions)
        self.handoff = Handoff(self.functions)
        self.delivery = Delivery(self.clock, self.functions, self.handoff, self.place, latency_seconds=event_seconds)
        self.sources = Sources(self.clock, self.gate, self.functions, self.place)
        self.streams = Streams(self.clock, self.gate, self.functions, self.place)
        self.clockwork = Clockwork(self.clock, self.gate, self.authorizer)
        self.lights: dict[tuple[str, str], light_hooks.Light] = {
            ("stepfunctions", "DescribeExecution"): light_hooks.Remembered(self._execution),
            ("lambda", "Invoke"): self.invocations,
        }
        """By service and operation. Whoever adds some is behind the gate with them."""
        self.table_writes = 0
        """Calls so far that may have changed a DynamoDB table."""
        self._seed = seed
        self._moto: Any = None
        self._environ: dict[str, str] = {}
        self._collections = gc.get_threshold()
        self._undos: list[Undo] = []

    def start(self) -> None:
        self._collections = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(*_RARE_COLLECTIONS)
        self._moto = mock_aws(
            config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
        )
        self._environ = dict(os.environ)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            os.environ.pop(name)
        os.environ.update(_NO_PROFILE)
        self._moto.start()
        boto3.DEFAULT_SESSION = _session()  # moto puts the old one back when it stops
        mock_random.seed(self._seed)  # ids moto makes are equal in equal runs
        self.clock.start()
        self._undos = [
            environs.install_started_processes(),
            quick_hooks.install_quick_calls(),
            quick_hooks.install_quick_answers(),
            quick_hooks.install_direct_requests(),
            remembered_reads.install_remembered_reads(self._wrote),
            quick_hooks.install_parsed_paths(),
            quick_hooks.install_compiled_dataclasses(),
            light_hooks.install_light_answers(self.place.region, self.lights),
            dynamodb_hooks.install_light_transactions(),
            dynamodb_hooks.install_transaction_memory(self.clock.now),
            lambda_hooks.install_dead_letter_targets(),
            scaling_hooks.install_scaling_removal(),
            url_hooks.install_urls_per_alias(),
            url_hooks.install_url_requests(self._url_request),
            ssm_hooks.install_ops_items(),
            s3_hooks.install_locked_copies(),
            s3_hooks.install_bucket_policies(bucket_decision),
            iam_hooks.install_role_watch(self._roles.clear),
        ]
        for part in self._parts():
            part.install()

    def stop(self) -> None:
        """Stop the clock first: parked handlers unwind while everything they touch still stands."""
        self.clock.stop()
        for part in reversed(self._parts()):
            part.uninstall()
        while self._undos:
            self._undos.pop()()
        if self._moto is not None:
            self._moto.stop()
            self._moto = None
            os.environ.clear()
            os.environ.update(self._environ)
        gc.collect()  # of this account alone while all else is frozen; left to itself it would be kept until the process ends
        gc.set_threshold(*self._collections)
        gc.unfreeze()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _url_request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """A request from this process: its caller is whose key signed it. What checks signatures is the server, not this."""
        caller = urls.caller_of(headers.get("Authorization", ""), self.place)
        answered = urls.answer(self.functions, urls.UrlRequest(url, method, headers, body), caller)
        return answered.status, answered.headers, answered.body

    def _role(self, arn: str) -> RolePolicies | None:
        """Every call and every line of a log asks for a role; it is read once between two requests to IAM."""
        if arn not in self._roles:
            self._roles[arn] = backends.role(self.place, arn)
        return self._roles[arn]

    def _wrote(self) -> None:
        self.table_writes += 1

    def _execution(self, params: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """How an execution looks that is asked for."""
        found = backends.execution(self.place, str(params.get("executionArn")))
        return None if found is None else light_hooks.attributes(found)

    def _parts(self) -> list[Any]:
        return [
            self.gate,
            self.functions,
            self.invocations,
            self.handoff,
            self.delivery,
            self.sources,
            self.streams,
            self.clockwork,
        ]
