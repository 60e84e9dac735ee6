"""After the last step: the release is champion, the old one stays warm and armed, and then it is given up or kept."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.blame import Blame
from sluice.core.decision import NOW_SECONDS, SOAK_SECONDS, Decision, duration_text, enter, live, mirror, stay, ticket
from sluice.core.head import Champion, Cleanup, Head, Standby
from sluice.core.holding import hold, undecided
from sluice.core.judge import Verdict
from sluice.core.observation import Observation
from sluice.core.orders import NO_ORDERS
from sluice.core.policy import AfterSoak
from sluice.core.revert import outcome_of
from sluice.core.rollout import Phase, Rollout
from sluice.core.watching import applied, pause_for_people, watched

KEPT_RELEASES = 5
"""Releases that stay restorable after they stopped being champion."""


def promote(head: Head, now: int) -> Decision:
    """All requests are the release's: it is the champion from now on, and watched on."""
    rollout = live(head)
    because = f"{rollout.release.name} is promoted{_took(rollout, now)}: soaking for {duration_text(rollout.policy.soak_seconds)}"
    wait = _soak_wait(rollout, now)
    decided = enter(head, Phase.SOAKING, now, because, wait, applied_at=now, shifts=applied(rollout, now))
    old = head.champion.release
    after = replace(
        decided.next,
        champion=Champion(rollout.to_slot, rollout.release),
        live=replace(live(decided.next), orders=NO_ORDERS),
        previous=(old, *(r for r in head.previous if r.digest != old.digest))[:KEPT_RELEASES],
    )
    told = ticket(head, f"{head.endpoint}: {rollout.release.name} promoted", because)
    return replace(decided, next=after, kind="promoted", actions=(mirror(after), told))


def soaking(head: Head, seen: Observation, now: int) -> Decision:
    """Promoted, and still armed: the old release is warm until the soak ends."""
    rollout = live(head)
    found = watched(head, seen, now)
    if isinstance(found, Decision):
        return found
    blamed, judgement = found
    if seen.endpoint.in_service and not seen.endpoint.serves(rollout.weights):
        return pause_for_people(head, seen, now)
    held = undecided(head, now)
    if held is not None:
        return held
    soaked = now - rollout.phase_since
    if soaked < rollout.policy.soak_seconds:
        left = duration_text(rollout.policy.soak_seconds - soaked)
        return stay(head, f"soaking {rollout.release.name}: {left} left; {judgement.because}", _soak_wait(rollout, now))
    if blamed.blame is not Blame.NOBODY:
        return hold(head, blamed.because, now)
    if judgement.verdict is Verdict.HOLD:
        return hold(head, judgement.because, now)
    return _settle(head, now)


def soak_on(head: Head, now: int) -> Decision:
    """Back from a pause in the soak."""
    because = "the weights are ours again: the soak starts over"
    return enter(head, Phase.SOAKING, now, because, SOAK_SECONDS, shifts=applied(live(head), now))


def _took(rollout: Rollout, now: int) -> str:
    """What the steps took, beside what was foreseen at submission."""
    if rollout.forecast is None or rollout.first_exposure_at is None:
        return ""
    return f" after {duration_text(now - rollout.first_exposure_at)} of steps, {rollout.forecast.minutes} min were forecast"


def _soak_wait(rollout: Rollout, now: int) -> int:
    """Never slower than half of `max_blind`: the sweep must not take a quiet soak for a dead clock."""
    return min(
        SOAK_SECONDS, rollout.policy.rollback.max_blind_seconds // 2, max(rollout.policy.soak_seconds, NOW_SECONDS)
    )


def _settle(head: Head, now: int) -> Decision:
    rollout = live(head)
    was_fallback = rollout.fallback is not None and rollout.from_slot == rollout.fallback.slot
    retire = rollout.policy.after_soak is AfterSoak.RETIRE and not was_fallback
    ending = (
        f"{rollout.from_slot} is given up" if retire else f"{rollout.stable.name} stays warm in {rollout.from_slot}"
    )
    because = f"{rollout.release.name} is settled after {duration_text(now - rollout.phase_since)}: {ending}"
    after = replace(
        head,
        live=None,
        outcome=outcome_of(rollout, Phase.SETTLED, now, because),
        cleanup=Cleanup(rollout.from_slot, now, None) if retire else None,
        standby=None if retire else _standby(rollout),
    )
    told = ticket(head, f"{head.endpoint}: {rollout.release.name} settled", because)
    return Decision(after, because, Phase.SETTLED.value, (mirror(after), told))


def _standby(rollout: Rollout) -> Standby | None:
    model = rollout.prepared.stable_model if rollout.prepared else ""
    return Standby(rollout.from_slot, rollout.stable, model) if model else None
