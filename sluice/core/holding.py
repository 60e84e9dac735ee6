"""Staying where we are: for want of data, for an incident, or for people to decide. A hold has an end, and that end is the way back."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.conditions import OnBreach
from sluice.core.decision import BAKE_SECONDS, Decision, change, duration_text, live, page, stay
from sluice.core.head import Head
from sluice.core.judge import Judgement
from sluice.core.orders import Breach
from sluice.core.policy import IncidentThen
from sluice.core.revert import roll_back
from sluice.core.rollout import Phase, Rollout
from sluice.core.weights import percent_text


def hold(head: Head, because: str, now: int) -> Decision:
    """Neither up nor down; but not for ever."""
    rollout = live(head)
    since = _since(rollout)
    held, began = now - since, since + _phase_seconds(rollout)
    if now - max(began, *_later_beginnings(rollout)) > rollout.policy.max_hold_seconds:
        cause = f"held for {duration_text(held)} without a decision: {because}"
        return roll_back(head, now, "tick", cause, harmful=False)
    return stay(head, f"holding {percent_text(rollout.canary_parts)}: {because}", BAKE_SECONDS)


def incident(head: Head, because: str, now: int) -> Decision:
    """A shared incident holds; when it lasts, people are told, and the policy may want the canary gone to be sure."""
    rollout = live(head)
    if rollout.incident_since is None:
        text = f"holding {percent_text(rollout.canary_parts)}: shared incident: {because}"
        return change(head, "incident", text, BAKE_SECONDS, incident_since=now)
    lasted = now - rollout.incident_since
    shared = rollout.policy.shared_incident
    if shared.then is IncidentThen.ROLLBACK and lasted >= shared.after_seconds:
        cause = f"a shared incident lasted {duration_text(lasted)}, so the canary goes to be sure: {because}"
        return roll_back(head, now, "tick", cause, harmful=False)
    return hold(head, f"shared incident for {duration_text(lasted)}: {because}", now)


def harm(head: Head, judgement: Judgement, now: int) -> Decision:
    """Harm goes back; only harm by comparison, never a rail, may be left to people by the policy."""
    if live(head).policy.on_breach is OnBreach.HOLD and not judgement.is_hard:
        return _breach(head, judgement, now)
    return roll_back(head, now, "judge", judgement.because, harmful=True)


def undecided(head: Head, now: int) -> Decision | None:
    """Harm that was left to people and is not seen any more still waits for their word; None when there was none."""
    breach = live(head).orders.breach
    if breach is None:
        return None
    said = f"harm is not seen now ({breach.cause}); `resume` goes on, `rollback` takes it back"
    return _until_decided(head, breach, said, now)


def _breach(head: Head, judgement: Judgement, now: int) -> Decision:
    """Recorded, and paged, once; then it is a person's turn."""
    rollout = live(head)
    breach = rollout.orders.breach
    if breach is not None:
        return _until_decided(head, breach, f"harm by comparison: {judgement.because}", now)
    orders = replace(rollout.orders, breach=Breach(now, judgement.because))
    weight = percent_text(rollout.canary_parts)
    because = f"holding {weight} for people to decide, harm by comparison: {judgement.because}"
    told = page(head, f"{head.endpoint}: {rollout.release.name} is held: harm by comparison", judgement.because)
    return change(head, "breach", because, BAKE_SECONDS, told, orders=orders)


def _until_decided(head: Head, breach: Breach, because: str, now: int) -> Decision:
    rollout = live(head)
    lasted = now - breach.at
    if lasted > rollout.policy.max_hold_seconds:
        cause = f"harm was held for {duration_text(lasted)} and nobody decided: {breach.cause}"
        return roll_back(head, now, "tick", cause, harmful=True)
    return stay(
        head, f"holding {percent_text(rollout.canary_parts)} for {duration_text(lasted)}: {because}", BAKE_SECONDS
    )


def _later_beginnings(rollout: Rollout) -> tuple[int, int]:
    """A hold counts anew after a pause, and after a wait whose end was known."""
    wait = rollout.orders.wait
    return rollout.orders.held_from or 0, (wait.until or 0) if wait else 0


def ask_people(head: Head, kind: str, what: str, judgement: Judgement, now: int) -> Decision:
    """Hold, and page once: people decide within `max_hold`."""
    rollout = live(head)
    said = f"holding {percent_text(rollout.canary_parts)} for people to decide, {kind}"
    held = hold(head, f"{what}: {judgement.because}", now)
    if held.kind is not None or rollout.because.startswith(said):
        return held
    about = f"{kind}:{rollout.phase_since}"
    told = page(head, f"{head.endpoint}: {rollout.release.name} is held: {what}", judgement.because, about)
    return change(head, kind, f"{said}: {judgement.because}", BAKE_SECONDS, told)


def _since(rollout: Rollout) -> int:
    """A soak that a person interrupted starts over."""
    return rollout.phase_since if rollout.phase is Phase.SOAKING else rollout.applied_at or rollout.phase_since


def _phase_seconds(rollout: Rollout) -> int:
    return rollout.policy.soak_seconds if rollout.phase is Phase.SOAKING else rollout.current_step.bake_max_seconds
