"""What comes next for a live rollout, and by when: the limits of its phase as one sentence. Decides nothing; `decide` does that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sluice.core.ascent import next_step
from sluice.core.conditions import ApprovalThen
from sluice.core.decision import duration_text
from sluice.core.head import Head
from sluice.core.orders import Breach, Said, Wait
from sluice.core.policy import AfterSoak, IncidentThen, OnInconclusive
from sluice.core.prepare import PREPARE_SECONDS, REHEARSE_SECONDS
from sluice.core.revert import GIVE_UP_SECONDS, OVERDUE_SECONDS, VERIFY_SECONDS
from sluice.core.rollout import Phase, Rollout
from sluice.core.steps import SHIFT_SECONDS
from sluice.core.weights import WHOLE, percent_text

MINUTE = 60
"""Metrics are judged by complete minutes: nothing is known before one of them has passed."""


class Then(StrEnum):
    """What happens at the latest moment when nothing else has happened by then."""

    HOLD = "hold"
    ROLL_BACK = "roll_back"
    PAGE = "page"
    END = "end"


@dataclass(frozen=True, slots=True)
class Next:
    """`earliest` is when the phase can end well, `latest` when waiting has a consequence; both in seconds since the epoch."""

    sentence: str
    earliest: int | None
    latest: int
    then: Then


def next_event(rollout: Rollout, now: int, *, is_blocked: bool = False) -> Next:
    """What the live rollout waits for, and what happens when it waits in vain. `is_blocked`: something else than evidence stands
    in the way of its next step, which people are told of beside this.
    """
    if rollout.orders.breach is not None and not rollout.is_latched:
        return _after_harm(rollout, rollout.orders.breach, now)
    if rollout.orders.pause is not None and rollout.phase in _GOING_UP:
        return _pausing(rollout, rollout.orders.pause, now)
    found = _BY_PHASE[rollout.phase](rollout, now)
    if is_blocked and found.earliest is not None and rollout.phase is Phase.BAKING:
        return replace(found, sentence=f"{found.sentence}; no step up before what stands in its way is gone")
    return found


def between_rollouts(head: Head, now: int) -> str:
    """What comes next when nothing is being tried."""
    if head.queued is not None:
        return f"the sweep starts {head.queued.release.name}, which was waiting, within a minute"
    waiting = "nothing until `pulumi up` submits a release"
    if head.revision is not None:
        waiting += f"; slot {head.champion.slot} goes to {head.revision.instances} instances"
    if head.cleanup is None:
        return waiting
    return f"{waiting}; slot {head.cleanup.slot} is given up {_when(head.cleanup.due, now)}"


def _after_harm(rollout: Rollout, breach: Breach, now: int) -> Next:
    latest = breach.at + rollout.policy.max_hold_seconds
    return Next(
        f"a person decides after harm; without a word taken back {_when(latest, now)}", None, latest, Then.ROLL_BACK
    )


def _pausing(rollout: Rollout, pause: Said, now: int) -> Next:
    latest = max(now, pause.at) + rollout.policy.max_hold_seconds
    sentence = f"stands still before its next step, until `resume`; without it taken back {_when(latest, now)}"
    return Next(sentence, None, latest, Then.ROLL_BACK)


def _pending(rollout: Rollout, now: int) -> Next:
    blind = rollout.started_at + rollout.policy.rollback.max_blind_seconds
    sentence = f"its clock prepares it within seconds; not begun, it is taken back {_when(blind, now)}"
    return Next(sentence, None, blind, Then.ROLL_BACK)


def _preparing(rollout: Rollout, now: int) -> Next:
    latest = rollout.phase_since + PREPARE_SECONDS
    sentence = (
        f"the rehearsal of its rollback, once slot {rollout.to_slot} is built and has answered its smoke test; "
        f"given up {_when(latest, now)}"
    )
    return Next(sentence, None, latest, Then.ROLL_BACK)


def _rehearsing(rollout: Rollout, now: int) -> Next:
    if rollout.orders.wait is not None:
        return _waiting(rollout, rollout.orders.wait, now)
    first = _target(rollout, 0)
    drill = rollout.rehearsal
    if drill is not None and drill.answered_at is None:
        latest = drill.asked_at + rollout.policy.rollback.target_seconds
        return Next(
            f"{first} once the rollback path has answered; given up without an answer {_when(latest, now)}",
            None,
            latest,
            Then.ROLL_BACK,
        )
    latest = rollout.phase_since + REHEARSE_SECONDS
    sentence = f"{first} once every alarm is OK and the endpoint is in service; given up {_when(latest, now)}"
    return Next(sentence, None, latest, Then.ROLL_BACK)


def _shifting(rollout: Rollout, now: int) -> Next:
    latest = rollout.phase_since + SHIFT_SECONDS
    follows = "the soak" if rollout.canary_parts == WHOLE else "the bake"
    sentence = (
        f"{follows}, once the endpoint serves {percent_text(rollout.canary_parts)}; not served, "
        f"it is taken back {_when(latest, now)}"
    )
    return Next(sentence, None, latest, Then.ROLL_BACK)


def _waiting(rollout: Rollout, wait: Wait, now: int) -> Next:
    """A step that only a stop, a freeze or a gate keeps from beginning."""
    latest = (wait.until or wait.since) + rollout.policy.max_hold_seconds
    target = _target(rollout, next_step(rollout))
    sentence = f"{target} once nothing is in its way; otherwise taken back {_when(latest, now)}"
    return Next(sentence, wait.until, latest, Then.ROLL_BACK)


def _baking(rollout: Rollout, now: int) -> Next:
    if rollout.orders.wait is not None:
        return _waiting(rollout, rollout.orders.wait, now)
    if rollout.incident_since is not None and rollout.policy.shared_incident.then is IncidentThen.ROLLBACK:
        latest = rollout.incident_since + rollout.policy.shared_incident.after_seconds
        sentence = f"goes on when the shared incident ends; if it lasts, taken back {_when(latest, now)}"
        return Next(sentence, None, latest, Then.ROLL_BACK)
    step, applied = rollout.current_step, rollout.applied_at or rollout.phase_since
    bake = 0 if rollout.orders.hurry else step.bake_min_seconds
    earliest = applied + max(bake, rollout.policy.judge.data_lag_seconds + MINUTE)
    full = applied + step.bake_max_seconds
    over = full + rollout.policy.max_hold_seconds
    target = _target(rollout, next_step(rollout))
    may = (
        f"may go to {target} {_when(earliest, now)} at the earliest"
        if now < earliest
        else f"goes to {target} as soon as the evidence is there"
    )
    if step.on_inconclusive is OnInconclusive.ROLLBACK:
        return Next(f"{may}; without the evidence taken back {_when(full, now)}", earliest, full, Then.ROLL_BACK)
    if now < full:
        sentence = f"{may}; without the evidence it holds from then on ({_when(full, now)}), and is taken back {_when(over, now)}"
        return Next(sentence, earliest, full, Then.HOLD)
    return Next(f"{may}; without it taken back {_when(over, now)}", earliest, over, Then.ROLL_BACK)


def _awaiting(rollout: Rollout, now: int) -> Next:
    index = next_step(rollout)
    approval = rollout.policy.steps[index].approval
    latest = rollout.phase_since + (approval.timeout_seconds if approval else 0)
    weight = _target(rollout, index)
    if approval is not None and approval.then is ApprovalThen.HOLD:
        over = latest + rollout.policy.max_hold_seconds
        sentence = f"{weight} once `approve` is said; without it held, and taken back {_when(over, now)}"
        return Next(sentence, None, over, Then.ROLL_BACK)
    return Next(
        f"{weight} once `approve` is said; without it taken back {_when(latest, now)}", None, latest, Then.ROLL_BACK
    )


def _paused(rollout: Rollout, now: int) -> Next:
    latest = rollout.phase_since + rollout.policy.max_hold_seconds
    if rollout.orders.pause is not None:
        return Next(f"`resume` goes on; without it taken back {_when(latest, now)}", None, latest, Then.ROLL_BACK)
    sentence = (
        f"goes on when the canary is at {percent_text(rollout.canary_parts)} again, as it was asked to be; "
        f"otherwise taken back {_when(latest, now)}"
    )
    return Next(sentence, None, latest, Then.ROLL_BACK)


def _soaking(rollout: Rollout, now: int) -> Next:
    policy, since = rollout.policy, rollout.phase_since
    earliest = since + policy.soak_seconds
    latest = (rollout.applied_at or since) + policy.soak_seconds + policy.max_hold_seconds
    after = "is given up" if policy.after_soak is AfterSoak.RETIRE else f"keeps {rollout.stable.name} warm"
    sentence = (
        f"settles {_when(earliest, now)} if every alarm is OK, and slot {rollout.from_slot} {after}; "
        f"until then {rollout.stable.name} is seconds away"
    )
    return Next(sentence, earliest, latest, Then.ROLL_BACK)


def _rolling_back(rollout: Rollout, now: int) -> Next:
    overdue = rollout.phase_since + OVERDUE_SECONDS
    latched = rollout.latch.at if rollout.latch else rollout.phase_since
    sentence = (
        f"{rollout.stable.name} is watched once it has all traffic; a person is paged {_when(overdue, now)}, "
        f"and the rollout fails {_when(latched + GIVE_UP_SECONDS, now)}"
    )
    return Next(sentence, None, overdue, Then.PAGE)


def _verifying(rollout: Rollout, now: int) -> Next:
    latest = rollout.phase_since + VERIFY_SECONDS
    sentence = (
        f"ends as rolled back once the alarms of {rollout.stable.name} are quiet, at the latest {_when(latest, now)}; "
        f"slot {rollout.to_slot} is kept as evidence for {lasting(rollout.policy.evidence_for_seconds)}"
    )
    return Next(sentence, None, latest, Then.END)


_GOING_UP = (Phase.REHEARSING, Phase.SHIFTING, Phase.BAKING)
"""Where a pause that was asked for has not begun yet."""
_BY_PHASE: dict[Phase, Callable[[Rollout, int], Next]] = {
    Phase.PENDING: _pending,
    Phase.PREPARING: _preparing,
    Phase.REHEARSING: _rehearsing,
    Phase.SHIFTING: _shifting,
    Phase.BAKING: _baking,
    Phase.AWAITING_APPROVAL: _awaiting,
    Phase.PAUSED: _paused,
    Phase.SOAKING: _soaking,
    Phase.ROLLING_BACK: _rolling_back,
    Phase.VERIFYING: _verifying,
}


def _target(rollout: Rollout, index: int) -> str:
    """The weight of a step; a limit where `harm_budget` may keep it lower, which is known when the step begins."""
    step = rollout.policy.steps[index]
    limited = rollout.policy.harm_budget is not None and step.weight_parts < WHOLE
    return f"{'at most ' if limited else ''}{percent_text(step.weight_parts)}"


def lasting(seconds: int) -> str:
    """Like `duration_text`, but from two hours on in hours and minutes: a day is not read as 1439 minutes."""
    if seconds < 2 * 3600:
        return duration_text(seconds)
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _when(at: int, now: int) -> str:
    """`in 3 min`, or that the moment has come: the next look acts on it."""
    return f"in {lasting(at - now)}" if at > now else "at the next look"
