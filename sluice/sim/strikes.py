"""Strikes: what happens to a use case in the middle of one of its calls. The ports stay the real world's, with a strike in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from sluice.core.errors import SluiceError
from sluice.ports import Ports, StoreUnavailable
from sluice.sim.account import Killed


class CallFailed(SluiceError):
    """An AWS service answered with an error, or not in time."""


class Moment(StrEnum):
    """Before the call took effect, or after it did and before its answer was seen."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(slots=True)
class Strike:
    """Hits the nth call of this name (`port.method`) and the `times - 1` after it."""

    call: str
    moment: Moment
    effect: Callable[[str], None]
    nth: int = 1
    times: int = 1

    def meets(self, call: str, moment: Moment) -> bool:
        if call != self.call or moment is not self.moment or self.times <= 0:
            return False
        if self.nth > 1:
            self.nth -= 1
            return False
        self.times -= 1
        return True


def kill(call: str) -> None:
    """Lambda takes the sandbox away: a deployment, a timeout, an out-of-memory."""
    raise Killed(call)


def fail(call: str) -> None:
    """The service throttles, is down, or its answer is lost. The adapters name the table's trouble for what it is."""
    if call.startswith("store."):
        raise StoreUnavailable(f"struck: {call}")
    raise CallFailed(f"struck: {call}")


def struck(ports: Ports, strikes: list[Strike]) -> Ports:
    """The same ports with `strikes` in between. The list is read at each call, so it may change at any time."""
    made: dict[str, Any] = {}
    for port in fields(ports):
        inner = getattr(ports, port.name)
        made[port.name] = inner if port.name == "now" else _Between(port.name, inner, strikes)
    return Ports(**made)


@dataclass(frozen=True, slots=True)
class _Between:
    """One port, seen through the strikes."""

    port: str
    inner: Any
    strikes: list[Strike]

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call, go = f"{self.port}.{method}", getattr(self.inner, method)

        def through(*args: Any, **named: Any) -> Any:
            self._strike(call, Moment.BEFORE)
            answer = go(*args, **named)
            self._strike(call, Moment.AFTER)
            return answer

        return through

    def _strike(self, call: str, moment: Moment) -> None:
        for strike in list(self.strikes):
            if strike.meets(call, moment):
                strike.effect(call)
