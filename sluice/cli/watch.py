"""`sluice watch`: how a rollout stands, again and again until it ends. Drawing it is handed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import click

from sluice.cli.invoke import CommandFailed, ask
from sluice.cli.operate import FAILED, GOOD, NOT_IN_TIME
from sluice.cli.outside import Outside
from sluice.cli.show import status_lines
from sluice.cli.target import Target
from sluice.cli.text import icon, moment, phase_cell, wrapped
from sluice.core.record import Document
from sluice.core.rollout import Phase
from sluice.core.weights import percent_text

REMEMBERED = 12
"""Sentences kept below the picture: about a screen of them."""
_PHASE_COLUMN = 21
"""Where the phase begins, behind the time: a sentence that is too long goes on under it."""

Draw = Callable[[list[str]], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to ask, and when to stop waiting; both in seconds, None for as long as it takes."""

    every_seconds: float
    within_seconds: float | None


@dataclass
class Picture:
    """What was seen so far. `lines` is everything to show, `fresh` what was new in the last look."""

    target: Target
    said: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    fresh: list[str] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    _last: str = ""
    _width: int | None = None

    def look(self, answer: Document, width: int | None) -> None:
        self.status, self.fresh, self._width = list(status_lines(answer, self.target, width)), [], width
        line = _line(answer)
        if line is not None and (said := "".join(line).partition("  ")[2]) != self._last:
            self._last = said
            self.said.append(line)
            self.fresh = ["".join(line)]

    def missed(self, fault: CommandFailed) -> None:
        """A look that failed is said and tried again: watching must not end when it matters most."""
        self.fresh = [str(fault)]
        self.said.append(("", str(fault)))

    @property
    def lines(self) -> list[str]:
        return [*self.status, "", *(_fitted(*line, self._width) for line in self.said)]


def _fitted(head: str, sentence: str, width: int | None) -> str:
    """On one line where there is room, else the sentence below its phase."""
    column = len(click.unstyle(head))
    if width is None or column + len(sentence) <= width:
        return head + sentence
    if not head:
        return wrapped(sentence, 0, width)
    return f"{head.rstrip()}\n{' ' * _PHASE_COLUMN}{wrapped(sentence, _PHASE_COLUMN, width)}"


def watch(outside: Outside, target: Target, pace: Pace, draw: Draw, tell: Callable[[str], None]) -> int:
    """Until nothing is being tried any more; the exit code says how that ended. `draw` shows everything, `tell` what is new."""
    picture, began, tried = Picture(target), outside.now(), None
    while True:
        try:
            answer = ask(outside.invoke, target, "status")
        except CommandFailed as fault:
            picture.missed(fault)
        else:
            picture.look(answer, outside.width)
            rollout = answer["rollout"]
            tried = rollout["id"] if rollout else tried
            if rollout is None:
                _show(picture, draw, tell)
                return _ended(answer, tried, picture.status, tell if tried is None else None)
        _show(picture, draw, tell)
        if pace.within_seconds is not None and outside.now() - began >= pace.within_seconds:
            return NOT_IN_TIME
        outside.sleep(pace.every_seconds)


def _show(picture: Picture, draw: Draw, tell: Callable[[str], None]) -> None:
    draw(picture.lines)
    for line in picture.fresh:
        tell(line)


def _ended(answer: Document, tried: str | None, status: Iterable[str], tell: Callable[[str], None] | None) -> int:
    """Good when nothing was being tried at all: there was nothing to watch, and the status says what serves."""
    if tell is not None:
        for line in status:
            tell(line)
    outcome = answer["last_outcome"]
    if tried is None or outcome is None or outcome["rollout_id"] != tried:
        return GOOD
    return GOOD if outcome["phase"] == Phase.SETTLED.value else FAILED


def _line(answer: Document) -> tuple[str, str] | None:
    """`time  icon phase  asked  actual  ` and what was said; the time first, so that the rest can be compared."""
    rollout, outcome = answer["rollout"], answer["last_outcome"]
    if rollout is not None:
        actual = "?" if rollout["actual_parts"] is None else percent_text(rollout["actual_parts"])
        phase = rollout["phase"]
        weights = f"{percent_text(rollout['canary_parts']):>7}  {actual:>7}"
        return f"{moment(rollout['said_at'])}  {icon(phase)} {phase_cell(phase)}  {weights}  ", rollout["said"]
    if outcome is not None:
        phase = outcome["phase"]
        return f"{moment(outcome['ended_at'])}  {icon(phase)} {phase_cell(phase)}  {'':>7}  {'':>7}  ", outcome[
            "because"
        ]
    return None
