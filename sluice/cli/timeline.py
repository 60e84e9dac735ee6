"""How the demo and its stories are shown: what the control plane said, with the canary's weight, and how far it has come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from sluice.core.weights import percent_text
from sluice.sandbox.timeline import NOTE, Line


def print_timeline(lines: Sequence[Line], decisions: Collection[str], *, fold_bakes: bool = False) -> None:
    """Every decision has its line; looks that only waited in a long phase are folded into the last of them.

    A bake is shown look by look, unless `fold_bakes`. What happens to the system is marked with `!`.
    """
    print(f"  {'time':<10}{'phase':<14}{'asked':>7}{'actual':>8}  decision")
    waits = [_waits(line, before, decisions, fold_bakes) for line, before in zip(lines, (None, *lines), strict=False)]
    folded = 0
    for number, line in enumerate(lines):
        if waits[number] and waits[number + 1 : number + 2] == [True]:
            folded += 1
            continue
        print(_row(line) + (f" ({folded} {'look' if folded == 1 else 'looks'} before it)" if folded else ""))
        folded = 0
    print()


def _row(line: Line) -> str:
    if line.said_by == NOTE:
        return f"  {line.at:%H:%M:%S}  {'':<29}  ! {line.sentence}"
    asked, actual = percent_text(line.asked_parts), percent_text(line.actual_parts)
    return f"  {line.at:%H:%M:%S}  {line.phase:<14}{asked:>7}{actual:>8}  {line.sentence}"


def _waits(line: Line, before: Line | None, decisions: Collection[str], fold_bakes: bool) -> bool:
    """Whether a look changed nothing. The first one in a phase, and the first after something happened, is shown."""
    goes_on = before is not None and before.phase == line.phase and before.said_by != NOTE
    return goes_on and (fold_bakes or line.phase != "baking") and line.sentence not in decisions


def progress(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


@contextmanager
def ticking(text: str) -> Iterator[Callable[[Line], None]]:
    """Says on stderr how far virtual time is, once per sentence."""
    last: list[str] = []

    def tell(line: Line) -> None:
        shown = f"{text}: {line.at:%H:%M} {line.phase} {percent_text(line.actual_parts)}"
        if last != [shown]:
            last[:] = [shown]
            progress(shown)

    yield tell
