"""Which requests a release has to be asked again: what it always answered the same is asked in samples, the rest every time.

Decides nothing about what an answer is. A day of traffic asks the same few hundred payloads eight hundred thousand times. A release
whose answers hang on more than the payload (the time, chance, what it was asked before) shows it sooner or later: from then on, and
with the requests at hand first, it is asked everything for as long as it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, cast

PROVING = 5
"""How often a payload must have been answered alike before it is left out: with the example's few hundred payloads, a chance of one
in two hundred to be answered otherwise is found out before anything is left out, in all but one of a thousand releases."""
CHECKED = 16
"""How many of those that could be left out are asked all the same each minute, those first that were asked longest ago: a release that
changes for one request in five is found out at once with a probability of 97 %, and one payload among 300 within 20 minutes."""
EAGER, EVERY = 60, 3
"""After an hour of samples each minute there is one, three times as large, every third minute: asking a scikit-learn pipeline for one
row takes as long as for fifty."""
OK = 200


class Answer(NamedTuple):
    """What a container says to one request."""

    status: int
    body: bytes
    content_type: str
    fault: str = ""


Ask = Callable[[Sequence[bytes]], Sequence[Answer]]
"""Lets requests really go through the release."""
Alike = Callable[[Answer, Answer], bool]


@dataclass(slots=True)
class _Proving:
    """A payload's first answer, and how often it was a good one since."""

    answer: Answer
    times: int = 0


@dataclass(slots=True)
class Steady:
    """One container's answers, as long as it answers alike."""

    alike: Alike
    varies: bool = False
    """It once answered the same payload otherwise."""
    _proving: dict[bytes, _Proving] = field(default_factory=dict)
    _proven: dict[bytes, Answer] = field(default_factory=dict)
    """Those that were asked longest ago come first."""
    _samples: int = 0
    _by_heart: tuple[Sequence[bytes], tuple[bytes, ...]] = ((), ())
    """Payloads that are all proven, and what is said to them."""
    _heard: dict[bytes, Answer] = field(default_factory=dict)
    """A sample that did not come out as before: answers of this minute, too."""

    def answers(self, requests: Sequence[bytes], ask: Ask) -> list[Answer]:
        """The answers to requests that are all different."""
        checked = self._checked(requests)
        known = list(map(self._proven.get, requests))
        if not checked and None not in known:
            return cast(list[Answer], known)
        said, self._heard = self._heard, {}
        asked = [each for each, answer in zip(requests, known, strict=True) if answer is None and each not in said]
        asked += checked
        said.update(zip(asked, ask(asked), strict=True))
        if not self.varies and not all(self._as_before(request, answer) for request, answer in said.items()):
            self._forget()
            rest = [request for request in requests if request not in said]
            said.update(zip(rest, ask(rest), strict=True))
        return [said.get(request) or self._proven[request] for request in requests]

    def by_heart(self, payloads: Sequence[bytes], sent: Iterable[bytes], ask: Ask) -> tuple[bytes, ...] | None:
        """What it says to all payloads, the same tuple minute after minute, once each is proven and while a sample of what was
        sent comes out the same. None otherwise: then `answers` has to be asked."""
        if not self._knows(payloads):
            return None
        due = self._checked(sent)
        said = ask(due) if due else ()
        if all(map(self._as_before, due, said)):
            return self._by_heart[1]
        self._heard = dict(zip(due, said, strict=True))
        self._forget()
        return None

    def _knows(self, payloads: Sequence[bytes]) -> bool:
        if self._by_heart[0] != payloads:
            known = list(map(self._proven.get, payloads))
            if None in known:
                return False
            self._by_heart = payloads[:], tuple(answer.body for answer in cast(list[Answer], known))
        return True

    def _forget(self) -> None:
        self.varies = True
        self._proving.clear()
        self._proven.clear()
        self._by_heart = (), ()

    def _checked(self, requests: Iterable[bytes]) -> list[bytes]:
        """Those of the proven ones that are asked all the same."""
        if not self._proven:
            return []
        self._samples += 1
        seldom = self._samples > EAGER
        if seldom and self._samples % EVERY:
            return []
        at_hand = set(requests)
        due = list(islice((each for each in self._proven if each in at_hand), CHECKED * (EVERY if seldom else 1)))
        for request in due:
            self._proven[request] = self._proven.pop(request)
        return due

    def _as_before(self, request: bytes, answer: Answer) -> bool:
        """Whether it said the same as ever. What fails is never proven: it is asked every time, as it costs the most to miss."""
        if request in self._proven:
            return self._equal(self._proven[request], answer)
        proving = self._proving.setdefault(request, _Proving(answer))
        proving.times += answer.status == OK
        if proving.times == PROVING:
            self._proven[request] = self._proving.pop(request).answer
        return self._equal(proving.answer, answer)

    def _equal(self, before: Answer, now: Answer) -> bool:
        return before == now or self.alike(before, now)
