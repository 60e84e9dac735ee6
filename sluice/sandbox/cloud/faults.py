"""Faults a test injects into the AWS calls of functions: errors, lost answers, killed invocations, latency.

Decides which call is hit and with what; the gate applies it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

OPERATOR = "operator"  # the function name under which the sandbox's own calls are logged


class FunctionKilled(BaseException):
    """The invocation ends here, as when Lambda takes the sandbox away: no handler code may catch it and go on."""


@dataclass(frozen=True, slots=True)
class Raise:
    """The caller gets this AWS error."""

    code: str
    message: str = "injected by a test"
    status: int = 400


@dataclass(frozen=True, slots=True)
class Throw:
    """The caller gets this exception (a timeout of the connection, say)."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Kill:
    """The invocation ends at this call."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The call takes this long: before it takes effect, or before its answer arrives."""

    seconds: float


Effect = Raise | Throw | Kill | Delay
Moment = Literal["before", "after"]


@dataclass(slots=True)
class Fault:
    """Hits the nth matching call and the `times - 1` after it (None: all after it).

    What is left out matches every call of a function; only `function=OPERATOR` hits the sandbox's own calls.
    """

    effect: Effect
    service: str | None = None
    operation: str | None = None
    function: str | None = None
    where: Callable[[Mapping[str, Any]], bool] | None = None
    nth: int = 1
    times: int | None = 1
    moment: Moment = "before"
    seen: int = 0
    applied: int = 0

    def hits(self, function: str, service: str, operation: str, params: Mapping[str, Any]) -> bool:
        """Whether this call is one to disturb; counts the calls that match."""
        if not self._matches(function, service, operation, params):
            return False
        self.seen += 1
        hit = self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)
        self.applied += hit
        return hit

    def _matches(self, function: str, service: str, operation: str, params: Mapping[str, Any]) -> bool:
        caller = function != OPERATOR if self.function is None else self.function == function
        return (
            caller
            and self.service in (None, service)
            and self.operation in (None, operation)
            and (self.where is None or self.where(params))
        )
