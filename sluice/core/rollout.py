"""A rollout: what is remembered of it, and the phases it moves through. The endpoint's record around it is `head`.

All times are whole seconds since the epoch. Nothing here decides; `decide` and its neighbours do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sluice.core.orders import NO_ORDERS, Orders
from sluice.core.policy import Policy, Step
from sluice.core.release import Release
from sluice.core.weights import WHOLE

SCHEMA = 1
"""Version of the stored records. Raise it together with an upgrade in `sluice.core.audit`."""
UNKNOWN = "unknown"
"""Who submitted, where nobody said."""


class Phase(StrEnum):
    """Where a rollout stands. The order is the order of a good life."""

    PENDING = "pending"
    PREPARING = "preparing"
    REHEARSING = "rehearsing"
    SHIFTING = "shifting"
    BAKING = "baking"
    AWAITING_APPROVAL = "awaiting_approval"
    PAUSED = "paused"
    SOAKING = "soaking"
    SETTLED = "settled"
    ROLLING_BACK = "rolling_back"
    VERIFYING = "verifying"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"


ENDED = frozenset({Phase.SETTLED, Phase.ROLLED_BACK, Phase.FAILED})
LATCHED = frozenset({Phase.ROLLING_BACK, Phase.VERIFYING})


@dataclass(frozen=True, slots=True)
class SlotAlarms:
    """Alarm names of one slot. `relative` blame the slot against the other one; `rails` are absolute limits."""

    relative: tuple[str, ...]
    rails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What every endpoint configuration of this endpoint shares. Changing it is a revision, not a release.

    `name_root` is how the names of models and configurations begin (`sluice.core.names`).
    """

    name_root: str
    execution_role_arn: str
    kms_key_arn: str | None
    data_capture: Mapping[str, Any] | None
    tags: Mapping[str, str]


class ScalingMode(StrEnum):
    """What happens to autoscaling while a release is tried."""

    SUSPEND = "suspend"
    KEEP = "keep"


SUSPENDED = ("in", "out", "scheduled")
"""All that Application Auto Scaling can suspend on a target."""


@dataclass(frozen=True, slots=True)
class ScalingTarget:
    """One slot's registration for autoscaling. `suspended` is a part of SUSPENDED, in that order; `policies` as AWS takes them."""

    slot: str
    min_instances: int
    max_instances: int
    suspended: tuple[str, ...]
    policies: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """How far preparation came: the names asked for, when the update was asked for, when the smoke test passed; and stable's model."""

    model_name: str
    config_name: str
    update_asked_at: int | None
    smoke_passed_at: int | None
    stable_model: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The rollback path's own drill: the alarm that was set off, when, and when the no-op weight call was accepted."""

    alarm: str
    asked_at: int
    answered_at: int | None


@dataclass(frozen=True, slots=True)
class Fallback:
    """A third, small, warm slot with a release that is known to work. At weight 0 until a person says that both others are bad."""

    slot: str
    release: Release
    instances: int


@dataclass(frozen=True, slots=True)
class Latch:
    """The decision to roll back. Once set it stays. `to` is the slot that takes everything where that is not stable's; `hooks_left`
    are those of the policy still to be called, by index.
    """

    at: int
    by: str
    cause: str
    harmful: bool
    weights_back_at: int | None
    to: str | None = None
    hooks_left: tuple[int, ...] = ()
    hook_tries: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """A weight of the canary: asked for when, seen when (None: not yet, or a person had changed it)."""

    step: int
    canary_parts: int
    asked_at: int
    seen_at: int | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """`rps` is all traffic, `error_rate` that of good times. `minutes` is how long a good release takes to its last step.

    `unproven` are the numbers of the steps whose longest bake is over before their margin on errors can be proven;
    `smallest_increase` is the factor on errors that nine of ten rollouts catch, None when not even fifty is.
    """

    rps: float
    error_rate: float
    minutes: int
    unproven: tuple[int, ...]
    smallest_increase: float | None


@dataclass(frozen=True, slots=True)
class Rollout:
    """One release moving from `from_slot` to `to_slot`. Both slots are fixed when it starts and never swap meaning.

    `quantiles` are stable's, in microseconds, of the hour before the first exposure, by latency metric and p50, p90, p99: read
    once and fixed, because what canary and stable are compared by must not move with either of them.
    `is_emergency` is a way back to a release that served before: no stop, freeze, approval or gate stands in its way.
    """

    id: str
    endpoint: str
    release: Release
    stable: Release
    from_slot: str
    to_slot: str
    policy: Policy
    alarms: Mapping[str, SlotAlarms]
    settings: EndpointSettings
    instances: int
    scaling: ScalingMode
    nonce: str
    started_at: int
    phase: Phase
    phase_since: int
    step: int
    canary_parts: int
    call_before: int | None
    applied_at: int | None
    first_exposure_at: int | None
    shifts: tuple[Shift, ...]
    quantiles: Mapping[str, Mapping[str, float]]
    incident_since: int | None
    prepared: Prepared | None
    rehearsal: Rehearsal | None
    latch: Latch | None
    forecast: Estimate | None
    clock_generation: int
    because: str
    fallback: Fallback | None = None
    submitted_by: str = UNKNOWN
    is_emergency: bool = False
    raised_from: int = 0
    orders: Orders = NO_ORDERS

    @property
    def is_latched(self) -> bool:
        return self.phase in LATCHED

    @property
    def current_step(self) -> Step:
        """The step in progress; only meaningful once shifting has begun."""
        return self.policy.steps[self.step]

    @property
    def weights(self) -> dict[str, int]:
        """The weights asked for, by slot. They always sum to WHOLE."""
        return {self.from_slot: WHOLE - self.canary_parts, self.to_slot: self.canary_parts}

    @property
    def stable_weights(self) -> dict[str, int]:
        """The weights that take everything back."""
        return {self.from_slot: 0, self.to_slot: 0, self.back_slot: WHOLE}

    @property
    def back_slot(self) -> str:
        """Where everything goes back to: stable's slot, unless a person fell back."""
        return self.from_slot if self.latch is None or self.latch.to is None else self.latch.to

    @property
    def back_release(self) -> Release:
        """What serves once everything is back."""
        if self.fallback is None or self.back_slot == self.from_slot:
            return self.stable
        return self.fallback.release

    @property
    def clock_name(self) -> str:
        """Name of the Step Functions execution that is this rollout's clock."""
        return f"{self.id}-g{self.clock_generation}"
