"""What people tell the control plane: checked, decided by the core, recorded with the caller and the reason, and only then acted on.

Taking back is `sluice.command`'s. A command that is sent twice with the same request id is answered as it was the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sluice.apply import LOST_RACES, settle
from sluice.command import abort, rollback
from sluice.core import commands
from sluice.core.audit import Event
from sluice.core.begin import begin
from sluice.core.decision import Decision
from sluice.core.errors import BadInput, EndpointBusy, Forbidden, Refused, StaleRecord, UnknownSchema
from sluice.core.head import Head, Submission
from sluice.core.orders import Said
from sluice.core.record import decode
from sluice.core.release import Release
from sluice.core.resubmission import back_to, like_the_last
from sluice.fallback import fall_back
from sluice.ports import Ports, StoreUnavailable
from sluice.premise import known_head, need_reason
from sluice.vetting import release_faults

REPLAY_SECONDS = 15 * 60
"""How long AWS takes a signature for; what comes later with an old signature does not reach us."""
REPLAY_EVENTS = 200
"""More than happens to one endpoint in that time: a tick changes something every five seconds at most."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. Proven means that AWS checked the signature and named the caller; otherwise it is what the caller says."""

    arn: str
    proven: bool

    @property
    def by(self) -> str:
        return self.arn if self.proven else f"unproven:{self.arn}"


@dataclass(frozen=True, slots=True)
class Order:
    """One command about one endpoint. `request` is the caller's id for it: the same id is the same command."""

    action: str
    endpoint: str
    caller: Caller
    reason: str
    request: str | None


_WORDS: Mapping[str, Callable[[Head, Said], Decision]] = {
    "pause": commands.pause,
    "resume": commands.resume,
    "promote": commands.promote,
    "skip": commands.skip,
    "force": commands.force,
    "stop": commands.stop,
    "lift": commands.lift,
}
EVERY = "*"
"""Stands for every endpoint of the control plane, where a command takes that."""
_FOR_ALL = ("stop", "lift")
_DOWN = ("abort", "rollback", "fall_back")


def tell(ports: Ports, order: Order) -> str:
    """Do what is asked, or say why not (BadInput, Refused; Forbidden, which is recorded). Answers with one sentence."""
    need_reason(order.reason)
    if order.endpoint == EVERY and order.action in _FOR_ALL:
        return _tell_all(ports, order)
    before = _answered_before(ports, order)
    if before is not None:
        return before
    match order.action:
        case "abort":
            return abort(ports, order.endpoint, order.caller.by, order.reason, _facts(order))
        case "rollback":
            return rollback(ports, order.endpoint, order.caller.by, order.reason, _facts(order))
        case "fall_back":
            return fall_back(ports, order.endpoint, order.caller.by, order.reason, _facts(order))
        case "approve":
            return decided(ports, order, lambda head: commands.approve(head, _said(ports, order), _proven(order)))
        case word if word in _WORDS:
            return decided(ports, order, lambda head: _WORDS[word](head, _said(ports, order)))
        case _:
            known = ", ".join((*_DOWN, "approve", *_WORDS))
            raise BadInput((f"action: must be one of {known}, got {order.action!r}",))


def roll_back_to(ports: Ports, order: Order, release: str) -> str:
    """Back to a release that served before: at once while its successor is still live, else through its own rollout in one step."""
    need_reason(order.reason)
    before = _answered_before(ports, order)
    if before is not None:
        return before
    head = known_head(ports, order.endpoint)
    if head.live is not None and head.live.stable.is_called(release):
        return rollback(ports, order.endpoint, order.caller.by, order.reason, _facts(order))
    return decided(ports, order, lambda head: _begun(ports, head, back_to(head, release, order.caller.by)))


def submit_release(ports: Ports, order: Order, document: object, nonce: str) -> str:
    """Another release on the policy, alarms and scaling of the submission before. What `pulumi up` wants does not change with it."""
    need_reason(order.reason)
    release = decode(Release, document, "release")
    before = _answered_before(ports, order)
    if before is not None:
        return before
    return decided(ports, order, lambda head: _begun(ports, head, like_the_last(head, release, nonce, order.caller.by)))


def forbid(ports: Ports, order: Order, sentence: str) -> None:
    """Record that somebody asked for what they may not do, and raise it. Nothing else changes."""
    head = ports.store.head(order.endpoint)
    if head is not None:
        record_refusal(ports, head, order, sentence)
    raise Forbidden(sentence)


def decided(ports: Ports, order: Order, decide: Callable[[Head], Decision]) -> str:
    """Decide on the newest record, write that down with who asked and why, and act on it. What is Forbidden is recorded, too."""
    for _ in range(LOST_RACES):
        head = known_head(ports, order.endpoint)
        try:
            decision = decide(head)
        except Forbidden as fault:
            record_refusal(ports, head, order, str(fault))
            raise
        try:
            settle(ports, head, decision, order.caller.by, _facts(order))
        except StaleRecord:
            continue
        except EndpointBusy:
            return f"{decision.because} (the endpoint is busy: it is asked again every few seconds until it takes the call)"
        return decision.because
    raise StaleRecord(f"endpoint {order.endpoint!r}: its record keeps changing: ask again")


def _begun(ports: Ports, head: Head, submission: Submission) -> Decision:
    """Begun, or queued; but only with an archive that is what the release says, and nothing against it in the registry."""
    faults = release_faults(ports, submission)
    if faults:
        because = "; ".join(faults)
        raise Refused(f"endpoint {head.endpoint!r}: {submission.release.name} cannot be rolled out: {because}")
    return begin(head, submission, ports.now())


def _tell_all(ports: Ports, order: Order) -> str:
    """Endpoint by endpoint. One where it is so already is no fault; one that fails does not keep it from the others."""
    said, faults = [], []
    for endpoint in ports.store.endpoints():
        one = Order(order.action, endpoint, order.caller, order.reason, order.request)
        try:
            said.append(f"{endpoint}: {tell(ports, one)}")
        except Refused as fault:
            said.append(str(fault))
        except Exception as fault:  # told below, after all others were tried
            faults.append(f"{endpoint}: {type(fault).__name__}: {fault}")
    if faults:
        raise StaleRecord(f"not everywhere: {'; '.join(faults)}. Ask again. Done: {'; '.join(said) or 'nothing'}")
    return "\n".join(said) or "this control plane has no endpoints"


def _answered_before(ports: Ports, order: Order) -> str | None:
    """The answer of the command with this request id, if there was one lately; refused when it was another command."""
    if order.request is None:
        return None
    try:
        recent = _recent(ports, order.endpoint)
    except (StoreUnavailable, UnknownSchema, BadInput):
        if order.action in _DOWN:
            return None  # taking back twice is taking back once
        raise
    for event in recent:
        if event.facts.get("request") == order.request and ports.now() - event.at <= REPLAY_SECONDS:
            return _same_answer(event, order)
    return None


def _recent(ports: Ports, endpoint: str) -> tuple[Event, ...]:
    head = known_head(ports, endpoint)
    return tuple(ports.store.events(endpoint, max(1, head.version - REPLAY_EVENTS), head.version))


def _same_answer(event: Event, order: Order) -> str:
    same = (event.facts.get("action"), event.by, event.facts.get("reason")) == (
        order.action,
        order.caller.by,
        order.reason,
    )
    if not same:
        raise Refused(f"request {order.request!r} was used before, for another command: give each its own id.")
    if event.kind == REFUSED:
        raise Forbidden(event.because)
    return event.because


REFUSED = "command_refused"
"""The kind of audit event for what somebody asked and may not do."""


def record_refusal(ports: Ports, head: Head, order: Order, sentence: str) -> None:
    """The state stays as it is; only the trail grows."""
    for _ in range(LOST_RACES):
        decision = Decision(head, f"refused {order.action} of {order.caller.by}: {sentence}", REFUSED)
        try:
            settle(ports, head, decision, order.caller.by, _facts(order))
            return
        except StaleRecord:
            head = known_head(ports, order.endpoint)


def _facts(order: Order) -> dict[str, str | bool | None]:
    return {
        "action": order.action,
        "reason": order.reason,
        "request": order.request,
        "proven": order.caller.proven,
    }


def _said(ports: Ports, order: Order) -> Said:
    return Said(order.caller.by, ports.now(), order.reason)


def _proven(order: Order) -> str:
    """Only a caller that AWS named may approve: a name that anybody can write down is no agreement."""
    if not order.caller.proven:
        raise Forbidden(f"{order.caller.by}: an approval needs a caller that AWS has proven; use the approve URL.")
    return order.caller.arn
