"""What a decision wants done, as plain data. A closed set: `sluice.tick.apply` matches every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sluice.core.release import Release
from sluice.core.rollout import EndpointSettings, ScalingTarget


class Severity(StrEnum):
    """PAGE wakes somebody, TICKET waits for the morning."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class VariantSpec:
    """One production variant of an endpoint configuration. The weight is the one used only if retention fails."""

    slot: str
    model_name: str
    instance_type: str
    instances: int
    weight: int


@dataclass(frozen=True, slots=True)
class EnsureModel:
    """Create the SageMaker model unless it exists; names are content-addressed, so existing means equal."""

    name: str
    release: Release
    settings: EndpointSettings


@dataclass(frozen=True, slots=True)
class EnsureConfig:
    """Create the endpoint configuration unless it exists."""

    name: str
    variants: tuple[VariantSpec, ...]
    settings: EndpointSettings


@dataclass(frozen=True, slots=True)
class UpdateEndpoint:
    """Move the endpoint to a configuration, keeping the live weights and counts of slots it already has."""

    endpoint: str
    config_name: str


@dataclass(frozen=True, slots=True)
class SetWeights:
    """Ask for weights (parts by slot, weights only, never counts). A raise must not be issued at or after `call_before`."""

    endpoint: str
    parts: Mapping[str, int]
    call_before: int | None

    @property
    def is_raise(self) -> bool:
        return self.call_before is not None


@dataclass(frozen=True, slots=True)
class SetInstances:
    """Ask for an instance count on one slot. Never part of a rollback: it takes minutes."""

    endpoint: str
    slot: str
    instances: int


@dataclass(frozen=True, slots=True)
class RegisterTarget:
    """Register a slot for autoscaling as said, with its scaling policies; registered already, it is changed to that."""

    endpoint: str
    target: ScalingTarget


@dataclass(frozen=True, slots=True)
class DeregisterTarget:
    """Take a slot's registration and its scaling policies away."""

    endpoint: str
    slot: str


@dataclass(frozen=True, slots=True)
class SetAlarm:
    """Force an alarm's state: the rehearsal's trigger and its clean-up."""

    name: str
    state: str
    reason: str
    rehearsal_of: str | None


@dataclass(frozen=True, slots=True)
class StartClock:
    """Start the Step Functions execution that ticks this rollout."""

    endpoint: str
    rollout_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """Copy who serves and what is being tried to the champion parameter, for readers that must not need the table."""

    endpoint: str
    document: Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Asks:
    """The step (its index) that waits for approval, and whether its policy takes it by a link."""

    step: int
    by_link: bool


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell people. It is kept in the decision's audit event and sent from there, so a decision that records nothing tells nobody.

    `about` names a condition that more than one event may tell of: people hear of it once in a rollout. Empty: of this event alone.
    `asks` is there where the reader is asked to approve.
    """

    severity: Severity
    endpoint: str
    subject: str
    text: str
    about: str = ""
    asks: Asks | None = None


Action = (
    EnsureModel
    | EnsureConfig
    | UpdateEndpoint
    | SetWeights
    | SetInstances
    | RegisterTarget
    | DeregisterTarget
    | SetAlarm
    | StartClock
    | Mirror
    | Notify
)
