"""The gate every boto3 call goes through: who calls, may they, what happened, and the faults tests inject.

Decides by the role's IAM documents (`iam`, `actions`); calls without a principal (the operator's, moto's own) pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.actions import Need, Place, actions_of, needs_to_see_missing
from sluice.sandbox.cloud.clock import Clock, Overslept
from sluice.sandbox.cloud.faults import OPERATOR, Delay, Effect, Fault, FunctionKilled, Kill, Moment, Raise, Throw
from sluice.sandbox.cloud.iam import Authorizer
from sluice.sandbox.cloud.refusals import client_error, denial
from sluice.sandbox.patches import Undo, replaced

_MISSING = ("404", "NoSuchKey")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes the calls: a role, in the name of a function (or `states:<machine>`, `mapping:<function>`)."""

    role_arn: str
    function: str
    request_id: str = ""
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it went. `outcome` is "ok" or the error the caller saw; `effective` whether AWS carried it out.

    `params` is what the caller passed, not a copy.
    """

    asked_at: datetime
    at: datetime
    function: str
    role_arn: str | None
    service: str
    operation: str
    params: Mapping[str, Any]
    outcome: str
    effective: bool
    sids: tuple[str, ...]


def install_api_gate(call: Callable[[Any, str, Mapping[str, Any], Callable[[], Any]], Any]) -> Undo:
    """Every boto3 call becomes call(client, operation, params, proceed). Undone by what is returned."""
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def gated(client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        return call(client, operation_name, api_params, lambda: original(client, operation_name, api_params))

    return replaced(BaseClient, "_make_api_call", gated)


class Gate:
    """Holds the current principal, the call log and the faults. `install` hooks botocore, `uninstall` undoes it."""

    def __init__(self, clock: Clock, authorizer: Authorizer, place: Place | None = None) -> None:
        self._clock = clock
        self._authorizer = authorizer
        self._place = place or Place()
        self._undo: Undo | None = None
        self._killed: set[str] = set()
        self.principal: Principal | None = None
        self.calls: list[Call] = []
        self.faults: list[Fault] = []

    def install(self) -> None:
        self._undo = install_api_gate(self._call)
        self._clock.guards.append(self)
        self._clock.sleep_limit = lambda: self.principal.deadline if self.principal else None

    def uninstall(self) -> None:
        if self._undo is not None:
            self._undo()
            self._undo = None
            self._clock.guards.remove(self)
            self._clock.sleep_limit = lambda: None

    @contextmanager
    def acting_as(self, principal: Principal | None) -> Iterator[None]:
        """Make calls as this principal; None is the operator, who may do everything."""
        before, self.principal = self.principal, principal
        try:
            yield
        finally:
            self.principal = before

    def suspend(self) -> Callable[[], None]:
        held, self.principal = self.principal, None

        def resume() -> None:
            self.principal = held

        return resume

    def inject(self, fault: Fault) -> Fault:
        self.faults.append(fault)
        return fault

    def made(
        self, operation: str | None = None, *, service: str | None = None, function: str | None = None
    ) -> list[Call]:
        """The calls that match, oldest first."""
        return [
            call
            for call in self.calls
            if operation in (None, call.operation)
            and service in (None, call.service)
            and function in (None, call.function)
        ]

    def _call(self, client: Any, operation: str, params: Mapping[str, Any], proceed: Callable[[], Any]) -> Any:
        with self._clock.turn():
            return _Passage(self, client, operation, params).go(proceed)

    def check_alive(self) -> None:
        """A killed or overdue invocation makes no further call, whatever its code catches."""
        who = self.principal
        if who is None:
            return
        if who.request_id in self._killed:
            raise FunctionKilled(f"{who.function}: this invocation was killed before")
        if who.deadline is not None and self._clock.now() > who.deadline:
            raise Overslept(f"{who.function}: past its timeout")

    def kill(self) -> NoReturn:
        who = self.principal
        if who is None or not who.request_id:
            raise RuntimeError(f"only an invocation can be killed, not {who.function if who else OPERATOR}")
        self._killed.add(who.request_id)
        raise FunctionKilled(f"{who.function}: killed by a fault")

    def authorize(self, client: Any, service: str, operation: str, params: Mapping[str, Any]) -> tuple[str, ...]:
        """The Sids that allow the call; raises the denial AWS would give."""
        if self.principal is None:
            return ()
        return self._satisfy(client, operation, self.principal, actions_of(service, operation, params, self._place))

    def authorize_missing(
        self, client: Any, service: str, operation: str, params: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """The Sids that allow the caller to learn that something is not there."""
        if self.principal is None:
            return ()
        return self._satisfy(client, operation, self.principal, needs_to_see_missing(service, params, self._place))

    def _satisfy(self, client: Any, operation: str, who: Principal, needs: list[Need]) -> tuple[str, ...]:
        sids: list[str] = []
        for need in needs:
            context = {"aws:RequestedRegion": self._place.region, **need.context}
            decision = self._authorizer.decide(who.role_arn, need.action, need.resource, context)
            if not decision.allowed:
                raise denial(client, operation, who.role_arn, who.function, need, explicit=decision.denied)
            sids.extend(decision.sids)
        return tuple(dict.fromkeys(sids))

    def disturb(self, moment: Moment, client: Any, service: str, operation: str, params: Mapping[str, Any]) -> None:
        function = self.principal.function if self.principal else OPERATOR
        for fault in self.faults:
            if fault.moment == moment and fault.hits(function, service, operation, params):
                self._apply(fault.effect, client, operation)

    def _apply(self, effect: Effect, client: Any, operation: str) -> None:
        match effect:
            case Raise(code, message, status):
                raise client_error(client, operation, code, message, status)
            case Throw(error):
                raise error.with_traceback(None)  # thrown again and again, it would drag every earlier way along
            case Kill():
                self.kill()
            case Delay(seconds):
                self._clock.sleep(seconds)

    def note(self, passage: _Passage, asked_at: datetime, outcome: str) -> None:
        who = self.principal
        self.calls.append(
            Call(
                asked_at=asked_at,
                at=passage.at or self._clock.now(),
                function=who.function if who else OPERATOR,
                role_arn=who.role_arn if who else None,
                service=passage.service,
                operation=passage.operation,
                params=passage.params,
                outcome=outcome,
                effective=passage.effective,
                sids=passage.sids,
            )
        )

    def now(self) -> datetime:
        return self._clock.now()


class _Passage:
    """One call on its way through the gate."""

    def __init__(self, gate: Gate, client: Any, operation: str, params: Mapping[str, Any]) -> None:
        self._gate = gate
        self._client = client
        self.service: str = client.meta.service_model.service_name
        self.operation = operation
        self.params = params
        self.at: datetime | None = None
        self.effective = False
        self.sids: tuple[str, ...] = ()

    def go(self, proceed: Callable[[], Any]) -> Any:
        asked_at, outcome = self._gate.now(), "ok"
        try:
            return self._steps(proceed)
        except ClientError as error:
            outcome = str(error.response["Error"]["Code"])
            raise
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            self._gate.note(self, asked_at, outcome)

    def _steps(self, proceed: Callable[[], Any]) -> Any:
        gate, call = self._gate, (self._client, self.service, self.operation, self.params)
        gate.check_alive()
        gate.disturb("before", *call)
        self.sids = gate.authorize(*call)
        self.at = gate.now()
        try:
            with gate.acting_as(None):
                answer = proceed()
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                self.sids = (*self.sids, *gate.authorize_missing(*call))
            raise
        self.effective = True
        gate.disturb("after", *call)
        return answer
