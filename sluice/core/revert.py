"""Going back: the latch, the re-asserted weights, the check that stable serves everything, and the ways a rollout ends badly."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.actions import Action, Notify, SetWeights
from sluice.core.decision import (
    BAKE_SECONDS,
    BUSY_SECONDS,
    NOW_SECONDS,
    Decision,
    change,
    duration_text,
    enter,
    live,
    mirror,
    page,
    stay,
    ticket,
)
from sluice.core.head import Champion, Cleanup, Head, Outcome, Quarantine
from sluice.core.observation import DELETED, Observation
from sluice.core.policy import Policy
from sluice.core.rollout import Latch, Phase, Rollout, SlotAlarms
from sluice.core.weights import percent_text

UNDO_SECONDS = 20
"""After `call_before`: how much longer a raise that was in flight could still land. Watched, and undone if it does."""
OVERDUE_SECONDS = 30 * 60
"""A rollback that is not back by then pages again, and again; it never stops trying on its own account."""
GIVE_UP_SECONDS = 24 * 3600
"""An endpoint that took no weight call for a day is for people and AWS support."""
GONE_SECONDS = 2 * 60
"""A slot that is not on the endpoint for so long, or an endpoint that is not found, was taken away and is not merely shown late."""
VERIFY_SECONDS = 15 * 60
"""Stable gets this long to look healthy once it has everything back."""


def roll_back(head: Head, now: int, by: str, cause: str, *, harmful: bool) -> Decision:
    """Latch the rollback: the canary goes to 0 and stays there. Idempotent: a second cause only repeats the call.

    `harmful` puts the release into quarantine for the policy's cool-down.
    """
    rollout = live(head)
    if rollout.is_latched:
        return stay(head, f"already rolling back: {rollout.because}", NOW_SECONDS, *_take_back(rollout))
    latch = Latch(now, by, cause, harmful, None)
    was = percent_text(rollout.canary_parts)
    because = f"rolling back {rollout.release.name} from {was}: {cause}"
    decided = enter(
        head, Phase.ROLLING_BACK, now, because, NOW_SECONDS, *_take_back(rollout), latch=latch, canary_parts=0
    )
    after = replace(
        decided.next,
        champion=Champion(rollout.from_slot, rollout.stable),
        quarantine=_quarantined(head, rollout, now, cause) if harmful else head.quarantine,
    )
    told = page(head, f"{head.endpoint}: rolling back {rollout.release.name}", because)
    return replace(decided, next=after, actions=(*decided.actions[:-1], mirror(after), told))


def rolling_back(head: Head, seen: Observation, now: int) -> Decision:
    """Re-assert stable's weights until they are seen, and until no raise can be in flight any more."""
    rollout = live(head)
    latch = _latch(rollout)
    back = seen.endpoint.serves(_present(rollout, seen))
    if back and now >= (rollout.call_before or 0) + UNDO_SECONDS:
        because = f"{_back_text(rollout)} has all traffic back after {duration_text(now - latch.at)}"
        hooks = tuple(range(len(rollout.policy.on_rollback)))
        latched = replace(latch, weights_back_at=now, hooks_left=hooks, hook_tries=0)
        return enter(head, Phase.VERIFYING, now, because, NOW_SECONDS if hooks else BAKE_SECONDS, latch=latched)
    if now - latch.at > GIVE_UP_SECONDS:
        because = f"no weight call was accepted for {duration_text(GIVE_UP_SECONDS)}: see the endpoint"
        return _failed(head, now, because)
    gone = _nowhere_to_go(rollout, seen)
    if gone and now - latch.at > GONE_SECONDS:
        return _failed(head, now, gone)
    if now - rollout.phase_since > OVERDUE_SECONDS:
        because = f"still rolling back after {duration_text(now - latch.at)}: {_endpoint_text(seen)}"
        told = page(head, f"{head.endpoint}: rollback overdue", because)
        return change(head, "rollback_overdue", because, BUSY_SECONDS, *_reassert(rollout, seen), told, phase_since=now)
    if back:
        return stay(head, "weights are back; waiting until no earlier call can still land", NOW_SECONDS)
    return stay(head, f"taking traffic back: {_endpoint_text(seen)}", _pace(latch, now), *_reassert(rollout, seen))


def verifying(head: Head, seen: Observation, now: int) -> Decision:
    """Watch stable until it looks healthy; a canary that gets traffic again is taken back again."""
    rollout = live(head)
    if not seen.endpoint.serves(_present(rollout, seen)):
        because = f"verifying {rollout.back_release.name}: {_endpoint_text(seen)}"
        if now - _latch(rollout).at > GIVE_UP_SECONDS:
            return _failed(head, now, f"not seen in order for {duration_text(GIVE_UP_SECONDS)}: {because}")
        return stay(head, because, _pace(_latch(rollout), now), *_reassert(rollout, seen))
    called = _hooks_called(head, seen)
    if called is not None:
        return called
    stables = rollout.alarms.get(rollout.back_slot, SlotAlarms((), ()))
    firing = [
        name for name in (*stables.relative, *stables.rails) if name in seen.alarms and seen.alarms[name].is_firing
    ]
    cause = _latch(rollout).cause
    if not firing:
        return _rolled_back(head, now, f"{rollout.release.name} was rolled back: {cause}", is_well=True)
    if now - rollout.phase_since > VERIFY_SECONDS:
        because = f"{rollout.release.name} was rolled back ({cause}), but stable's alarm {firing[0]} fires"
        return _rolled_back(head, now, because, is_well=False)
    return stay(head, f"verifying {rollout.back_release.name}: its alarm {firing[0]} still fires", BAKE_SECONDS)


def _hooks_called(head: Head, seen: Observation) -> Decision | None:
    """The policy's hooks, called since the weights are back. One that keeps failing is told of and left: stable serves."""
    rollout = live(head)
    latch = _latch(rollout)
    if not latch.hooks_left or seen.hooks is None:
        return None
    hooks = rollout.policy.on_rollback
    answers = list(zip(latch.hooks_left, seen.hooks, strict=True))
    failed = tuple(i for i, answer in answers if not answer.agreed)
    tries = latch.hook_tries + 1
    left = tuple(i for i in failed if tries <= hooks[i].retries)
    because = "after the rollback: " + "; ".join(f"{hooks[i].target} {answer.text}" for i, answer in answers)
    lost_now = [i for i in failed if i not in left]
    told = (page(head, f"{head.endpoint}: hook after the rollback failed", because),) if lost_now else ()
    after = replace(latch, hooks_left=left, hook_tries=tries)
    return change(head, "hooks_called", because, BAKE_SECONDS if left else NOW_SECONDS, *told, latch=after)


def lost(head: Head, seen: Observation, now: int) -> Decision:
    """The endpoint is gone, or in a state that only deleting ends: there is nothing left to shift, and people must know.

    That it is not found may also be a wrong answer, and an endpoint whose rollout ended as failed is looked after by nobody:
    so the way back is taken, and found out within two minutes.
    """
    rollout = live(head)
    state = f"endpoint {rollout.endpoint} is {seen.endpoint.status}"
    if seen.endpoint.status != DELETED:
        return _failed(head, now, f"{state} while {rollout.release.name} was {rollout.phase.value.replace('_', ' ')}")
    if rollout.latch is None:
        latched = roll_back(head, now, "tick", state, harmful=False)
        # Nothing is called on what is not there: the next look, seconds from now, does so if it finds it.
        return replace(latched, actions=tuple(a for a in latched.actions if not isinstance(a, SetWeights)))
    if now - rollout.latch.at > GONE_SECONDS:
        return _failed(head, now, f"{state}: not found again while {rollout.release.name} was taken back")
    return stay(head, f"{state}: looking for it again", NOW_SECONDS)


def blocked_seconds(rollout: Rollout, seen: Observation, now: int) -> int:
    """How long a rollback that is not back yet has been kept waiting by a busy endpoint; 0 when nothing waits."""
    latch = rollout.latch
    if latch is None or latch.weights_back_at is not None or seen.endpoint.in_service or rollout.step < 0:
        return 0
    return now - latch.at


def outcome_of(rollout: Rollout, phase: Phase, now: int, because: str) -> Outcome:
    """How a rollout ended, for the head record."""
    release = rollout.release
    return Outcome(rollout.id, release.name, release.digest, rollout.nonce, phase, because, now)


def _failed(head: Head, now: int, because: str) -> Decision:
    """Whoever is paged has to bring the endpoint in order."""
    return _end(
        head, Phase.FAILED, now, because, page(head, f"{head.endpoint}: {live(head).release.name} failed", because)
    )


def _rolled_back(head: Head, now: int, because: str, *, is_well: bool) -> Decision:
    """Whoever was paged when it began is not woken again because it went well."""
    tell = ticket if is_well else page
    told = tell(head, f"{head.endpoint}: {live(head).release.name} was rolled back", because)
    return _end(head, Phase.ROLLED_BACK, now, because, told)


def _end(head: Head, phase: Phase, now: int, because: str, told: Notify) -> Decision:
    rollout = live(head)
    policy: Policy = rollout.policy
    after = replace(
        head,
        live=None,
        outcome=outcome_of(rollout, phase, now, because),
        cleanup=Cleanup(rollout.to_slot, now + policy.evidence_for_seconds, None),
    )
    return Decision(after, because, phase.value, (mirror(after), told))


def _back_text(rollout: Rollout) -> str:
    kind = "stable" if rollout.back_slot == rollout.from_slot else "fallback"
    return f"{kind} {rollout.back_release.name}"


def _latch(rollout: Rollout) -> Latch:
    return rollout.latch or Latch(rollout.phase_since, "unknown", rollout.because, False, None)


def _pace(latch: Latch, now: int) -> int:
    """Every few seconds; of an endpoint that was busy for half an hour it is enough to ask twice a minute, if need be for a day."""
    return NOW_SECONDS if now - latch.at <= OVERDUE_SECONDS else BUSY_SECONDS


def _take_back(rollout: Rollout) -> tuple[Action, ...]:
    """The weight call, unless no raise was ever asked for: then the slot may not even exist and there is nothing to take."""
    if rollout.step < 0:
        return ()
    return (SetWeights(rollout.endpoint, rollout.stable_weights, None),)


def _reassert(rollout: Rollout, seen: Observation) -> tuple[Action, ...]:
    """The call again, but only where it can be taken: a busy endpoint refuses it, and the tick comes back in seconds."""
    wanted = _present(rollout, seen)
    if not seen.endpoint.in_service or seen.endpoint.serves(wanted):
        return ()
    return (SetWeights(rollout.endpoint, wanted, None),)


def _present(rollout: Rollout, seen: Observation) -> dict[str, int]:
    """Stable's weights for the slots the endpoint has: a rollback before the canary's slot exists is already done."""
    return {slot: parts for slot, parts in rollout.stable_weights.items() if parts or slot in seen.endpoint.variants}


def _nowhere_to_go(rollout: Rollout, seen: Observation) -> str:
    """Why no weight call can ever take traffic back; empty where one can."""
    if not seen.endpoint.in_service or rollout.back_slot in seen.endpoint.variants:
        return ""
    found = ", ".join(sorted(seen.endpoint.variants)) or "none"
    return f"endpoint has no variant {rollout.back_slot!r} to go back to (found: {found}): somebody took it away"


def _endpoint_text(seen: Observation) -> str:
    shown = ", ".join(f"{slot} {percent_text(parts)}" for slot, parts in sorted(seen.endpoint.parts.items()))
    return f"endpoint is {seen.endpoint.status} with {shown}"


def _quarantined(head: Head, rollout: Rollout, now: int, cause: str) -> tuple[Quarantine, ...]:
    """The list with this release on it and without what has run out."""
    until = now + rollout.policy.rollback.cooldown_seconds
    entry = Quarantine(rollout.release.content, rollout.release.name, until, cause)
    kept = tuple(q for q in head.quarantine if q.until > now and q.content != entry.content)
    return (*kept, entry)
