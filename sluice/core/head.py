"""What is remembered about an endpoint in one record: who serves, what is being tried, what is owed, and how the last try ended.

All times are whole seconds since the epoch. Nothing here decides; `decide` and its neighbours do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sluice.core.orders import Said
from sluice.core.policy import Policy
from sluice.core.release import Release
from sluice.core.rollout import (
    UNKNOWN,
    EndpointSettings,
    Fallback,
    Phase,
    Rollout,
    ScalingMode,
    ScalingTarget,
    SlotAlarms,
)


@dataclass(frozen=True, slots=True)
class Submission:
    """A release handed over, and the snapshot its rollout will run on. `submitted_by` may not approve it."""

    schema: int
    endpoint: str
    release: Release
    nonce: str
    policy: Policy
    slots: tuple[str, ...]
    alarms: Mapping[str, SlotAlarms]
    settings: EndpointSettings
    instances: int
    scaling: ScalingMode = ScalingMode.SUSPEND
    submitted_by: str = UNKNOWN
    is_emergency: bool = False
    fallback: Fallback | None = None
    rps: float | None = None
    """All traffic that is expected, for the forecast that is kept with the rollout; None when nobody said."""


@dataclass(frozen=True, slots=True)
class Champion:
    """The release that serves when nothing is being tried, and the slot it sits in."""

    slot: str
    release: Release


@dataclass(frozen=True, slots=True)
class Standby:
    """The release that stayed warm at weight 0 after the soak, and the SageMaker model by which it is known again."""

    slot: str
    release: Release
    model_name: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A release (by artifact and image) that did harm, and until when it is refused."""

    content: str
    release_name: str
    until: int
    cause: str


@dataclass(frozen=True, slots=True)
class Cleanup:
    """A slot to give up once `due`: the failed canary after its evidence time, or the old champion after the soak."""

    slot: str
    due: int
    asked_at: int | None


@dataclass(frozen=True, slots=True)
class Revision:
    """An instance count asked for beside any release, until the control plane has brought the champion's slot to it."""

    instances: int
    called_at: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rollout ended, for people and for the next `pulumi up`."""

    rollout_id: str
    release_name: str
    release_digest: str
    nonce: str
    phase: Phase
    because: str
    ended_at: int


@dataclass(frozen=True, slots=True)
class Drill:
    """A game day between rollouts: an alarm of the idle slot was set off, and its way to an accepted weight call is measured.

    `weights` are those that the call repeats; `detected_at` is when the alarm function had the event, `decided_at` when it had
    decided. The event of the answer has the time at which the call was accepted.
    """

    alarm: str
    asked_at: int
    target_seconds: int
    weights: Mapping[str, int]
    detected_at: int | None = None
    decided_at: int | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Everything about one endpoint that decisions need, in one record: one read, one conditional write.

    `settings` and `instances` are what was last asked for beside releases, whether or not it is carried out yet. `scaling` is
    what was registered before it was suspended, until it stands again. `let_go_at` is set when the endpoint's stack was destroyed;
    the record only remembers from then on, until an endpoint of that name is taken over again. `theirs`: somebody
    else made the endpoint, and it outlives the stack. `stop` keeps every step from beginning until it is lifted; `queued` is
    tried when nothing is live any more; `snapshot` is the last ordinary submission that was tried. `drill` is under way;
    `drilled_at` is when the last good one ended.
    """

    schema: int
    endpoint: str
    slots: tuple[str, ...]
    settings: EndpointSettings
    instances: int
    champion: Champion
    previous: tuple[Release, ...]
    live: Rollout | None
    outcome: Outcome | None
    quarantine: tuple[Quarantine, ...]
    cleanup: Cleanup | None
    revision: Revision | None
    scaling: tuple[ScalingTarget, ...]
    let_go_at: int | None
    theirs: bool
    version: int
    chain: str
    fallback: Fallback | None = None
    stop: Said | None = None
    queued: Submission | None = None
    snapshot: Submission | None = None
    standby: Standby | None = None
    drill: Drill | None = None
    drilled_at: int | None = None

    @property
    def is_unfinished(self) -> bool:
        """Whether the sweep has something to look after."""
        waiting = (self.live, self.cleanup, self.revision, self.queued, self.drill)
        return any(item is not None for item in waiting) or bool(self.scaling)
