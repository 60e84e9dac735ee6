"""Letters on their way: posted from the stream, delivered at least once, sent once, in nobody's way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from sluice.archive import StreamRecord
from sluice.core.actions import Asks
from sluice.core.audit import Event
from sluice.core.messages import Letter, Message, Notice
from sluice.core.record import canonical, encode
from sluice.notify import deliver, post, read_letter


@dataclass
class Queue:
    """An outbox that refuses events by number."""

    letters: list[str] = field(default_factory=list)
    refuses: frozenset[int] = frozenset()

    def put(self, text: str) -> None:
        if read_letter(text).event.seq in self.refuses:
            raise RuntimeError("the queue is down")
        self.letters.append(text)


@dataclass
class Ways:
    """Channels that keep what was sent, and that may be down."""

    people: list[Notice] = field(default_factory=list)
    bus: list[Message] = field(default_factory=list)
    down: set[str] = field(default_factory=set)

    sends_links: bool = False
    offered: list[Asks] = field(default_factory=list)

    def offer(self, letter: Letter, asks: Asks, notice: Notice) -> None:
        self.offered.append(asks)

    def publish(self, letter: Letter, message: Message) -> None:
        if "bus" in self.down:
            raise RuntimeError("the bus is down")
        self.bus.append(message)

    def notify(self, letter: Letter, notice: Notice) -> None:
        if "people" in self.down:
            raise RuntimeError("the topic is down")
        self.people.append(notice)


@dataclass
class Remembered:
    """What was sent, unless it is down."""

    keys: set[tuple[str, str]] = field(default_factory=set)
    is_down: bool = False

    def has(self, endpoint: str, key: str) -> bool:
        if self.is_down:
            raise RuntimeError("the table is down")
        return (endpoint, key) in self.keys

    def keep(self, endpoint: str, key: str) -> None:
        if self.is_down:
            raise RuntimeError("the table is down")
        self.keys.add((endpoint, key))


def record(event: Event, happened: str = "INSERT") -> StreamRecord:
    return StreamRecord(f"p{event.seq}", event.endpoint, event.seq, happened, canonical(encode(event)))


@pytest.fixture
def letters(events: list[Event]) -> list[Letter]:
    queue = Queue()
    assert post(queue, map(record, events)).failed is None
    return [read_letter(text) for text in queue.letters]


def test_every_event_is_posted_and_a_tampered_one_is_not(events: list[Event]) -> None:
    queue = Queue()

    post(queue, [*map(record, events), record(events[0], "MODIFY"), StreamRecord("x", "shop", 1, "REMOVE", None)])

    assert [read_letter(text).event.seq for text in queue.letters] == [event.seq for event in events]


def test_one_that_cannot_be_posted_is_asked_for_again_and_holds_up_nobody(events: list[Event]) -> None:
    queue = Queue(refuses=frozenset({2, 5}))

    posted = post(queue, map(record, events))

    assert (posted.failed, str(posted.fault)) == ("p2", "the queue is down")
    assert len(queue.letters) == len(events) - 2


def test_an_event_that_cannot_be_read_is_reported_and_holds_up_nobody(events: list[Event]) -> None:
    queue = Queue()
    garbage = [StreamRecord("g", "shop", 9, "INSERT", text) for text in ("{", "{}", "[]")]

    posted = post(queue, [*garbage, *map(record, events)])

    assert posted.failed is None
    assert len(posted.unreadable) == 3
    assert posted.unreadable[0].startswith("event 9 of shop cannot be read, and nobody is told of it")
    assert len(queue.letters) == len(events)


def test_people_are_paged_once_however_often_a_letter_comes(letters: list[Letter]) -> None:
    ways, memory = Ways(), Remembered()

    for letter in [*letters, *letters, *reversed(letters)]:
        deliver(letter, ways, memory)

    subjects = [notice.subject for notice in ways.people]
    assert subjects.count("shop: rolling back v2") == 1
    assert subjects == ["shop: rolling back v2", "shop: v2 was rolled back"]
    told = [message.id for message in ways.bus]
    assert len(told) == len(set(told)) == len(letters) + len(subjects)


def test_a_way_that_is_down_keeps_nothing_from_the_other_and_is_tried_again(letters: list[Letter]) -> None:
    ways, memory = Ways(down={"people"}), Remembered()
    back = next(letter for letter in letters if letter.event.kind == "rolling_back")

    first = deliver(back, ways, memory)
    ways.down.clear()
    second = deliver(back, ways, memory)

    assert len(first.faults) == 1
    assert first.faults[0].endswith("not sent: RuntimeError: the topic is down")
    assert len(first.sent) == 2, "both to the bus"
    assert (len(second.sent), len(second.known), second.faults) == (1, 2, ())
    assert [notice.severity.value for notice in ways.people] == ["page"]


def test_where_it_is_not_known_whether_it_was_sent_it_is_sent(letters: list[Letter]) -> None:
    ways = Ways()
    back = next(letter for letter in letters if letter.event.kind == "rolling_back")

    done = deliver(back, ways, Remembered(is_down=True))

    assert len(ways.people) == 1
    assert done.faults == (), "which is no reason to send it again"
    assert len(done.doubts) == 6


def test_links_go_only_where_they_are_turned_on_and_approval_is_asked(letters: list[Letter]) -> None:
    back = next(letter for letter in letters if letter.event.kind == "rolling_back")
    asking = replace(back, notices=(replace(back.notices[0], asks=Asks(1, True)),))
    off, on = Ways(), Ways(sends_links=True)

    deliver(asking, off, Remembered())
    deliver(asking, on, Remembered())
    deliver(back, on, Remembered())

    assert (off.offered, on.offered) == ([], [Asks(1, True)])
