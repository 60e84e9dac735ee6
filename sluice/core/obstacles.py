"""What stands in the way of a step up, whether or not the step is due yet: for people who ask why. Decides nothing; `ascent` does that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sluice.core.ascent import is_forced, next_step
from sluice.core.conditions import frozen
from sluice.core.head import Head
from sluice.core.orders import WaitFor
from sluice.core.outlook import lasting
from sluice.core.rollout import Rollout
from sluice.core.weights import WHOLE, percent_text


class Kind(StrEnum):
    """What sort of obstacle; also the word people see before its sentence."""

    STOPPED = "stopped"
    PAUSED = "paused"
    HARM = "harm"
    REGISTRY = "registry"
    FROZEN = "frozen"
    NEEDS = "needs"
    GATES = "gates"
    COOLING = "cooling"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The sentence says whose it is, why, and what ends it."""

    kind: Kind
    sentence: str


def obstacles(head: Head, now: int) -> tuple[Obstacle, ...]:
    """Everything at once, so that nobody clears one only to learn of the next. Going back is stopped by none of these."""
    return (*_stopped(head, now), *(_of_rollout(head.live, now) if head.live else ()), *_cooling(head, now))


def _stopped(head: Head, now: int) -> Iterator[Obstacle]:
    if head.stop is not None:
        ago = lasting(now - head.stop.at)
        sentence = f"{head.stop.by} stopped every step up {ago} ago: {head.stop.reason}; `lift` ends it"
        yield Obstacle(Kind.STOPPED, sentence)


def _of_rollout(rollout: Rollout, now: int) -> Iterator[Obstacle]:
    """Nothing where no step is left, or the way is down."""
    if rollout.is_latched or rollout.canary_parts == WHOLE:
        return
    orders = rollout.orders
    if orders.pause is not None:
        yield Obstacle(Kind.PAUSED, f"{orders.pause.by} paused it: {orders.pause.reason}; `resume` ends it")
    if orders.breach is not None:
        yield Obstacle(Kind.HARM, f"held for people to decide: {orders.breach.cause}; `resume` or `rollback` ends it")
    if not rollout.is_emergency and not is_forced(rollout, now):
        yield from _of_step(rollout, now)


def _of_step(rollout: Rollout, now: int) -> Iterator[Obstacle]:
    """Of the step that comes next: what an emergency and a forced step pass by."""
    orders, index = rollout.orders, next_step(rollout)
    step = rollout.policy.steps[index]
    weight = percent_text(step.weight_parts)
    wait = orders.wait
    if wait is not None and wait.what is WaitFor.REGISTRY:
        yield Obstacle(Kind.REGISTRY, wait.because)
    freeze = frozen(rollout.policy.freeze, now)
    if freeze is not None:
        left = "without an end in sight" if freeze.until is None else f"for another {lasting(freeze.until - now)}"
        yield Obstacle(Kind.FROZEN, f"freeze {freeze.name!r} is on {left}")
    if step.approval is not None and (orders.approved is None or orders.approved.step != index):
        who = f"{' or '.join(step.approval.by)}, but not by {rollout.submitted_by}, who submitted it"
        yield Obstacle(Kind.NEEDS, f"`approve` for {weight} by {who}")
    if step.gates:
        asked = wait if wait is not None and wait.what is WaitFor.GATES else None
        targets = ", ".join(gate.target for gate in step.gates)
        yield Obstacle(Kind.GATES, asked.because if asked else f"before {weight} these are asked: {targets}")


def _cooling(head: Head, now: int) -> Iterator[Obstacle]:
    """The cool-down of releases that did harm."""
    for entry in head.quarantine:
        if now < entry.until:
            yield Obstacle(
                Kind.COOLING,
                f"{entry.release_name} is kept out for another {lasting(entry.until - now)}: {entry.cause}",
            )
