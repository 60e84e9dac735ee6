"""What is sent of an audit event: to programs over the event bus, to people over the topic. Documents with a version, stable names.

Each message has an id that is the same however often it is delivered. What people are told has a `dedup` besides, which is
the same for everything that tells of one condition at one endpoint in one rollout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sluice.core.actions import Notify, Severity
from sluice.core.audit import NOTICES, Event
from sluice.core.record import decode
from sluice.core.standing import STANDING, Standing

SOURCE = "sluice"
"""The `source` of every event on the bus."""
MESSAGE_SCHEMA = 1
"""Version of the messages. Adding a key is fine; changing or removing one raises it."""

MARKS = "T#"
"""How the keys of what was sent begin, in the table of records: the one part of it that the sending function may touch."""
MARK_EXPIRES = "expires"
"""The attribute by which DynamoDB deletes what was noted. Only these notes have it: no record and no audit event ever does."""
MARK_SECONDS = 400 * 86_400
"""How long it is known what was sent: longer than a rollout can live, and than any letter can come again."""


@dataclass(frozen=True, slots=True)
class Happened:
    """The audit event that a message tells of, as `sluice history` shows it."""

    seq: int
    """Its number on the endpoint's trail, without gaps: sort by it, delivery may be late or out of order."""
    at: int
    """When it was decided, in seconds since the epoch."""
    kind: str
    """What it is: the phase entered, or what was asked, seen or refused."""
    by: str
    """Who decided: `tick`, `sweep`, `alarm:<name>`, or a person by their ARN."""
    because: str
    """The sentence that says why, with the numbers."""


@dataclass(frozen=True, slots=True)
class PhaseChange:
    """A rollout entered another phase: it was submitted, shifts, bakes, waits, is promoted, goes back, or has ended."""

    schema: int
    """The version of this document."""
    id: str
    """`<endpoint>/<seq>`: the same however often it is delivered."""
    endpoint: str
    """The endpoint's name in SageMaker."""
    event: Happened
    """What happened."""
    rollout: Standing
    """How the rollout stands now."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Something happened in a rollout that did not change its phase: a wait, a gate's answer, an order of a person."""

    schema: int
    """The version of this document."""
    id: str
    """`<endpoint>/<seq>`: the same however often it is delivered."""
    endpoint: str
    """The endpoint's name in SageMaker."""
    event: Happened
    """What happened."""
    rollout: Standing
    """How the rollout stands now."""


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """Something happened at an endpoint outside of any rollout: it was adopted, a slot retired, its instances revised."""

    schema: int
    """The version of this document."""
    id: str
    """`<endpoint>/<seq>`: the same however often it is delivered."""
    endpoint: str
    """The endpoint's name in SageMaker."""
    event: Happened
    """What happened."""


@dataclass(frozen=True, slots=True)
class Notice:
    """People are told: the same as goes over the topic, for programs that open tickets or wake somebody."""

    schema: int
    """The version of this document."""
    id: str
    """The same as `dedup`: of two messages with one id, one is superfluous."""
    dedup: str
    """`<endpoint>/<rollout>/<condition>`, for a pager's de-duplication key. A condition is told of once in a rollout."""
    severity: Severity
    """`page` wakes somebody, `ticket` waits for the morning."""
    endpoint: str
    """The endpoint's name in SageMaker."""
    subject: str
    """One line."""
    text: str
    """What happened, with the numbers."""
    event: Happened
    """What happened."""
    rollout: Standing | None
    """How the rollout stands now; null outside of any."""


Message = PhaseChange | Activity | EndpointChange | Notice
DETAIL_TYPES: dict[type, str] = {
    PhaseChange: "Sluice Rollout Phase Change",
    Activity: "Sluice Rollout Activity",
    EndpointChange: "Sluice Endpoint Change",
    Notice: "Sluice Notice",
}
"""The `detail-type` of each message. These names stay."""


@dataclass(frozen=True, slots=True)
class Letter:
    """As much of an audit event as is sent of it: small enough for a queue, complete without the table."""

    endpoint: str
    event: Happened
    rollout: Standing | None
    notices: tuple[Notify, ...]


def letter_of(event: Event) -> Letter:
    stands = event.facts.get(STANDING)
    return Letter(
        event.endpoint,
        Happened(event.seq, event.at, event.kind, event.by, event.because),
        decode(Standing, stands, STANDING) if stands else None,
        tuple(decode(Notify, told, NOTICES) for told in event.facts.get(NOTICES, ())),
    )


def message_of(letter: Letter) -> Message:
    """What programs are told of the event itself."""
    name = f"{letter.endpoint}/{letter.event.seq}"
    told = (MESSAGE_SCHEMA, name, letter.endpoint, letter.event)
    if letter.rollout is None:
        return EndpointChange(*told)
    return (PhaseChange if letter.rollout.entered else Activity)(*told, letter.rollout)


def notices_of(letter: Letter) -> Iterator[tuple[Notify, Notice]]:
    """What people are told of it: as it was decided, and as it is sent."""
    rollout = letter.rollout.id if letter.rollout else "-"
    for number, notice in enumerate(letter.notices):
        condition = notice.about or f"{letter.event.kind}:{letter.event.seq}{f'.{number}' if number else ''}"
        dedup = f"{letter.endpoint}/{rollout}/{condition}"
        said = (notice.severity, letter.endpoint, notice.subject, notice.text)
        yield notice, Notice(MESSAGE_SCHEMA, dedup, dedup, *said, letter.event, letter.rollout)


def letter_text(letter: Letter, notice: Notice) -> str:
    """What people read: the sentence first, then where it belongs."""
    stands = letter.rollout
    lines = [notice.text, "", f"endpoint: {letter.endpoint}"]
    if stands is not None:
        phase = stands.phase.value.replace("_", " ")
        where = f"{phase}, step {stands.step} of {stands.steps}, canary at {stands.canary_percent:g} %"
        lines += [f"release: {stands.release} (before: {stands.stable})", f"rollout: {stands.id}: {where}"]
    lines += [f"decided by: {letter.event.by}", f"id: {notice.dedup}", ""]
    return "\n".join([*lines, *(f"{meaning}: sluice {command}" for meaning, command in _to_type(letter))])


def _to_type(letter: Letter) -> Iterator[tuple[str, str]]:
    """What whoever reads it may want to type next."""
    yield "how it stands", f"status {letter.endpoint}"
    for meaning, command in _TO_TYPE.get(letter.event.kind, ()):
        yield meaning, command.replace("NAME", letter.endpoint)


_GO_ON, _END = ("go on", "resume NAME --reason WHY"), ("end it", "abort NAME --reason WHY")
_TAKE_BACK, _STORY = ("take it back", "rollback NAME --reason WHY"), ("the whole story", "report NAME -o report.html")
_NUMBERS = ("the numbers", "explain NAME")
_TO_TYPE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "awaiting_approval": (_NUMBERS, ("let it go on", "approve NAME --reason WHY"), _END),
    "paused": (_GO_ON, _END),
    "waiting": (_END,),
    "stopped": (("let steps begin again", "lift NAME --reason WHY"),),
    "breach": (_NUMBERS, _TAKE_BACK, _GO_ON),
    "forced": (_TAKE_BACK,),
    "promoted": (_TAKE_BACK,),
    "rolling_back": (("follow it", "watch NAME"),),
    "rollback_overdue": (("follow it", "watch NAME"),),
    "rolled_back": (_STORY,),
    "failed": (_STORY,),
    "settled": (_STORY,),
}
"""By the kind of event."""
