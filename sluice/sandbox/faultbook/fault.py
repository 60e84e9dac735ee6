"""What a named fault is: when it happens, what brings it about, and the end that is expected of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sluice.core.names import AlarmName
from sluice.core.rollout import Phase
from sluice.sandbox.sandbox import PROJECT, STACK
from sluice.sandbox.triage import ENDPOINT

if TYPE_CHECKING:
    from sluice.sandbox.faultbook.scene import Scene

Happens = Callable[["Scene"], None]


@dataclass(frozen=True, slots=True)
class At:
    """A moment of a rollout: the phase, and in some phases the weight asked for, in parts."""

    phase: Phase
    parts: int | None = None


BEFORE = None
"""Before the release is submitted."""
PENDING, PREPARING, REHEARSING = At(Phase.PENDING), At(Phase.PREPARING), At(Phase.REHEARSING)
FIRST_BAKE, SECOND_SHIFT, SECOND_BAKE = At(Phase.BAKING, 1000), At(Phase.SHIFTING, 5000), At(Phase.BAKING, 5000)
LAST_SHIFT, SOAKING = At(Phase.SHIFTING, 10_000), At(Phase.SOAKING)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a story must end: the phase its last rollout ended in, the champion, which serves everything, and part of the sentence.

    `phase` is None where no rollout was started or touched: the sentence is then what the person at `pulumi up` reads.
    """

    phase: Phase | None
    champion: str
    because: str


def settled(champion: str = "v2") -> Ending:
    """The fault changed nothing in the end."""
    return Ending(Phase.SETTLED, champion, f"{champion} is settled")


def taken_back(because: str, champion: str = "v1") -> Ending:
    return Ending(Phase.ROLLED_BACK, champion, because)


def refused(because: str, champion: str = "v1") -> Ending:
    """`pulumi` says why, and nothing moved."""
    return Ending(None, champion, because)


WENT_OFF = f"alarm {AlarmName(PROJECT, STACK, ENDPOINT, 'green', 'errors')} went off"
"""What takes back a release that fails requests, where green is the canary."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `about` says what goes wrong in real life; `policy` what differs from the book's rollout policy,
    `config` what the endpoint's configuration has besides, `stack` the stack's.

    `happens` runs at the moment `at` (BEFORE: before `pulumi up` with the release) and may let time pass; `later` runs when
    the rollout has ended. With `from_nothing` not even v1 serves yet. `denied`: the story takes
    permissions away; `gone`: the endpoint itself.
    """

    name: str
    about: str
    at: At | None
    happens: Happens
    ends: Ending
    release: str = "v2"
    policy: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    stack: Mapping[str, Any] = field(default_factory=dict)
    later: Happens | None = None
    from_nothing: bool = False
    denied: bool = False
    gone: bool = False
