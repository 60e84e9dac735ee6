"""Telling programs and people what happened, from the stream of audit events: after the fact, and again until it went through.

Nothing of it is on the way of a decision, so no channel that is down can delay or stop a rollback. Delivery is at least once;
what was sent is remembered, so that it is sent twice only where a function dies between sending and remembering.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sluice.archive import ADDED, StreamRecord
from sluice.core.actions import Asks
from sluice.core.audit import Event
from sluice.core.errors import BadInput
from sluice.core.messages import Letter, Message, Notice, letter_of, message_of, notices_of
from sluice.core.record import canonical, decode, encode


class Outbox(Protocol):
    """A queue that hands each letter over until it was delivered, or given up to a queue that pages."""

    def put(self, text: str) -> None: ...


class Channels(Protocol):
    """The ways out."""

    @property
    def sends_links(self) -> bool:
        """Whether signed links are turned on."""

    def offer(self, letter: Letter, asks: Asks, notice: Notice) -> None:
        """Signed links, to those who may approve."""

    def publish(self, letter: Letter, message: Message) -> None:
        """To programs, over the event bus."""

    def notify(self, letter: Letter, notice: Notice) -> None:
        """To people, over the topic."""


class Memory(Protocol):
    """What was sent already, by endpoint and key."""

    def has(self, endpoint: str, key: str) -> bool: ...

    def keep(self, endpoint: str, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a batch. `failed` is the position of the first event that could not be posted; those after it were tried too.
    What is `unreadable` can be told to nobody, now or later: it is reported, and holds up nothing.
    """

    failed: str | None
    fault: Exception | None
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a letter: what was sent, what had been before, what must be tried again; `doubts` are only reported."""

    sent: tuple[str, ...]
    known: tuple[str, ...]
    faults: tuple[str, ...]
    doubts: tuple[str, ...]


def post(outbox: Outbox, records: Iterable[StreamRecord]) -> Posted:
    """Every event that was added goes to the outbox. One that fails does not hold up those behind it."""
    failed: tuple[str, Exception] | None = None
    unreadable: list[str] = []
    for record in records:
        if record.happened != ADDED or record.text is None:
            continue
        try:
            letter = letter_of(decode(Event, json.loads(record.text)))
        except (BadInput, ValueError) as wrong:
            unreadable.append(
                f"event {record.seq} of {record.endpoint} cannot be read, and nobody is told of it: {wrong}"
            )
            continue
        try:
            outbox.put(canonical(encode(letter)))
        except Exception as refused:  # handed to the caller, which reports it and asks for this record again
            failed = failed or (record.position, refused)
    position, fault = failed or (None, None)
    return Posted(position, fault, tuple(unreadable))


def read_letter(text: str) -> Letter:
    """A letter as `post` wrote it; raises BadInput."""
    return decode(Letter, json.loads(text), "letter")


def deliver(letter: Letter, channels: Channels, memory: Memory) -> Delivered:
    """People first. Each way out by itself: one that is down keeps nothing from the others."""
    sent: list[str] = []
    known: list[str] = []
    faults: list[str] = []
    doubts: list[str] = []
    for key, send in _sendings(letter, channels):
        if _was_sent(memory, letter.endpoint, key, doubts):
            known.append(key)
            continue
        try:
            send()
        except Exception as fault:
            faults.append(f"{key}: not sent: {type(fault).__name__}: {fault}")
            continue
        sent.append(key)
        _remember(memory, letter.endpoint, key, doubts)
    return Delivered(tuple(sent), tuple(known), tuple(faults), tuple(doubts))


def _sendings(letter: Letter, channels: Channels) -> Iterator[tuple[str, Callable[[], None]]]:
    for decided, notice in notices_of(letter):
        yield f"people/{notice.id}", partial(channels.notify, letter, notice)
        if decided.asks is not None and channels.sends_links:
            yield f"links/{notice.id}", partial(channels.offer, letter, decided.asks, notice)
        yield f"bus/{notice.id}", partial(channels.publish, letter, notice)
    message = message_of(letter)
    yield f"bus/{message.id}", partial(channels.publish, letter, message)


def _was_sent(memory: Memory, endpoint: str, key: str, doubts: list[str]) -> bool:
    """Where that cannot be known it is sent: a page too many is better than one too few."""
    try:
        return memory.has(endpoint, key)
    except Exception as fault:
        doubts.append(f"{key}: not known whether it was sent before: {type(fault).__name__}: {fault}")
        return False


def _remember(memory: Memory, endpoint: str, key: str, doubts: list[str]) -> None:
    """What was sent is sent, and is no reason to send it again."""
    try:
        memory.keep(endpoint, key)
    except Exception as fault:
        doubts.append(f"{key}: sent, but that could not be noted: {type(fault).__name__}: {fault}")
