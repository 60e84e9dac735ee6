"""A drill between rollouts: the whole way back is gone through, from an alarm to an accepted weight call, and nothing moves.

Every rollout rehearses its own; this is for the weeks in which none is submitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sluice.core.actions import Action, SetAlarm, SetWeights
from sluice.core.conditions import frozen
from sluice.core.decision import BUSY_SECONDS, NOW_SECONDS, Decision, duration_text, page, stay
from sluice.core.head import Drill, Head
from sluice.core.observation import AlarmFacts, EndpointFacts
from sluice.core.weights import WHOLE

GIVE_UP_SECONDS = 10 * 60
"""The queue delivers again within seconds and a busy endpoint is free within a minute: no answer by then is none at all."""
ANSWERED, GOOD, FAILED = "drill_answered", "drilled", "drill_failed"
"""Kinds of audit events."""


def drill_alarm(head: Head) -> str | None:
    """Of the idle slot, because one of the slot that serves would look like an outage; and not the one that rehearsals set off,
    if there is another: it could not go off for a rollout that begins in this minute. None before the first submission.
    """
    if head.snapshot is None:
        return None
    known = [head.snapshot.alarms[slot] for slot in head.slots if slot != head.champion.slot]
    return next((name for alarms in known for name in (*alarms.rails, *reversed(alarms.relative))), None)


def ask(head: Head, seen: EndpointFacts, alarm: AlarmFacts | None, now: int) -> Decision:
    """Set the alarm off, or say why not now. Never while anything is under way, stopped or frozen."""
    reason = next(_reasons_not_to(head, seen, alarm, now), None)
    if reason is not None or head.snapshot is None or alarm is None:
        return stay(head, f"no drill: {reason}", BUSY_SECONDS)
    target = head.snapshot.policy.rollback.target_seconds
    drill = Drill(alarm.name, now, target, dict(seen.desired_parts))
    after = replace(head, drill=drill)
    because = f"drill: setting off {alarm.name}"
    call = SetAlarm(alarm.name, "ALARM", f"Sluice drill of {head.endpoint}", mark(after))
    return Decision(after, because, "drill_asked", (call,), NOW_SECONDS)


def mark(head: Head) -> str:
    """What the drill's alarm is marked with, to be told from a real one; empty without a drill."""
    return f"{head.endpoint}-drill-{head.drill.asked_at}" if head.drill else ""


def answered(head: Head, detected_at: int, now: int) -> Decision:
    """The weight call of a real way back, with the weights there are; recorded once it was accepted."""
    drill = head.drill
    if drill is None or drill.decided_at is not None:
        return stay(head, "this drill was answered already", NOW_SECONDS)
    call = SetWeights(head.endpoint, drill.weights, None)
    after = replace(head, drill=replace(drill, detected_at=detected_at, decided_at=now))
    because = f"drill answered: alarm to decision in {now - drill.asked_at} s"
    return replace(Decision(after, because, ANSWERED, (call,), NOW_SECONDS), record_after_actions=True)


def conclude(head: Head, seen: EndpointFacts, alarm: AlarmFacts | None, acted_at: int | None, now: int) -> Decision:
    """Good once the weights are what they were and the alarm is OK again; a page when it was not answered, or too late."""
    drill = head.drill
    if drill is None:
        return stay(head, "no drill is under way", BUSY_SECONDS)
    stands = seen.in_service and seen.serves(drill.weights) and alarm is not None and alarm.state == "OK"
    if acted_at is None or not stands:
        over = () if acted_at is None or alarm is None or alarm.state == "OK" else (_alarm_over(head, drill),)
        return _waiting(head, drill, acted_at, now, *over)
    because = f"drill of {drill.alarm}: {_stations(drill, acted_at, now)}"
    ended, target = replace(head, drill=None), duration_text(drill.target_seconds)
    if acted_at - drill.asked_at > drill.target_seconds:
        return _failed(head, f"{because}; promised within {target}")
    return Decision(replace(ended, drilled_at=now), f"{because}; within the target of {target}", GOOD)


def _alarm_over(head: Head, drill: Drill) -> SetAlarm:
    """Not left to CloudWatch: it looks at an alarm without data when it likes."""
    return SetAlarm(drill.alarm, "OK", f"Sluice drill of {head.endpoint} is over", mark(head))


def _waiting(head: Head, drill: Drill, acted_at: int | None, now: int, *actions: Action) -> Decision:
    lasted = now - drill.asked_at
    what = "nothing answered" if acted_at is None else "endpoint and alarm were not what they were before"
    if lasted <= GIVE_UP_SECONDS:
        return stay(head, f"drill of {drill.alarm} for {duration_text(lasted)}: {what}, so far", BUSY_SECONDS, *actions)
    return _failed(head, f"drill of {drill.alarm}: after {duration_text(lasted)} {what}")


def _failed(head: Head, because: str) -> Decision:
    told = page(head, f"{head.endpoint}: drill failed", because)
    return Decision(replace(head, drill=None), because, FAILED, (told,))


def _stations(drill: Drill, acted_at: int, now: int) -> str:
    """Each from the moment at which the alarm was set off."""
    stations = {"detected": drill.detected_at, "decided": drill.decided_at, "acted": acted_at, "verified": now}
    return ", ".join(f"{name} +{duration_text((at or now) - drill.asked_at)}" for name, at in stations.items())


def _reasons_not_to(head: Head, seen: EndpointFacts, alarm: AlarmFacts | None, now: int) -> Iterator[str]:
    if head.let_go_at is not None:
        yield "its stack is gone"
    if head.live is not None or head.queued is not None:
        yield "a rollout is under way"
    if head.stop is not None:
        yield f"{head.stop.by} stopped every step up: {head.stop.reason}"
    if head.snapshot is None or alarm is None:
        yield "nothing was ever rolled out here, so it has no alarm to set off"
    elif (freeze := frozen(head.snapshot.policy.freeze, now)) is not None:
        yield f"freeze {freeze.name!r} is on"
    if head.drill is not None:
        yield "one is under way"
    if head.scaling or head.revision is not None or (head.cleanup is not None and now >= head.cleanup.due):
        yield "the endpoint is being put in order"
    if not seen.in_service or not seen.serves({**dict.fromkeys(seen.parts, 0), head.champion.slot: WHOLE}):
        yield f"endpoint is {seen.status} with traffic at {dict(seen.parts)}"
    if alarm is not None and alarm.state != "OK":
        yield f"{alarm.name} is {alarm.state}"
