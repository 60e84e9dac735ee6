"""Going up: one step at a time, each seen applied, watched, and left only on evidence. And the soak after promotion."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.actions import SetWeights
from sluice.core.ascent import CALL_SECONDS, enter_pause, go_up, is_forced, missing_capacity, next_step
from sluice.core.blame import Attribution, Blame, attribute
from sluice.core.conditions import ApprovalThen
from sluice.core.decision import (
    BAKE_SECONDS,
    BUSY_SECONDS,
    NOW_SECONDS,
    SOAK_SECONDS,
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
from sluice.core.holding import ask_people, harm, hold, incident, undecided
from sluice.core.judge import Judgement, Verdict, judge
from sluice.core.observation import Observation
from sluice.core.orders import NO_ORDERS
from sluice.core.policy import AfterSoak, OnInconclusive
from sluice.core.revert import outcome_of, roll_back
from sluice.core.rollout import Champion, Cleanup, Head, Phase, Rollout, Shift, Standby
from sluice.core.rows import asked, seen_applied
from sluice.core.weights import WHOLE, percent_text

SHIFT_SECONDS = 10 * 60
"""A weights-only call takes up to half a minute; ten minutes mean the endpoint does not take it."""
KEPT_RELEASES = 5
"""Releases that stay restorable after they stopped being champion."""


def shifting(head: Head, seen: Observation, now: int) -> Decision:
    """Wait until the weights are seen; ask again only if they are still exactly the ones before."""
    rollout = live(head)
    weight = percent_text(rollout.canary_parts)
    blamed = _alarms(head, seen, now)
    if isinstance(blamed, Decision):
        return blamed
    if seen.endpoint.serves(rollout.weights):
        return _promote(head, now) if rollout.canary_parts == WHOLE else _bake(head, now)
    if now - rollout.phase_since > SHIFT_SECONDS:
        cause = f"{weight} was not applied within {duration_text(SHIFT_SECONDS)}: endpoint is {seen.endpoint.status}"
        return roll_back(head, now, "tick", cause, harmful=False)
    if not seen.endpoint.in_service or now < (rollout.call_before or 0):
        return stay(head, f"shifting to {weight}: endpoint is {seen.endpoint.status}", NOW_SECONDS)
    if seen.endpoint.desired_parts.get(rollout.to_slot) != rollout.raised_from:
        return _pause(head, seen, now)
    call_before = now + CALL_SECONDS
    again = SetWeights(rollout.endpoint, rollout.weights, call_before)
    return change(
        head,
        "raise_repeated",
        f"asking for {weight} again: the first call was lost",
        NOW_SECONDS,
        again,
        call_before=call_before,
    )


def baking(head: Head, seen: Observation, now: int) -> Decision:
    """Watch the step: go back on harm, stay on doubt, go on when its time is over and the evidence is there."""
    rollout = live(head)
    watched = _watched(head, seen, now)
    if isinstance(watched, Decision):
        return watched
    blamed, judgement = watched
    if not seen.endpoint.in_service:
        return replace(hold(head, f"endpoint is {seen.endpoint.status}", now), wait_seconds=BUSY_SECONDS)
    if not seen.endpoint.serves(rollout.weights):
        return _pause(head, seen, now)
    ordered = _ordered(head, seen, now)
    if ordered is not None:
        return ordered
    if blamed.incident or judgement.is_incident:
        return incident(head, blamed.because if blamed.incident else judgement.because, now)
    if rollout.incident_since is not None:
        because = f"the shared incident is over after {duration_text(now - rollout.incident_since)}"
        return change(head, "incident_over", because, BAKE_SECONDS, incident_since=None)
    if blamed.blame is Blame.UNCLEAR:
        return hold(head, blamed.because, now)
    if judgement.verdict is Verdict.HOLD:
        return hold(head, f"the data cannot be judged: {judgement.because}", now)
    return _weigh(head, judgement, seen, now)


def paused(head: Head, seen: Observation, now: int) -> Decision:
    """Somebody paused it, or changed the weights. Never fought; left by `resume`, or when the weights are ours again; not for ever."""
    rollout = live(head)
    blamed = _alarms(head, seen, now)
    if isinstance(blamed, Decision):
        return blamed
    said = rollout.orders.pause
    judgement = judge(rollout.policy, seen.rows, rollout.step)
    if said is not None and judgement.verdict is Verdict.ROLL_BACK:
        return harm(head, judgement, now)
    if said is None and seen.endpoint.serves(rollout.weights):
        return _go_on(head, now)
    if now - rollout.phase_since > rollout.policy.max_hold_seconds:
        cause = f"paused for {duration_text(now - rollout.phase_since)} and nobody decided"
        return roll_back(head, now, "tick", cause, harmful=False)
    return stay(head, f"{rollout.because}; paused for {duration_text(now - rollout.phase_since)}", BAKE_SECONDS)


def awaiting_approval(head: Head, seen: Observation, now: int) -> Decision:
    """Everything but a person's agreement is there. Watched like a bake; without an answer in time the policy says what happens."""
    rollout = live(head)
    watched = _watched(head, seen, now)
    if isinstance(watched, Decision):
        return watched
    if seen.endpoint.in_service and not seen.endpoint.serves(rollout.weights):
        return _pause(head, seen, now)
    waited = now - rollout.phase_since
    approval = rollout.policy.steps[next_step(rollout)].approval
    limit = approval.timeout_seconds if approval else 0
    if waited > limit and (approval is None or approval.then is ApprovalThen.ROLLBACK):
        return roll_back(head, now, "tick", f"not approved within {duration_text(limit)}", harmful=False)
    if waited > limit + rollout.policy.max_hold_seconds:
        return roll_back(head, now, "tick", f"not approved in {duration_text(waited)}", harmful=False)
    return stay(head, f"{rollout.because}; waiting for {duration_text(waited)}", BAKE_SECONDS)


def soaking(head: Head, seen: Observation, now: int) -> Decision:
    """Promoted, and still armed: the old release is warm until the soak ends."""
    rollout = live(head)
    watched = _watched(head, seen, now)
    if isinstance(watched, Decision):
        return watched
    blamed, judgement = watched
    if seen.endpoint.in_service and not seen.endpoint.serves(rollout.weights):
        return _pause(head, seen, now)
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


def _watched(head: Head, seen: Observation, now: int) -> Decision | tuple[Attribution, Judgement]:
    """The way back if an alarm or the judge blames the canary, else what both of them say."""
    rollout = live(head)
    blamed = _alarms(head, seen, now)
    if isinstance(blamed, Decision):
        return blamed
    judgement = judge(rollout.policy, seen.rows, rollout.step)
    return harm(head, judgement, now) if judgement.verdict is Verdict.ROLL_BACK else (blamed, judgement)


def _alarms(head: Head, seen: Observation, now: int) -> Decision | Attribution:
    """The rollback if an alarm blames the canary, else what the alarms mean."""
    rollout = live(head)
    attribution = attribute(rollout, seen.alarms)
    if attribution.blame is Blame.CANARY:
        return roll_back(head, now, "tick", attribution.because, harmful=True)
    return attribution


def _ordered(head: Head, seen: Observation, now: int) -> Decision | None:
    """What a person said of this step, or still has to say; None leaves it to the evidence."""
    rollout = live(head)
    if is_forced(rollout, now):
        return go_up(head, seen, now)
    held = undecided(head, now)
    if held is not None:
        return held
    return enter_pause(head, rollout.orders.pause, now) if rollout.orders.pause is not None else None


def _weigh(head: Head, judgement: Judgement, seen: Observation, now: int) -> Decision:
    rollout = live(head)
    step = rollout.current_step
    passed = now - (rollout.applied_at or now)
    weight = percent_text(rollout.canary_parts)
    hurried = (rollout.orders.skip or rollout.orders.promote) is not None
    if passed < step.bake_min_seconds and not hurried:
        progress = f"{duration_text(passed)} of {duration_text(step.bake_min_seconds)} passed"
        left = max(NOW_SECONDS, min(BAKE_SECONDS, step.bake_min_seconds - passed))
        return stay(head, f"holding {weight}: {progress}; {judgement.because}", left)
    short = missing_capacity(rollout, seen)
    if short:
        return hold(head, short, now)
    # A person who hurries may waive proofs, as a policy may with on_inconclusive; samples and doubts nobody may.
    if judgement.verdict is Verdict.ADVANCE or (hurried and judgement.is_underpowered):
        return go_up(head, seen, now, judgement.because)
    if passed < step.bake_max_seconds:
        return stay(head, f"holding {weight}: not enough evidence yet: {judgement.because}", BAKE_SECONDS)
    return _inconclusive(head, judgement, seen, now)


def _inconclusive(head: Head, judgement: Judgement, seen: Observation, now: int) -> Decision:
    """The longest bake is over and not all is proven. A proof may be waived; samples and doubts may not."""
    rollout = live(head)
    passed, weight = duration_text(now - (rollout.applied_at or now)), percent_text(rollout.canary_parts)
    match rollout.current_step.on_inconclusive:
        case OnInconclusive.ROLLBACK:
            cause = f"inconclusive after {passed} at {weight}: {judgement.because}"
            return roll_back(head, now, "tick", cause, harmful=False)
        case OnInconclusive.ADVANCE if judgement.is_underpowered:
            return go_up(head, seen, now, f"under-powered after {passed}: {judgement.because}")
        case OnInconclusive.PAUSE:
            return ask_people(head, "inconclusive", f"inconclusive after {passed}", judgement, now)
        case _:
            return hold(head, f"inconclusive after {passed}: {judgement.because}", now)


def _bake(head: Head, now: int) -> Decision:
    rollout = live(head)
    step = rollout.current_step
    because = f"{rollout.release.name} serves {percent_text(rollout.canary_parts)}: baking for {duration_text(step.bake_min_seconds)}"
    return enter(head, Phase.BAKING, now, because, BAKE_SECONDS, applied_at=now, shifts=_applied(rollout, now))


def _promote(head: Head, now: int) -> Decision:
    rollout = live(head)
    because = f"{rollout.release.name} is promoted{_took(rollout, now)}: soaking for {duration_text(rollout.policy.soak_seconds)}"
    wait = _soak_wait(rollout, now)
    decided = enter(head, Phase.SOAKING, now, because, wait, applied_at=now, shifts=_applied(rollout, now))
    old = head.champion.release
    after = replace(
        decided.next,
        champion=Champion(rollout.to_slot, rollout.release),
        live=replace(live(decided.next), orders=NO_ORDERS),
        previous=(old, *(r for r in head.previous if r.digest != old.digest))[:KEPT_RELEASES],
    )
    told = ticket(head, f"{head.endpoint}: {rollout.release.name} promoted", because)
    return replace(decided, next=after, kind="promoted", actions=(mirror(after), told))


def _took(rollout: Rollout, now: int) -> str:
    """What the steps took, beside what was foreseen at submission."""
    if rollout.forecast is None or rollout.first_exposure_at is None:
        return ""
    return f" after {duration_text(now - rollout.first_exposure_at)} of steps, {rollout.forecast.minutes} min were forecast"


def _go_on(head: Head, now: int) -> Decision:
    """After a pause, from where it was: also when a person, and not our call, brought the last step about."""
    rollout = live(head)
    if rollout.canary_parts < WHOLE:
        return _bake(head, now)
    return _soak_on(head, now) if head.champion.slot == rollout.to_slot else _promote(head, now)


def _soak_on(head: Head, now: int) -> Decision:
    because = "the weights are ours again: the soak starts over"
    return enter(head, Phase.SOAKING, now, because, SOAK_SECONDS, shifts=_applied(live(head), now))


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


def _pause(head: Head, seen: Observation, now: int) -> Decision:
    rollout = live(head)
    found = seen.endpoint.parts.get(rollout.to_slot, 0)
    because = (
        f"paused: the canary is at {percent_text(found)}, not at the {percent_text(rollout.canary_parts)} asked for; "
        "somebody changed the weights, and Sluice does not fight people"
    )
    told = page(head, f"{head.endpoint}: rollout paused", because)
    unknown = asked(rollout.shifts, rollout.step, rollout.canary_parts, now)
    return enter(head, Phase.PAUSED, now, because, BAKE_SECONDS, told, shifts=unknown)


def _applied(rollout: Rollout, now: int) -> tuple[Shift, ...]:
    return seen_applied(rollout.shifts, rollout.step, rollout.canary_parts, now)
