"""What an alarm event means. The fast way back: one record read, no observation, no judge."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sluice.core.actions import SetWeights
from sluice.core.blame import Blame, attribute_firing
from sluice.core.decision import NOW_SECONDS, Decision, change, duration_text, live, page, stay, with_clock
from sluice.core.drill import answered, mark
from sluice.core.head import Head
from sluice.core.revert import roll_back
from sluice.core.rollout import Phase, Rollout

LATE_SECONDS = 5 * 60
"""Events take seconds, and a few tries of a busy endpoint or table a minute or two."""


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One state change of one alarm. `rehearsal_of` is the rollout or drill it was marked with, and only a claim; `taken_at` is
    when we had the event, None where nobody looked at the clock.
    """

    name: str
    state: str
    since: int
    reason: str
    rehearsal_of: str | None = None
    taken_at: int | None = None


def react(head: Head, event: AlarmEvent, now: int) -> Decision:
    """Roll back, answer a rehearsal, or record why not. Safe to hand the same event twice, late, or out of order."""
    if event.state != "ALARM":
        return stay(head, f"{event.name} is {event.state}: nothing to do, a latch stays", NOW_SECONDS)
    rollout = head.live
    if (
        rollout is None
        and head.drill is not None
        and event.name == head.drill.alarm
        and event.rehearsal_of == mark(head)
    ):
        return answered(head, event.taken_at or now, now)
    if rollout is None:
        return _note(head, event, "no rollout is live", now)
    if rollout.is_latched:
        return roll_back(head, now, f"alarm:{event.name}", event.reason, harmful=True)
    if _is_rehearsal(rollout, event):
        return _answer(head, rollout, now)
    attribution = attribute_firing(rollout, event.name, event.since)
    if attribution.blame is Blame.CANARY:
        # A fresh clock looks at once whether the weights are back; the old one may be waiting out a bake.
        return with_clock(roll_back(head, now, f"alarm:{event.name}", attribution.because, harmful=True))
    return _note(head, event, attribution.because, now)


def _is_rehearsal(rollout: Rollout, event: AlarmEvent) -> bool:
    """The mark alone proves nothing: anybody may set an alarm's state. Phase, alarm and a canary at 0 must agree."""
    drill = rollout.rehearsal
    return (
        rollout.phase is Phase.REHEARSING
        and drill is not None
        and event.name == drill.alarm
        and event.rehearsal_of == rollout.id
        and rollout.canary_parts == 0
    )


def _answer(head: Head, rollout: Rollout, now: int) -> Decision:
    """The same weight call a real rollback makes, which here changes nothing; recorded once it was accepted."""
    drill = rollout.rehearsal
    if drill is None or drill.answered_at is not None:
        return stay(head, "this rehearsal was answered already", NOW_SECONDS)
    because = f"rehearsal answered: alarm to accepted weight call in {now - drill.asked_at} s"
    call = SetWeights(rollout.endpoint, rollout.stable_weights, None)
    decided = change(head, "rehearsal_answered", because, NOW_SECONDS, call, rehearsal=replace(drill, answered_at=now))
    return replace(decided, record_after_actions=True)


def _note(head: Head, event: AlarmEvent, why: str, now: int) -> Decision:
    """An alarm nobody acts on is recorded and told, never swallowed. An event that was long on its way says so: it may be over."""
    late = now - event.since
    when = f" {duration_text(late)} ago" if late >= LATE_SECONDS else ""
    because = f"alarm {event.name} went off{when} and nothing was changed: {why}"
    told = page(head, f"{head.endpoint}: alarm without action", because, f"alarm:{event.name}:{event.since}")
    return Decision(head, because, "alarm_noted", (told,), NOW_SECONDS)


def late_rollback(head: Head, event: AlarmEvent, canary_parts_seen: int) -> bool:
    """Whether the weights were already taken back before the table could be written (`recorded_late`)."""
    rollout = head.live
    return rollout is not None and not rollout.is_latched and rollout.canary_parts > 0 and canary_parts_seen == 0


def is_latched(head: Head) -> bool:
    return head.live is not None and live(head).is_latched
