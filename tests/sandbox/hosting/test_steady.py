"""Which requests a release is asked again: all of them until it has proven itself, a sample afterwards, all for ever once it varied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from sluice.sandbox.hosting.loading import Artifacts, ContainerSpec
from sluice.sandbox.hosting.serving import Container
from sluice.sandbox.hosting.steady import CHECKED, EAGER, EVERY, PROVING, Answer, Steady
from tests.sandbox.releases import DOUBLING, packed

REQUESTS = [str(number).encode() for number in range(100)]


@dataclass
class Release:
    """Echoes, until told otherwise."""

    say: Callable[[bytes], Answer] = lambda request: Answer(200, request, "text/csv")
    asked: list[bytes] = field(default_factory=list)

    def ask(self, requests: Sequence[bytes]) -> list[Answer]:
        self.asked += requests
        return [self.say(request) for request in requests]

    def minute(self, steady: Steady, requests: Sequence[bytes] = REQUESTS) -> list[Answer]:
        self.asked.clear()
        return steady.answers(requests, self.ask)


def same(before: Answer, now: Answer) -> bool:
    return before == now


def proven(release: Release) -> Steady:
    steady = Steady(same)
    for _ in range(PROVING):
        release.minute(steady)
        assert release.asked == REQUESTS, "not proven yet: everything is asked"
    return steady


def otherwise(request: bytes) -> Answer:
    return Answer(200, b"otherwise", "text/csv")


def test_a_release_that_always_answered_alike_is_asked_a_sample_and_its_answers_stay_what_they_are() -> None:
    release = Release()
    steady = proven(release)
    answers = release.minute(steady)

    assert len(release.asked) == CHECKED
    assert [answer.body for answer in answers] == REQUESTS


def test_samples_come_round_to_every_request() -> None:
    release = Release()
    steady = proven(release)
    asked: set[bytes] = set()
    for _ in range(-(-len(REQUESTS) // CHECKED)):
        release.minute(steady)
        asked |= set(release.asked)

    assert asked == set(REQUESTS)


def test_after_an_hour_there_is_a_sample_three_times_as_large_every_third_minute() -> None:
    release = Release()
    steady = proven(release)
    sizes = []
    for _ in range(EAGER + 2 * EVERY):
        release.minute(steady)
        sizes.append(len(release.asked))

    assert sizes == [CHECKED] * EAGER + [0, 0, EVERY * CHECKED] * 2


def test_a_release_that_changes_after_hours_is_seen_within_three_minutes_and_asked_everything_from_then_on() -> None:
    release = Release()
    steady = proven(release)
    for _ in range(EAGER + 1):
        release.minute(steady)
    release.say = otherwise
    bodies = [{answer.body for answer in release.minute(steady)} for _ in range(EVERY)]

    assert bodies[-1] == {b"otherwise"}
    assert steady.varies


def test_a_request_that_was_never_sent_before_is_asked() -> None:
    release = Release()
    steady = proven(release)
    release.minute(steady, [*REQUESTS, b"new"])

    assert b"new" in release.asked


def test_a_release_that_answers_otherwise_is_asked_everything_in_that_very_minute_and_from_then_on() -> None:
    release = Release()
    steady = proven(release)
    release.say = otherwise
    answers = release.minute(steady)

    assert {answer.body for answer in answers} == {b"otherwise"}, "not one answer from memory"
    assert sorted(release.asked) == sorted(REQUESTS), "and none asked twice"
    for _ in range(PROVING + 1):
        release.minute(steady)
    assert steady.varies
    assert sorted(release.asked) == sorted(REQUESTS), "once is enough: it is never left out again"


def test_one_request_answered_otherwise_is_found_out_when_its_turn_comes() -> None:
    release = Release()
    steady = proven(release)
    release.say = lambda request: otherwise(request) if request == b"42" else Answer(200, request, "text/csv")
    minutes = 0
    while not steady.varies:
        release.minute(steady)
        minutes += 1

    assert minutes <= -(-len(REQUESTS) // CHECKED)


def test_what_fails_is_asked_every_time() -> None:
    failing = Answer(500, b"", "text/plain", "broken")
    release = Release(lambda request: failing if request == b"7" else Answer(200, request, "text/csv"))
    steady = proven(release)
    for _ in range(20):
        assert release.minute(steady)[7] == failing
        assert b"7" in release.asked
    assert not steady.varies, "it always fails: that is an answer too"


def test_a_failure_that_comes_and_goes_proves_that_it_varies() -> None:
    release = Release(lambda request: Answer(500, b"", "text/plain", "flaky"))
    steady = Steady(same)
    release.minute(steady)
    release.say = lambda request: Answer(200, request, "text/csv")
    release.minute(steady)

    assert steady.varies


def test_answers_that_are_alike_but_for_rounding_are_the_same() -> None:
    release = Release()
    steady = Steady(lambda before, now: True)
    for _ in range(PROVING):
        release.minute(steady)
    release.say = otherwise
    release.minute(steady)

    assert not steady.varies
    assert len(release.asked) == CHECKED


def by_heart(release: Release, steady: Steady, sent: Sequence[bytes] = REQUESTS) -> tuple[bytes, ...] | None:
    release.asked.clear()
    return steady.by_heart(REQUESTS, sent, release.ask)


def test_what_is_said_to_proven_payloads_is_known_by_heart_with_samples_of_what_was_sent() -> None:
    release = Release()
    steady = proven(release)
    said = by_heart(release, steady, REQUESTS[:3])

    assert said == tuple(REQUESTS)
    assert release.asked == REQUESTS[:3], "no sample of what nobody sent"
    sizes = [len(release.asked) for _ in range(EAGER - 1 + EVERY) if by_heart(release, steady) is said]
    assert sizes == [CHECKED] * (EAGER - 1) + [0, 0, EVERY * CHECKED], "and it stays one and the same tuple"


def test_nothing_is_known_by_heart_before_every_payload_is_proven() -> None:
    release = Release()
    steady = proven(release)

    assert steady.by_heart([*REQUESTS, b"new"], REQUESTS, release.ask) is None
    assert by_heart(release, Steady(same)) is None
    assert release.asked == []


def test_a_sample_that_comes_out_otherwise_belongs_to_the_minutes_answers_and_nothing_is_known_by_heart_any_more() -> (
    None
):
    release = Release()
    steady = proven(release)
    release.say = otherwise

    assert by_heart(release, steady) is None
    assert {answer.body for answer in steady.answers(REQUESTS, release.ask)} == {b"otherwise"}
    assert sorted(release.asked) == sorted(REQUESTS), "everything, and none twice"
    assert steady.varies
    assert by_heart(release, steady) is None
    assert release.asked == []


COUNTING = (
    DOUBLING
    + """
asked = []

def input_fn(body, content_type):
    import numpy
    rows = [[float(cell) for cell in line.split(",")] for line in body.splitlines()]
    asked.append(len(rows))
    return numpy.array(rows)
"""
)
"""Counts the rows of each call."""


@pytest.fixture
def container() -> Iterator[Container]:
    artifacts = Artifacts(lambda url, role: packed(COUNTING))
    yield Container(artifacts.load(ContainerSpec("counting", "image", "s3://models/m", {}, "role")), "green", 1)
    artifacts.close()


def rows_asked(container: Container) -> list[int]:
    """How many rows each call since the last look had."""
    counted: list[int] = container._program.handlers.input_fn.__globals__["asked"]
    found = counted[:]
    counted.clear()
    return found


PAYLOADS = [f"{number},1".encode() for number in range(40)]
ALL = np.arange(len(PAYLOADS)).repeat(2)


def minute(container: Container) -> list[int]:
    container.meet(PAYLOADS, ALL)
    return rows_asked(container)


def test_a_container_is_asked_a_sample_and_every_request_has_its_answer(container: Container) -> None:
    for _ in range(PROVING + 1):
        minute(container)
    outcomes = container.meet(PAYLOADS, ALL)

    assert rows_asked(container) == [CHECKED]
    assert [outcomes.bodies[at] for at in outcomes.which] == [str(2.0 * (at + 1)).encode() for at in ALL]
    assert outcomes.statuses.tolist() == [200] * len(ALL)


def test_a_container_that_answers_by_heart_says_what_it_said(container: Container) -> None:
    asked_all = container.meet(PAYLOADS, ALL)
    for _ in range(PROVING + 1):
        minute(container)
    by_heart = container.meet(PAYLOADS, ALL[:7])
    again = container.meet(PAYLOADS, ALL)

    assert by_heart.bodies is again.bodies
    assert [again.bodies[at] for at in again.which] == [asked_all.bodies[at] for at in asked_all.which]
    assert [PAYLOADS[at] for at in by_heart.payloads] == PAYLOADS
    assert by_heart.statuses.tolist() == [200] * 7
    assert len(by_heart.model_us) == len(by_heart.overhead_us) == 7


def test_a_break_is_seen_at_once_and_after_its_repair_everything_is_asked_again(container: Container) -> None:
    for _ in range(PROVING + 1):
        minute(container)
    assert minute(container) == [CHECKED]
    container.broken = "the disk is full"
    assert set(container.meet(PAYLOADS, ALL).statuses.tolist()) == {500}
    container.broken = None

    assert minute(container) == [len(PAYLOADS)], "what it said before the break is forgotten"


def test_other_formats_are_other_answers(container: Container) -> None:
    for _ in range(PROVING + 1):
        minute(container)
    bodies = container.meet(PAYLOADS, ALL, "text/csv", "application/json").bodies

    assert rows_asked(container) == [len(PAYLOADS)]
    assert bodies[0] == b"[2.0]"


def test_another_container_of_the_same_release_knows_nothing_of_the_first(container: Container) -> None:
    for _ in range(PROVING + 1):
        minute(container)
    second = Container(container._program, "blue", 1)
    second._takes_batches = True

    assert minute(second) == [len(PAYLOADS)]


def test_a_single_request_always_reaches_the_release(container: Container) -> None:
    for _ in range(PROVING + 1):
        minute(container)
    container.serve([PAYLOADS[0]])

    assert rows_asked(container) == [1]
