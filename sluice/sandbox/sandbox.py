"""The embedded AWS account with the real program on it: releases are uploaded, `up` runs, traffic flows, virtual time passes.

Puts the parts together; what each of them does is its own module's. One at a time in a process.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from sluice.aws.clients import client, once
from sluice.aws.store import DynamoStore
from sluice.core.audit import Event
from sluice.core.head import Head
from sluice.sandbox.cloud import backends
from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.delivery import LATENCY_SECONDS
from sluice.sandbox.cloud.gate import Principal
from sluice.sandbox.engine.program import Engine, RunResult
from sluice.sandbox.hosting.traffic import Load, Traffic
from sluice.sandbox.meters import Meters, MeterSettings
from sluice.sandbox.watch.alarm_actions import topics_told
from sluice.sandbox.watch.alarm_hooks import moto_alarms
from sluice.sandbox.watch.metric_wire import put_datum

REPOSITORY = Path(__file__).parents[2]
PROJECT, STACK = "sluice", "dev"
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""A Monday morning. Any fixed time would do: equal runs print equal times."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a sandbox is made with."""

    seed: int = 1
    start: datetime = START
    meters: MeterSettings = field(default_factory=MeterSettings)
    event_seconds: float = LATENCY_SECONDS


@dataclass(frozen=True, slots=True)
class _Kept:
    """A head that was read: from which text, and after how many writes to tables that was looked at last."""

    writes: int
    written: str | None
    head: Head


class Sandbox:
    """Use as a context manager. `config` holds the stack's configuration; `up` runs the program with it.

    Keys without a namespace are the project's own, `aws:...` and others are given whole.
    """

    def __init__(self, setting: Setting = Setting(), program: Path = REPOSITORY / "infra") -> None:
        self.cloud = Cloud(setting.start, seed=setting.seed, event_seconds=setting.event_seconds)
        self.engine = Engine()
        self.config: dict[str, Any] = {"protect": True}
        self._setting = setting
        self.program = program
        self._meters: Meters | None = None
        self._traffic: list[Traffic] = []
        self._heads: dict[str, _Kept] = {}

    def __enter__(self) -> Self:
        self.cloud.start()
        client.cache_clear()  # clients made outside would talk to an AWS that is not there
        once.cache_clear()
        settings = self._setting.meters
        self._meters = Meters(self.cloud.clock, self._happened, settings, fetch=self._fetch)
        self.cloud.lights.update(self._meters.lights())
        self.cloud.functions.on_metrics = self._put_metrics
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for traffic in self._traffic:
            traffic.stop()
        if self._meters is not None:
            self._meters.close()
        self.cloud.stop()

    @property
    def meters(self) -> Meters:
        if self._meters is None:
            raise RuntimeError("the sandbox is not running: use it as a context manager")
        return self._meters

    @property
    def store(self) -> DynamoStore:
        """The control plane's records, read as the operator."""
        return DynamoStore(f"{PROJECT}-{STACK}")

    def upload(self, folder: Path) -> None:
        """Put a release folder's archive where its release.json says, with the checksum S3 computes."""
        document = json.loads((folder / "release.json").read_text())
        location = urlsplit(document["artifact"]["url"])
        body = (folder / "model.tar.gz").read_bytes()
        s3 = client("s3")
        if location.netloc not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=location.netloc)
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        key = location.path.lstrip("/")
        s3.put_object(Bucket=location.netloc, Key=key, Body=body, ChecksumAlgorithm="SHA256", ChecksumSHA256=checksum)

    def up(self) -> RunResult:
        """`pulumi up`."""
        return self.engine.up(self.program, PROJECT, STACK, self._texts())

    def preview(self) -> RunResult:
        """`pulumi preview`."""
        return self.engine.preview(self.program, PROJECT, STACK, self._texts())

    def refresh(self) -> RunResult:
        """`pulumi refresh`."""
        return self.engine.refresh(self._texts())

    def destroy(self) -> RunResult:
        """`pulumi destroy`."""
        return self.engine.destroy(self._texts())

    def traffic(self, endpoint: str, load: Load) -> Traffic:
        """Clients that send from now on."""
        traffic = self.meters.traffic(endpoint, load)
        traffic.start()
        self._traffic.append(traffic)
        return traffic

    def head(self, endpoint: str) -> Head:
        """The endpoint's record. Asked after every event of the clock, so it is looked at only when some table was written to, and
        read and decoded only when it changed."""
        writes, kept = self.cloud.table_writes, self._heads.get(endpoint)
        if kept is not None and kept.writes == writes:
            return kept.head
        written = backends.text_in(self.cloud.place, self.store.table, f"E#{endpoint}", "HEAD", "document")
        if kept is None or kept.written != written:
            head = self.store.head(endpoint)
            if head is None:
                raise LookupError(f"endpoint {endpoint!r} has no record: run `up` first")
            kept = _Kept(writes, written, head)
        self._heads[endpoint] = replace(kept, writes=writes)
        return kept.head

    def events(self, endpoint: str) -> list[Event]:
        return list(self.store.events(endpoint))

    def model_url(self, model_name: str) -> str:
        """Where the archive of a SageMaker model lies."""
        url: str = client("sagemaker").describe_model(ModelName=model_name)["PrimaryContainer"]["ModelDataUrl"]
        return url

    def run_until(self, reached: Callable[[], bool], limit_seconds: float = 48 * 3600) -> bool:
        """Let virtual time pass until something is so; False when the limit came first."""
        return self.cloud.clock.run_for(limit_seconds, reached)

    def _texts(self) -> Mapping[str, str]:
        values = {key if ":" in key else f"{PROJECT}:{key}": value for key, value in self.config.items()}
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}

    def _happened(self, event: Mapping[str, Any]) -> None:
        """An event of AWS's own goes on the bus; a change of an alarm goes to the topics it names as well, as CloudWatch's own call."""
        self.cloud.delivery.publish(event)
        for told in topics_told(event, moto_alarms(self._setting.meters.account, self._setting.meters.region)()):
            self.cloud.clock.call_after(
                self._setting.event_seconds,
                partial(client("sns").publish, **told),
                f"alarm action to {told['TopicArn']}",
            )

    def _put_metrics(self, namespace: str, data: list[dict[str, Any]]) -> None:
        """What CloudWatch does with EMF lines in the functions' logs."""
        for datum in data:
            put_datum(self.meters.store, namespace, datum)

    def _fetch(self, url: str, role_arn: str) -> bytes:
        """SageMaker reads the archive as the endpoint's execution role."""
        location = urlsplit(url)
        with self.cloud.gate.acting_as(Principal(role_arn, "sagemaker")):
            answer = client("s3").get_object(Bucket=location.netloc, Key=location.path.lstrip("/"))
        body: bytes = answer["Body"].read()
        return body
