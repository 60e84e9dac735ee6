"""What people may tell a rollout. Each becomes a decision, or is refused with a sentence; going back is in `revert`, and never refused."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.ascent import next_step
from sluice.core.decision import BAKE_SECONDS, NOW_SECONDS, Decision, change, enter, live, page, ticket, with_clock
from sluice.core.errors import Forbidden, Refused
from sluice.core.head import Head
from sluice.core.orders import Approved, Said
from sluice.core.rollout import Phase, Rollout
from sluice.core.weights import WHOLE, percent_text


def pause(head: Head, said: Said) -> Decision:
    """No step up until `resume`. What is under way arrives first; a bake stands still at once."""
    rollout = _going_up(head, "pause")
    if rollout.orders.pause is not None:
        raise Refused(f"{_named(head)} is paused already, by {rollout.orders.pause.by}: {rollout.orders.pause.reason}")
    because = f"{said.by} pauses {rollout.release.name} before its next step: {said.reason}"
    return _at_once(change(head, "pause_asked", because, NOW_SECONDS, orders=replace(rollout.orders, pause=said)))


def resume(head: Head, said: Said) -> Decision:
    """Go on after a pause of a person, or after harm that the policy holds. After a change in the console the weights decide."""
    rollout = _live(head)
    orders = rollout.orders
    if orders.pause is None and orders.breach is None:
        hint = "; it goes on when the weights are what was asked for" if rollout.phase is Phase.PAUSED else ""
        raise Refused(f"{_named(head)} was not paused by a person{hint}.")
    going = replace(orders, pause=None, breach=None, held_from=said.at)
    because = f"resumed by {said.by}: {said.reason}"
    if rollout.phase is Phase.PAUSED and orders.pause is not None:
        return _at_once(_back_to_work(head, said.at, because, orders=going), "resumed")
    return _at_once(change(head, "resumed", because, NOW_SECONDS, orders=going))


def promote(head: Head, said: Said) -> Decision:
    """To 100 % without further bakes. Not without `min_samples`, not past an approval, a gate, a freeze or an alarm."""
    rollout = _going_up(head, "promote")
    because = f"{said.by} promotes {rollout.release.name} as soon as this step has its minimum evidence: {said.reason}"
    return _at_once(change(head, "promote_asked", because, NOW_SECONDS, orders=replace(rollout.orders, promote=said)))


def skip(head: Head, said: Said) -> Decision:
    """The rest of this step's bake is not waited for. `min_samples` is."""
    rollout = _going_up(head, "skip")
    if rollout.phase is not Phase.BAKING:
        raise Refused(f"{_named(head)} is {rollout.phase.value}: only a bake can be skipped.")
    because = f"{said.by} skips the rest of the bake at {percent_text(rollout.canary_parts)}: {said.reason}"
    return _at_once(change(head, "skip_asked", because, NOW_SECONDS, orders=replace(rollout.orders, skip=said)))


def approve(head: Head, said: Said, arn: str) -> Decision:
    """Let the step begin that waits for it. `arn` is the caller, proven; whoever submitted the release may not."""
    rollout = _live(head)
    if rollout.phase is not Phase.AWAITING_APPROVAL:
        raise Refused(f"{_named(head)} is {rollout.phase.value}: nothing waits for approval.")
    index = next_step(rollout)
    step = rollout.policy.steps[index]
    if arn == rollout.submitted_by:
        raise Forbidden(f"{arn} submitted {rollout.release.name}, and nobody approves their own release.")
    if step.approval is not None and not step.approval.allows(arn):
        raise Forbidden(f"{arn} may not approve step {index + 1}: the policy asks for {' or '.join(step.approval.by)}.")
    approved = Approved(index, said.by, said.at, said.reason)
    because = f"{percent_text(step.weight_parts)} approved by {said.by}: {said.reason}"
    orders = replace(rollout.orders, approved=approved, held_from=said.at)
    return _at_once(_back_to_work(head, said.at, because, orders=orders), "approved")


def force(head: Head, said: Said) -> Decision:
    """The next step now: without evidence, approval or gates, in a freeze and under a stop. Not over harm, and not unrehearsed."""
    rollout = _going_up(head, "force")
    if rollout.orders.breach is not None:
        raise Refused(f"{_named(head)} does harm ({rollout.orders.breach.cause}): `resume` or roll it back first.")
    if rollout.phase is Phase.PAUSED and rollout.orders.pause is None:
        raise Refused(f"{_named(head)} is paused because somebody changed its weights: put them back first.")
    weight = (
        percent_text(rollout.policy.steps[rollout.step + 1].weight_parts)
        if rollout.step + 1 < len(rollout.policy.steps)
        else "100 %"
    )
    because = f"{said.by} forces {rollout.release.name} to {weight}: {said.reason}"
    orders = replace(rollout.orders, force=said, pause=None, held_from=said.at)
    told = page(head, f"{head.endpoint}: step up forced", because)
    if rollout.phase in (Phase.PAUSED, Phase.AWAITING_APPROVAL):
        decided = _back_to_work(head, said.at, because, orders=orders)
        return _at_once(replace(decided, actions=(*decided.actions, told)), "forced")
    return _at_once(change(head, "forced", because, NOW_SECONDS, told, orders=orders))


def stop(head: Head, said: Said) -> Decision:
    """No step up of this endpoint, in this rollout or a later one, until it is lifted. What serves goes on serving."""
    if head.stop is not None:
        raise Refused(f"endpoint {head.endpoint!r} is stopped already, by {head.stop.by}: {head.stop.reason}")
    because = f"every step up is stopped by {said.by}: {said.reason}"
    told = ticket(head, f"{head.endpoint}: steps up are stopped", because)
    return Decision(replace(head, stop=said), because, "stopped", (told,), BAKE_SECONDS)


def lift(head: Head, said: Said) -> Decision:
    """Steps up may begin again."""
    if head.stop is None:
        raise Refused(f"endpoint {head.endpoint!r} is not stopped.")
    because = f"the stop of {head.stop.by} is lifted by {said.by}: {said.reason}"
    return Decision(replace(head, stop=None), because, "lifted", (), BAKE_SECONDS)


def _live(head: Head) -> Rollout:
    if head.live is None:
        raise Refused(f"endpoint {head.endpoint!r}: no rollout is live, {head.champion.release.name} serves.")
    if head.live.is_latched:
        raise Refused(f"{_named(head)} is being rolled back: {head.live.because}")
    return head.live


def _going_up(head: Head, word: str) -> Rollout:
    """A rollout that has steps left."""
    rollout = _live(head)
    if rollout.canary_parts == WHOLE:
        raise Refused(f"{_named(head)} is at 100 % already: there is no step left to {word}.")
    return rollout


def _back_to_work(head: Head, now: int, because: str, **fields: object) -> Decision:
    """To the bake that was interrupted, its evidence kept; before the first step to a new rehearsal. At 100 % nothing stands still."""
    rollout = live(head)
    if rollout.step < 0:
        return enter(head, Phase.REHEARSING, now, because, NOW_SECONDS, rehearsal=None, **fields)
    return enter(head, Phase.BAKING, now, because, NOW_SECONDS, **fields)


def _at_once(decided: Decision, kind: str | None = None) -> Decision:
    """With a fresh clock: the old one may be waiting out a minute of bake."""
    return with_clock(replace(decided, kind=kind or decided.kind))


def _named(head: Head) -> str:
    return f"endpoint {head.endpoint!r}: {live(head).release.name}"
