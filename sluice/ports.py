"""What the use cases need from the world, as Protocols. `sluice.aws` speaks to AWS, `sluice.sim` keeps it in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sluice.core.actions import (
    DeregisterTarget,
    EnsureConfig,
    EnsureModel,
    RegisterTarget,
    SetAlarm,
    SetInstances,
    SetWeights,
    StartClock,
)
from sluice.core.adoption import FoundEndpoint
from sluice.core.audit import Change, Event
from sluice.core.conditions import Hook
from sluice.core.errors import SluiceError
from sluice.core.head import Head
from sluice.core.observation import (
    AlarmFacts,
    ConfiguredVariant,
    EndpointFacts,
    HookAnswer,
    ModelPackage,
    Row,
    SmokeFacts,
)
from sluice.core.policy import LatencyMetric
from sluice.core.record import Document
from sluice.core.release import Release
from sluice.core.rollout import Rollout, ScalingTarget
from sluice.core.rows import Reading


class StoreUnavailable(SluiceError):
    """The table did not answer or refused. Not a lost race: nobody else decided."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last tick: when, what it said, and when facts were last complete. Not part of the audited state.

    `findings` are the judge's, by metric, where it had rows to judge.
    """

    at: int
    good_at: int
    because: str
    parts: Mapping[str, int]
    status: str
    findings: tuple[Mapping[str, Any], ...] = ()


class Store(Protocol):
    """The record of truth. Every method may raise StoreUnavailable."""

    def head(self, endpoint: str) -> Head | None: ...

    def commit(self, change: Change) -> None:
        """Write the change if the head is still the expected one; raises StaleRecord when it is not."""

    def heartbeat(self, endpoint: str) -> Heartbeat | None: ...

    def beat(self, endpoint: str, heartbeat: Heartbeat) -> None: ...

    def unfinished(self) -> tuple[str, ...]:
        """Endpoints with a live rollout or a clean-up that is due some time."""

    def endpoints(self) -> tuple[str, ...]: ...

    def events(self, endpoint: str, first: int = 1, last: int | None = None) -> Iterable[Event]:
        """The audit events numbered `first` to `last` (None: the newest), in order."""

    def ended(self, endpoint: str, rollout_id: str) -> Rollout | None: ...


class Endpoints(Protocol):
    """SageMaker. Every change may raise EndpointBusy."""

    def describe(self, endpoint: str) -> EndpointFacts: ...

    def configured(self, config_name: str) -> Mapping[str, ConfiguredVariant]: ...

    def release_of(self, config_name: str) -> Release:
        """The release that the bootstrap configuration's tags name."""

    def found(self, endpoint: str) -> FoundEndpoint:
        """An endpoint that somebody else made."""

    def ensure_model(self, action: EnsureModel) -> None: ...

    def ensure_config(self, action: EnsureConfig) -> None: ...

    def update(self, endpoint: str, config_name: str) -> None: ...

    def set_weights(self, action: SetWeights) -> None: ...

    def set_instances(self, action: SetInstances) -> None: ...

    def smoke(self, endpoint: str, slot: str, release: Release) -> SmokeFacts: ...


class Scaling(Protocol):
    """Autoscaling of slots."""

    def targets(self, endpoint: str, slots: Iterable[str]) -> tuple[ScalingTarget, ...]:
        """What is registered among these slots."""

    def register(self, action: RegisterTarget) -> None: ...

    def deregister(self, action: DeregisterTarget) -> None: ...


class Alarms(Protocol):
    """CloudWatch alarms."""

    def states(self, names: Iterable[str]) -> Mapping[str, AlarmFacts]: ...

    def force(self, action: SetAlarm) -> None: ...


class Metrics(Protocol):
    """CloudWatch metrics."""

    def rows(self, reading: Reading) -> tuple[Row, ...]:
        """One row for each complete minute in [since, until); what has no data is absent from it."""

    def quantiles(
        self, endpoint: str, slot: str, metrics: Mapping[str, LatencyMetric], since: int, until: int
    ) -> Mapping[str, Mapping[str, float]]:
        """p50, p90 and p99 of each metric over that time, in microseconds; a metric without data is absent."""


class Artifacts(Protocol):
    """Where model archives lie."""

    def faults(self, release: Release) -> tuple[str, ...]:
        """Why the archive is not what the release says; empty when it is."""


class Registry(Protocol):
    """SageMaker's model registry. Read, never written: the call that marks an entry is the one that approves it."""

    def entry(self, package_arn: str) -> ModelPackage:
        """The entry; one that does not exist has no status. Raises what else goes wrong."""


class Clocks(Protocol):
    """What makes ticks happen."""

    def start(self, action: StartClock) -> None:
        """Start a clock; starting the same one twice is one start."""

    def runs(self, name: str) -> bool: ...


class Mirrors(Protocol):
    """The champion parameter."""

    def write(self, endpoint: str, document: Mapping[str, str | int | None]) -> None: ...

    def read(self, endpoint: str) -> Mapping[str, str | int | None] | None: ...


class Evidence(Protocol):
    """Where the rows behind decisions are kept for good: CloudWatch changes late minutes and forgets all after 15 days."""

    def keep(self, digest: str, text: str) -> None:
        """Keep a text under its own digest; keeping it again changes nothing."""


class Hooks(Protocol):
    """Other people's code. Never raises: what went wrong is an answer that does not agree."""

    def ask(self, hook: Hook, call: Document) -> HookAnswer:
        """A gate: agreed only if it says so."""

    def tell(self, hook: Hook, call: Document) -> HookAnswer:
        """A hook that is only told: agreed when it took the call."""


class Time(Protocol):
    """The clock on the wall, in whole seconds since the epoch."""

    def __call__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a use case may touch."""

    store: Store
    endpoints: Endpoints
    alarms: Alarms
    metrics: Metrics
    artifacts: Artifacts
    clocks: Clocks
    mirrors: Mirrors
    now: Time
    scaling: Scaling
    evidence: Evidence
    hooks: Hooks
    registry: Registry
