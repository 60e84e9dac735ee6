"""The book as a page of docs/: what to type, what happens, how it ends. `make golden` writes docs/faults.md from it."""

from __future__ import annotations

from collections.abc import Iterable

from sluice.core.rollout import Phase
from sluice.sandbox.faultbook.book import CHAPTERS, RELEASES
from sluice.sandbox.faultbook.fault import Ending, Fault

_HEAD = """\
# Faults, and how each of them ends

Written by `make golden` from [the book](../sluice/sandbox/faultbook/book.py); do not edit it here. Each row is a story that
[a test](../tests/acceptance/test_faults.py) tells, and that you can have told: the real program, functions and models in the
embedded sandbox, with the fault at its moment. Every story must end with all traffic at one release; no canary may ever have
had more than its step; the audit events must replay to the stored record; and the sentence quoted must be what is said.
Unless it is said otherwise v1 serves and v2, a good release, is tried in steps of 10, 50 and 100 %; where v3 is named, the
release fails on part of its inputs.
"""


def page() -> str:
    """The whole page, as Markdown."""
    chapters = {"The example's releases, as they are": tuple(RELEASES.values()), **CHAPTERS}
    parts = [_HEAD]
    for title, stories in chapters.items():
        option = "--release" if stories[0].name in RELEASES else "--fault"
        parts.append(f"## {title}\n\n" + "\n".join(_table(option, stories)) + "\n")
    return "\n".join(parts)


def _table(option: str, stories: Iterable[Fault]) -> Iterable[str]:
    yield "| command | what happens | how it ends |"
    yield "|---|---|---|"
    for story in stories:
        yield f"| `sluice demo {option} {story.name}` | {story.about} | {how_it_ends(story.ends)} |"


def how_it_ends(ends: Ending) -> str:
    said = f"“…{ends.because}…”"
    match ends.phase:
        case None:
            return f"refused: {said}; {ends.champion} serves"
        case Phase.SETTLED:
            return f"{ends.champion} is promoted, soaks and is settled"
        case Phase.ROLLED_BACK:
            return f"taken back: {said}; {ends.champion} serves"
        case _:
            return f"given up, and a person is paged: {said}; {ends.champion} is still on record"
