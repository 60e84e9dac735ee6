"""What a stack's configuration comes to once it is read: its endpoints, and what the program asks of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sluice.core.policy import Policy
from sluice.core.release import Release
from sluice.core.rollout import EndpointSettings, Fallback, ScalingMode


@dataclass(frozen=True, slots=True)
class Owner:
    """In whose name the control plane makes models and configurations: how their names begin, their role, and their tags."""

    name_root: str
    execution_role_arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CaptureSpec:
    """What is kept of requests and answers: 0 percent for nothing. `destination` None is the stack's own bucket. `said` tells a
    choice from a default: of an adopted endpoint nothing is captured that nobody asked for.
    """

    percent: int
    destination: str | None
    said: bool


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """One guarded endpoint of a stack, as configured. `adopt`: it exists already and stays whoever's it is; only its traffic is ours."""

    name: str
    endpoint_name: str
    release: Release
    policy: Policy
    slots: tuple[str, str]
    instances: int
    scaling: ScalingMode
    rps: float | None
    nonce: str
    capture: CaptureSpec
    kms_key_arn: str | None
    adopt: bool
    fallback: Fallback | None = None

    @property
    def releases(self) -> tuple[Release, ...]:
        """All that are configured: what is asked for, and the fallback."""
        return (self.release,) if self.fallback is None else (self.release, self.fallback.release)

    def settings(self, owner: Owner, capture_url: str) -> EndpointSettings:
        """What every endpoint configuration of this endpoint shares, once it is known where captures go."""
        capture = {
            "EnableCapture": True,
            "InitialSamplingPercentage": self.capture.percent,
            "DestinationS3Uri": capture_url,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        }
        kept = capture if self.capture.percent else None
        return EndpointSettings(owner.name_root, owner.execution_role_arn, self.kms_key_arn, kept, dict(owner.tags))


@dataclass(frozen=True, slots=True)
class AuditSpec:
    """How the archive of audit events is locked. `compliance`: nobody, not even the account's root, can delete before the time is over."""

    retention_days: int = 400
    mode: Literal["governance", "compliance"] = "governance"


@dataclass(frozen=True, slots=True)
class DrillSpec:
    """When drills begin (a schedule as EventBridge writes it), and after how many seconds without a good one a ticket is opened."""

    schedule: str
    too_old_seconds: int


@dataclass(frozen=True, slots=True)
class StackSpec:
    """A whole stack's configuration.

    `artifact_buckets` are those of the configured releases and those named besides: a champion released from a bucket that
    no configured release uses any more must stay readable, or it could not be verified or restored.

    `control_plane` is the whole name of the stack whose control plane serves this one's endpoints, None for its own; `reach` are
    the names (or beginnings of names, with a `*` at the end) of other stacks' endpoints that this stack's control plane serves.
    """

    endpoints: tuple[EndpointSpec, ...]
    artifact_buckets: tuple[str, ...]
    protect: bool
    log_retention_days: int
    audit: AuditSpec = AuditSpec()
    control_plane: str | None = None
    reach: tuple[str, ...] = ()
    drills: DrillSpec | None = None
    link_seconds: int | None = None
    """For how long signed links are good; None makes none."""
    collector: str | None = None
    """Where spans go; None: nowhere."""
    model_package_groups: tuple[str, ...] = ()
    """Groups of the model registry that entries are read from: those of the configured releases and those named besides."""
    collector_headers: str | None = None
    """The SecureString with what the collector wants to be sent besides; None: nothing."""

    @property
    def served_by(self) -> tuple[str, str] | None:
        """Project and stack of the control plane, where it is another stack's."""
        if self.control_plane is None:
            return None
        _organization, project, stack = self.control_plane.split("/")
        return project, stack

    @property
    def adopts(self) -> bool:
        """Whether an endpoint is served that outlives its stack; other stacks may have one."""
        return any(endpoint.adopt for endpoint in self.endpoints) or bool(self.reach)
