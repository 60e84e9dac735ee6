"""What people said about a rollout, and what a step that could begin is waiting for. Remembered with the rollout, obeyed by `ascent`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Said:
    """A person's word: whose, when, and why."""

    by: str
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Approved:
    """Somebody's agreement to one step (its index), and to no other."""

    step: int
    by: str
    at: int
    reason: str


class WaitFor(StrEnum):
    """What stands in the way of a step that everything else speaks for."""

    STOP = "stop"
    FREEZE = "freeze"
    GATES = "gates"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class Wait:
    """`until` is None where no end is known; `tries` counts how often gates were asked in vain."""

    what: WaitFor
    since: int
    until: int | None
    because: str
    tries: int


@dataclass(frozen=True, slots=True)
class Breach:
    """Harm that the policy wants held, not taken back: people decide, until `max_hold` is over."""

    at: int
    cause: str


@dataclass(frozen=True, slots=True)
class Orders:
    """`skip` and `force` are for one step, `promote` for all that are left. `held_from` is from when on a hold counts."""

    pause: Said | None
    skip: Said | None
    promote: Said | None
    force: Said | None
    approved: Approved | None
    wait: Wait | None
    breach: Breach | None
    held_from: int | None

    @property
    def hurry(self) -> bool:
        """Somebody wants the step over as soon as its proof allows: its shortest bake is not waited for."""
        return (self.skip or self.promote) is not None


NO_ORDERS = Orders(None, None, None, None, None, None, None, None)
