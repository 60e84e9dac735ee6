"""Going up: one step at a time, each seen applied, watched, and left only on evidence."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.actions import SetWeights
from sluice.core.ascent import CALL_SECONDS, enter_pause, go_up, is_forced, missing_capacity, next_step, rehearse_again
from sluice.core.blame import Blame
from sluice.core.conditions import ApprovalThen
from sluice.core.decision import (
    BAKE_SECONDS,
    BUSY_SECONDS,
    NOW_SECONDS,
    Decision,
    change,
    duration_text,
    enter,
    live,
    stay,
)
from sluice.core.head import Head
from sluice.core.holding import ask_people, harm, hold, incident, undecided
from sluice.core.judge import Judgement, Verdict, judge
from sluice.core.observation import Observation
from sluice.core.policy import OnInconclusive
from sluice.core.revert import roll_back
from sluice.core.rollout import Phase
from sluice.core.soak import promote, soak_on
from sluice.core.watching import applied, by_alarms, pause_for_people, watched
from sluice.core.weights import WHOLE, percent_text

SHIFT_SECONDS = 10 * 60
"""A weights-only call takes up to half a minute; ten minutes mean the endpoint does not take it."""


def shifting(head: Head, seen: Observation, now: int) -> Decision:
    """Wait until the weights are seen; ask again only if they are still exactly the ones before."""
    rollout = live(head)
    weight = percent_text(rollout.canary_parts)
    blamed = by_alarms(head, seen, now)
    if isinstance(blamed, Decision):
        return blamed
    if seen.endpoint.serves(rollout.weights):
        return promote(head, now) if rollout.canary_parts == WHOLE else _bake(head, now)
    if now - rollout.phase_since > SHIFT_SECONDS:
        cause = f"{weight} was not applied within {duration_text(SHIFT_SECONDS)}: endpoint is {seen.endpoint.status}"
        return roll_back(head, now, "tick", cause, harmful=False)
    if not seen.endpoint.in_service or now < (rollout.call_before or 0):
        return stay(head, f"shifting to {weight}: endpoint is {seen.endpoint.status}", NOW_SECONDS)
    if seen.endpoint.desired_parts.get(rollout.to_slot) != rollout.raised_from:
        return pause_for_people(head, seen, now)
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
    found = watched(head, seen, now)
    if isinstance(found, Decision):
        return found
    blamed, judgement = found
    if not seen.endpoint.in_service:
        return replace(hold(head, f"endpoint is {seen.endpoint.status}", now), wait_seconds=BUSY_SECONDS)
    if not seen.endpoint.serves(rollout.weights):
        return pause_for_people(head, seen, now)
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
    blamed = by_alarms(head, seen, now)
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
    found = watched(head, seen, now)
    if isinstance(found, Decision):
        return found
    if seen.endpoint.in_service and not seen.endpoint.serves(rollout.weights):
        return pause_for_people(head, seen, now)
    waited = now - rollout.phase_since
    approval = rollout.policy.steps[next_step(rollout)].approval
    limit = approval.timeout_seconds if approval else 0
    if waited > limit and (approval is None or approval.then is ApprovalThen.ROLLBACK):
        return roll_back(head, now, "tick", f"not approved within {duration_text(limit)}", harmful=False)
    if waited > limit + rollout.policy.max_hold_seconds:
        return roll_back(head, now, "tick", f"not approved in {duration_text(waited)}", harmful=False)
    return stay(head, f"{rollout.because}; waiting for {duration_text(waited)}", BAKE_SECONDS)


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
    if passed < step.bake_min_seconds and not rollout.orders.hurry:
        progress = f"{duration_text(passed)} of {duration_text(step.bake_min_seconds)} passed"
        left = max(NOW_SECONDS, min(BAKE_SECONDS, step.bake_min_seconds - passed))
        return stay(head, f"holding {weight}: {progress}; {judgement.because}", left)
    short = missing_capacity(rollout, seen)
    if short:
        return hold(head, short, now)
    # A person who hurries may waive proofs, as a policy may with on_inconclusive; samples and doubts nobody may.
    if judgement.verdict is Verdict.ADVANCE or (rollout.orders.hurry and judgement.is_underpowered):
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
    return enter(head, Phase.BAKING, now, because, BAKE_SECONDS, applied_at=now, shifts=applied(rollout, now))


def _go_on(head: Head, now: int) -> Decision:
    """After a pause, from where it was: also when a person, and not our call, brought the last step about."""
    rollout = live(head)
    if rollout.step < 0:
        return rehearse_again(head, now, "the weights are ours again: the rollback is rehearsed again")
    if rollout.canary_parts < WHOLE:
        return _bake(head, now)
    return soak_on(head, now) if head.champion.slot == rollout.to_slot else promote(head, now)
