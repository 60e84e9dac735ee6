"""How a rollout stands after an event: kept with each event, so that the event can be told to others by itself."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.core.head import Head
from sluice.core.rollout import Phase, Rollout
from sluice.core.weights import WHOLE

STANDING = "standing"
"""The key among an event's facts."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A rollout after an event. Times are seconds since the epoch; `step` counts from 1, 0 before the first."""

    id: str
    """The rollout's id: the same in every event of it."""
    release: str
    """What is tried, by name."""
    digest: str
    """Its digest."""
    stable: str
    """The release that served before."""
    from_slot: str
    """Stable's variant."""
    to_slot: str
    """The canary's variant."""
    phase: Phase
    """Where the rollout stands now."""
    phase_since: int
    """Since when."""
    entered: bool
    """Whether this event began the phase."""
    left_phase: Phase | None
    """The phase that it ended; null when it ended none."""
    left_since: int | None
    """Since when it had been in that phase."""
    started_at: int
    """When it was submitted."""
    step: int
    """The step it is in, from 1; 0 before the first."""
    steps: int
    """How many there are."""
    canary_percent: float
    """The weight asked for, for the canary."""


def standing(before: Head | None, after: Head) -> Standing | None:
    """How the rollout stands that an event from `before` to `after` is about; None for an event about none."""
    was = before.live if before else None
    now = after.live
    if now is not None:
        same = was if was is not None and was.id == now.id else None
        return _standing(now, now.phase, now.phase_since, same)
    if was is None or after.outcome is None:
        return None
    return _standing(was, after.outcome.phase, after.outcome.ended_at, was)


def _standing(rollout: Rollout, phase: Phase, since: int, before: Rollout | None) -> Standing:
    """`before` is the same rollout before the event. A phase that is entered again, such as the next step's, was left too."""
    entered = before is None or (before.phase, before.phase_since) != (phase, since)
    left = before if entered else None
    return Standing(
        id=rollout.id,
        release=rollout.release.name,
        digest=rollout.release.digest,
        stable=rollout.stable.name,
        from_slot=rollout.from_slot,
        to_slot=rollout.to_slot,
        phase=phase,
        phase_since=since,
        entered=entered,
        left_phase=left.phase if left else None,
        left_since=left.phase_since if left else None,
        started_at=rollout.started_at,
        step=rollout.step + 1,
        steps=len(rollout.policy.steps),
        canary_percent=rollout.canary_parts * 100 / WHOLE,
    )
