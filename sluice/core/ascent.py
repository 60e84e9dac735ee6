"""The way up, one step at a time: what a step waits for besides evidence, and the intent to raise once nothing stands in its way."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.actions import Asks, SetInstances, SetWeights
from sluice.core.conditions import Approval, frozen
from sluice.core.decision import (
    BAKE_SECONDS,
    BUSY_SECONDS,
    NOW_SECONDS,
    Decision,
    change,
    duration_text,
    enter,
    live,
    page,
    stay,
    ticket,
)
from sluice.core.harm_budget import limit
from sluice.core.head import Head
from sluice.core.links import BY_LINK
from sluice.core.observation import Observation
from sluice.core.orders import Said, Wait, WaitFor
from sluice.core.policy import Step
from sluice.core.registry import missing_approval
from sluice.core.revert import roll_back
from sluice.core.rollout import Phase, Rollout
from sluice.core.rows import asked
from sluice.core.weights import percent_text

CALL_SECONDS = 10
"""How long after its intent a raise may still be issued. Then it needs a new intent, so a latch in between always wins."""
FORCE_SECONDS = 30 * 60
"""A forced step that could not be taken by then has to be asked for again: what was true when it was asked may not be any more."""
REHEARSED_SECONDS = 10 * 60
"""A first step that had to wait for longer is rehearsed again: the way back has to be proven shortly before it is needed."""


def go_up(head: Head, seen: Observation, now: int, because: str = "") -> Decision:
    """The next step, for which the evidence is there; or what it waits for. A forced step waits for capacity only."""
    rollout = live(head)
    index = next_step(rollout)
    obstacle = None if is_forced(rollout, now) else _obstacle(head, rollout, index, seen, now)
    if obstacle is not None:
        return obstacle
    drill = rollout.rehearsal
    if rollout.step < 0 and drill is not None and now - drill.asked_at > REHEARSED_SECONDS:
        orders = replace(rollout.orders, wait=None)
        return rehearse_again(head, now, "the rollback is rehearsed again after the wait", orders=orders)
    begun = begin_step(head, index, seen, now)
    return replace(begun, because=f"{begun.because}: {because}") if because else begun


def is_forced(rollout: Rollout, now: int) -> bool:
    force = rollout.orders.force
    return force is not None and now - force.at <= FORCE_SECONDS


def next_step(rollout: Rollout) -> int:
    """The step that comes next. A promotion leaves steps out, but none that somebody or something has to agree to."""
    steps = rollout.policy.steps
    following = rollout.step + 1
    if rollout.orders.promote is None or rollout.orders.force is not None:
        return following
    asked = (i for i in range(following, len(steps)) if steps[i].approval is not None or steps[i].gates)
    return next(asked, len(steps) - 1)


def begin_step(head: Head, index: int, seen: Observation, now: int) -> Decision:
    """Record the intent to raise the canary to step `index`, then ask. Capacity must be there first."""
    rollout = live(head)
    short = missing_capacity(rollout, seen)
    if short:
        return stay(head, short, BUSY_SECONDS, *_more_instances(rollout, seen))
    step = rollout.policy.steps[index]
    parts, kept = _weight(rollout, step, seen, now)
    towards = "lowering" if parts < rollout.canary_parts else "raising"
    because = f"{towards} {rollout.release.name} to {percent_text(parts)} (step {index + 1} of {len(rollout.policy.steps)}{kept})"
    raised = replace(rollout, step=index, canary_parts=parts)
    done = replace(rollout.orders, skip=None, force=None, approved=None, wait=None, breach=None, held_from=None)
    return enter(
        head,
        Phase.SHIFTING,
        now,
        because,
        NOW_SECONDS,
        SetWeights(rollout.endpoint, raised.weights, now + CALL_SECONDS),
        step=index,
        canary_parts=parts,
        raised_from=rollout.canary_parts,
        call_before=now + CALL_SECONDS,
        applied_at=None,
        first_exposure_at=rollout.first_exposure_at or now,
        shifts=asked(rollout.shifts, index, parts, now),
        quantiles=rollout.quantiles or seen.quantiles,
        orders=done,
    )


def _weight(rollout: Rollout, step: Step, seen: Observation, now: int) -> tuple[int, str]:
    """The step's weight, or less where `harm_budget` says so, and why. What a person forces is as large as the step."""
    rps = rollout.forecast.rps if rollout.forecast else None
    found = None if is_forced(rollout, now) else limit(rollout.policy, step, seen.rows, rps)
    if found is None or found.parts == step.weight_parts:
        return step.weight_parts, ""
    worst = "traffic is not known" if found.excess is None else f"{found.excess:,.0f} excess bad requests at worst"
    budget = f"harm_budget of {rollout.policy.harm_budget:,}: {worst}"
    return found.parts, f", kept below {percent_text(step.weight_parts)} by {budget}"


def rehearse_again(head: Head, now: int, because: str, **fields: object) -> Decision:
    """Before the first step, after any wait: the way back is proven anew."""
    return enter(head, Phase.REHEARSING, now, because, NOW_SECONDS, rehearsal=None, **fields)


def enter_pause(head: Head, said: Said, now: int) -> Decision:
    """What a person paused stands still, and everything that takes it back stays armed."""
    rollout = live(head)
    left = duration_text(rollout.policy.max_hold_seconds)
    because = f"paused by {said.by}: {said.reason}; without `resume` it is taken back in {left}"
    told = ticket(head, f"{head.endpoint}: rollout paused", because)
    return enter(head, Phase.PAUSED, now, because, BAKE_SECONDS, told)


def missing_capacity(rollout: Rollout, seen: Observation) -> str | None:
    """Why the canary's slot cannot take more yet; None when it can."""
    variant = seen.endpoint.variants.get(rollout.to_slot)
    have = variant.current_instances if variant else 0
    if have >= rollout.instances:
        return None
    return f"waiting for capacity: slot {rollout.to_slot} has {have} of {rollout.instances} instances"


def _more_instances(rollout: Rollout, seen: Observation) -> tuple[SetInstances, ...]:
    """Asked for once, and only before the first step: the endpoint is busy for minutes then, and a way back would have to wait."""
    variant = seen.endpoint.variants.get(rollout.to_slot)
    if variant is None or variant.desired_instances >= rollout.instances:
        return ()
    return (SetInstances(rollout.endpoint, rollout.to_slot, rollout.instances),)


def _obstacle(head: Head, rollout: Rollout, index: int, seen: Observation, now: int) -> Decision | None:
    """What keeps the step from beginning: a pause, the stop, the registry, a freeze, a missing approval, a gate; None when it may."""
    orders, step = rollout.orders, rollout.policy.steps[index]
    if orders.pause is not None:
        return enter_pause(head, orders.pause, now)
    if rollout.is_emergency:
        return None
    weight = percent_text(step.weight_parts)
    if head.stop is not None:
        because = f"{weight} waits: {head.stop.by} stopped every step up ({head.stop.reason}) until it is lifted"
        return _wait(head, Wait(WaitFor.STOP, now, None, because, 0), now)
    unapproved = missing_approval(rollout.release, seen.package) if seen.package else None
    if unapproved is not None:
        return _wait(head, Wait(WaitFor.REGISTRY, now, None, f"{weight} waits: {unapproved}", 0), now)
    freeze = frozen(rollout.policy.freeze, now)
    if freeze is not None:
        return _wait(
            head, Wait(WaitFor.FREEZE, now, freeze.until, f"{weight} waits: freeze {freeze.name!r} is on", 0), now
        )
    if step.approval is not None and (orders.approved is None or orders.approved.step != index):
        return _ask_for_approval(head, index, step.approval, now)
    return _ask_gates(head, rollout, index, seen, now) if step.gates else None


def _wait(head: Head, wait: Wait, now: int) -> Decision:
    """Recorded and told once; a wait whose end nobody knows ends with the longest hold."""
    rollout = live(head)
    before = rollout.orders.wait
    if before is None or (before.what, before.until) != (wait.what, wait.until):
        known_by = wait.until or (head.stop.at if head.stop else 0)
        told = ticket(head, f"{head.endpoint}: rollout waits", wait.because, f"waiting:{wait.what.value}:{known_by}")
        orders = replace(rollout.orders, wait=wait)
        return change(head, "waiting", wait.because, BAKE_SECONDS, told, orders=orders)
    lasted = now - before.since
    if wait.until is None and lasted > rollout.policy.max_hold_seconds:
        return roll_back(head, now, "tick", f"waited for {duration_text(lasted)}: {wait.because}", harmful=False)
    left = f", for another {duration_text(wait.until - now)}" if wait.until is not None else ""
    return stay(head, f"{wait.because}{left}", BAKE_SECONDS)


def _ask_for_approval(head: Head, index: int, approval: Approval, now: int) -> Decision:
    rollout = live(head)
    step = rollout.policy.steps[index]
    because = (
        f"{percent_text(step.weight_parts)} (step {index + 1}) needs approval within {duration_text(approval.timeout_seconds)} "
        f"by {' or '.join(approval.by)}, but not by {rollout.submitted_by}, who submitted it"
    )
    told = ticket(head, f"{head.endpoint}: approval needed", because, asks=Asks(index, BY_LINK in approval.by))
    orders = replace(rollout.orders, wait=None)
    return enter(head, Phase.AWAITING_APPROVAL, now, because, BAKE_SECONDS, told, orders=orders)


def _ask_gates(head: Head, rollout: Rollout, index: int, seen: Observation, now: int) -> Decision | None:
    """None when every gate agreed just now. The answers come with the observation once the record says that they are waited for."""
    gates, wait = rollout.policy.steps[index].gates, rollout.orders.wait
    weight = percent_text(rollout.policy.steps[index].weight_parts)
    if wait is None or wait.what is not WaitFor.GATES or seen.hooks is None:
        asking = Wait(WaitFor.GATES, now, None, f"asking {_counted(len(gates))} before {weight}", 0)
        return change(head, "gates_asked", asking.because, NOW_SECONDS, orders=replace(rollout.orders, wait=asking))
    refused = [(gate, answer) for gate, answer in zip(gates, seen.hooks, strict=True) if not answer.agreed]
    if not refused:
        return None
    said = "; ".join(f"gate {gate.target} {answer.text}" for gate, answer in refused)
    because = f"{weight} waits: {said}"
    if now - wait.since > rollout.policy.max_hold_seconds:
        return roll_back(head, now, "tick", f"waited for {duration_text(now - wait.since)}: {said}", harmful=False)
    tries, most = wait.tries + 1, max(gate.retries for gate, _ in refused) + 1
    if tries > most:
        return stay(head, because, BAKE_SECONDS)
    told = (
        (page(head, f"{head.endpoint}: gate does not agree", because, f"gates:{wait.since}"),) if tries == most else ()
    )
    again = replace(wait, tries=tries, because=because)
    return change(head, "gate_refused", because, BAKE_SECONDS, *told, orders=replace(rollout.orders, wait=again))


def _counted(gates: int) -> str:
    return "1 gate" if gates == 1 else f"{gates} gates"
