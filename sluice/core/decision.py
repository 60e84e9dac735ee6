"""What one pass decides: the next head record, the actions, and the sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sluice.core.actions import Action, Asks, Mirror, Notify, Severity, StartClock
from sluice.core.errors import SluiceError
from sluice.core.head import Head
from sluice.core.rollout import Phase, Rollout

NOW_SECONDS = 5
"""Pace while something is in motion: a weight call takes seconds, a rollback must be re-asserted quickly."""
BUSY_SECONDS = 30
"""Pace while SageMaker builds a fleet, which takes minutes."""
BAKE_SECONDS = 60
"""Pace of judging: CloudWatch's metrics for SageMaker come by the minute."""
SOAK_SECONDS = 300
"""Pace of the soak, half of the shortest allowed `max_blind`: alarms act at once anyway, and a soak lasts a day."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`kind` names the audit event; None means nothing changed and nothing is recorded.

    `record_after_actions` turns intent-first around for the one case where the record says that the call was accepted.
    """

    next: Head
    because: str
    kind: str | None = None
    actions: tuple[Action, ...] = ()
    wait_seconds: int = BAKE_SECONDS
    record_after_actions: bool = False


def live(head: Head) -> Rollout:
    """The live rollout; a caller that has none made a mistake."""
    if head.live is None:
        raise SluiceError(f"endpoint {head.endpoint!r} has no live rollout: nothing can be decided about one")
    return head.live


def stay(head: Head, because: str, wait_seconds: int, *actions: Action) -> Decision:
    """Nothing changes; a sentence, and perhaps calls that only repeat what was decided before."""
    return Decision(head, because, actions=actions, wait_seconds=wait_seconds)


def change(head: Head, kind: str, because: str, wait_seconds: int, *actions: Action, **fields: Any) -> Decision:
    """The live rollout changes in `fields`; the sentence is kept with it."""
    rollout = replace(live(head), because=because, **fields)
    return Decision(replace(head, live=rollout), because, kind, actions, wait_seconds)


def enter(
    head: Head, phase: Phase, now: int, because: str, wait_seconds: int, *actions: Action, **fields: Any
) -> Decision:
    """The live rollout enters a phase; the event is named after it and the champion mirror follows."""
    decided = change(head, phase.value, because, wait_seconds, *actions, phase=phase, phase_since=now, **fields)
    return replace(decided, actions=(*decided.actions, mirror(decided.next)))


def with_clock(decided: Decision) -> Decision:
    """The same decision with the next generation of the clock started after it; the one before finds itself replaced."""
    rollout = live(decided.next)
    following = replace(rollout, clock_generation=rollout.clock_generation + 1)
    clock = StartClock(rollout.endpoint, rollout.id, following.clock_name)
    return replace(decided, next=replace(decided.next, live=following), actions=(*decided.actions, clock))


def mirror(head: Head) -> Mirror:
    """The head's copy for readers that must not need the table."""
    rollout = head.live
    return Mirror(
        head.endpoint,
        {
            "champion_slot": head.champion.slot,
            "champion_release": head.champion.release.name,
            "champion_digest": head.champion.release.digest,
            "rollout": rollout.id if rollout else None,
            "phase": rollout.phase.value if rollout else None,
            "from_slot": rollout.from_slot if rollout else None,
            "to_slot": rollout.to_slot if rollout else None,
            "first_exposure_at": rollout.first_exposure_at if rollout else None,
            "canary_parts": rollout.canary_parts if rollout else None,
        },
    )


def page(head: Head, subject: str, text: str, about: str = "") -> Notify:
    return Notify(Severity.PAGE, head.endpoint, subject, text, about)


def ticket(head: Head, subject: str, text: str, about: str = "", *, asks: Asks | None = None) -> Notify:
    return Notify(Severity.TICKET, head.endpoint, subject, text, about, asks)


def duration_text(seconds: int) -> str:
    """`45 s`, `6 min`, `6 min 30 s`, `25 h`: as long as needed, never a fraction."""
    minutes, rest = divmod(max(seconds, 0), 60)
    if not minutes:
        return f"{rest} s"
    if minutes >= 120 and not rest and not minutes % 60:
        return f"{minutes // 60} h"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
