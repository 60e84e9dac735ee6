"""Following a signed link: what it would do, and doing it once. Refused in a sentence when it is late, used, or about what is over.

Whoever holds a link is a person nobody proved. So an approval counts only where the step's policy says `link`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sluice.command import explain
from sluice.core import commands
from sluice.core.actions import Asks
from sluice.core.ascent import next_step
from sluice.core.audit import Event
from sluice.core.decision import Decision, with_clock
from sluice.core.errors import Forbidden, Refused
from sluice.core.head import Head
from sluice.core.links import BY_LINK, Link, parse_token, signed_text, token_of
from sluice.core.messages import Letter
from sluice.core.orders import Said
from sluice.core.revert import roll_back
from sluice.core.rollout import Phase, Rollout
from sluice.core.weights import percent_text
from sluice.ports import Ports
from sluice.premise import need_reason
from sluice.tell import REFUSED, Caller, Order, decided, record_refusal

LONGEST_SECONDS = 24 * 3600
"""No link is good for longer."""
_CALLER = Caller(BY_LINK, proven=False)
_PAGE = 200
"""Events looked through at once for one that used the link."""


class Signer(Protocol):
    """Signs, and knows its own signature again."""

    def sign(self, text: bytes) -> bytes: ...

    def is_mine(self, text: bytes, mac: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """What following a link would do, for a person to read first."""

    link: Link
    sentence: str
    facts: tuple[tuple[str, str], ...]
    """What else to know before: a word and what there is to say to it."""


def made(signer: Signer, link: Link) -> str:
    """The token of a link."""
    return token_of(link, signer.sign(signed_text(link)))


def read(signer: Signer, token: str) -> Link:
    """The link in a token; raises BadInput for what is none, Forbidden for one that was not made here, or altered."""
    link, mac = parse_token(token)
    if not signer.is_mine(signed_text(link), mac):
        raise Forbidden("this link was altered, or not made by this control plane. Use the one that was sent.")
    return link


def links_of(letter: Letter, asks: Asks, expires: int) -> Iterator[Link]:
    """The links that go with a notice that asks for approval: to end the rollout, and to approve where the policy takes that."""
    if letter.rollout is None:
        return
    if asks.by_link:
        yield Link("approve", letter.endpoint, letter.rollout.id, asks.step, expires)
    yield Link("abort", letter.endpoint, letter.rollout.id, None, expires)


def offer(ports: Ports, link: Link) -> Offer:
    """What the link would do now. Changes nothing and records nothing: programs that look at links may look at this one."""
    head = _head(ports, link)
    if ports.now() > link.expires:
        raise Forbidden(_expired(link))
    _refuse_used(ports, head, link)
    rollout = _bound(head, link)
    facts = tuple(_facts(ports, link, rollout))
    if link.action == "abort":
        sentence = (
            f"End the rollout of {rollout.release.name} on {link.endpoint}: {rollout.stable.name} takes everything."
        )
        return Offer(link, sentence, facts)
    step = rollout.policy.steps[_approvable(rollout, link)]
    sentence = f"Let {rollout.release.name} go on to {percent_text(step.weight_parts)} on {link.endpoint}."
    return Offer(link, sentence, facts)


def _facts(ports: Ports, link: Link, rollout: Rollout) -> Iterator[tuple[str, str]]:
    """How it stands, what the judge last found, and until when the link is good."""
    share = percent_text(rollout.canary_parts)
    step = f"step {rollout.step + 1}" if rollout.step >= 0 else "before step 1"
    where = f"{step} of {len(rollout.policy.steps)}"
    yield "Now", f"{rollout.release.name} has {share}, {rollout.stable.name} the rest; {where}"
    judged = explain(ports, link.endpoint)
    if judged["rollout"] == rollout.id:  # else it is what led to an older one's end
        for finding in judged["findings"]:
            yield finding["metric"].capitalize(), f"{finding['word'].replace('_', ' ')}: {finding['numbers']}"
    yield "Submitted by", rollout.submitted_by
    yield "Good until", f"{datetime.fromtimestamp(link.expires, UTC):%Y-%m-%d %H:%M} UTC, once"


def follow(ports: Ports, link: Link, reason: str) -> str:
    """Do it. Raises BadInput without a reason, Forbidden (recorded, once) or Refused when it may not be done any more."""
    need_reason(reason)
    order = Order(link.action, link.endpoint, _CALLER, reason, link.request)
    head = _head(ports, link)
    if ports.now() > link.expires:
        if not any(event.kind == REFUSED for event in _uses(ports, head, link)):
            record_refusal(ports, head, order, _expired(link))
        raise Forbidden(_expired(link))
    _refuse_used(ports, head, link)
    return decided(ports, order, lambda now: _decision(now, link, Said(order.caller.by, ports.now(), reason)))


def _decision(head: Head, link: Link, said: Said) -> Decision:
    rollout = _bound(head, link)
    if link.action == "abort":
        back = roll_back(head, said.at, said.by, f"aborted by {said.by}: {said.reason}", harmful=False)
        return with_clock(back) if back.kind else back
    _approvable(rollout, link)
    return commands.approve(head, said, BY_LINK)


def _bound(head: Head, link: Link) -> Rollout:
    """The rollout that the link is about, still live and not on its way back."""
    rollout = head.live
    if rollout is None or rollout.id != link.rollout:
        now = f"{rollout.id} is live now" if rollout else "none is live now"
        raise Refused(f"this link is about rollout {link.rollout} of {link.endpoint}, which is over: {now}.")
    if rollout.is_latched:
        raise Refused(f"{rollout.release.name} on {link.endpoint} is being rolled back already: {rollout.because}")
    return rollout


def _approvable(rollout: Rollout, link: Link) -> int:
    """The step that waits, if it is the link's and its policy takes links."""
    if rollout.phase is not Phase.AWAITING_APPROVAL:
        raise Refused(
            f"{rollout.release.name} on {rollout.endpoint} is {rollout.phase.value}: nothing waits for approval."
        )
    index = next_step(rollout)
    if index != link.step:
        asked = "none" if link.step is None else str(link.step + 1)
        raise Refused(f"this link is about step {asked}, and step {index + 1} waits: use the newest one.")
    approval = rollout.policy.steps[index].approval
    if approval is None or BY_LINK not in approval.by:
        raise Forbidden(
            f"step {index + 1} may not be approved by a link: its policy's `approval.by` does not say `{BY_LINK}`."
        )
    return index


def _refuse_used(ports: Ports, head: Head, link: Link) -> None:
    used = next((event for event in _uses(ports, head, link) if event.kind != REFUSED), None)
    if used is not None:
        raise Refused(f"this link was used already: {used.because}")


def _uses(ports: Ports, head: Head, link: Link) -> tuple[Event, ...]:
    """Every event that the link brought about, back to when it can have been made at the earliest."""
    found: list[Event] = []
    last = head.version
    while last >= 1:
        page = tuple(ports.store.events(link.endpoint, max(1, last - _PAGE + 1), last))
        found += [event for event in page if event.facts.get("request") == link.request]
        if not page or page[0].at < link.expires - LONGEST_SECONDS:
            break
        last = page[0].seq - 1
    return tuple(found)


def _expired(link: Link) -> str:
    return f"this link to {link.action} on {link.endpoint} has expired. Ask for it as `sluice {link.action}`, or wait for a new one."


def _head(ports: Ports, link: Link) -> Head:
    head = ports.store.head(link.endpoint)
    if head is None:
        raise Refused(f"endpoint {link.endpoint!r} is not known here any more.")
    return head
