"""One story: a fault, or a release of the example, from `pulumi up` to the end it comes to. Progress on stderr."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from sluice.cli.timeline import print_timeline, progress, ticking
from sluice.core.errors import BadInput
from sluice.core.outlook import lasting
from sluice.sandbox.faultbook.book import BOOK, CHAPTERS, RELEASES
from sluice.sandbox.faultbook.fault import Fault
from sluice.sandbox.faultbook.story import Told, tell
from sluice.sandbox.triage import train


def run(fault: str | None, release: str | None, seed: int) -> int:
    """Tell the story; returns the exit code: 0 when it ended safe, 1 when not. Raises BadInput where there is no such story."""
    story = _found("release", release, RELEASES) if fault is None else _found("fault", fault, BOOK)
    with tempfile.TemporaryDirectory(prefix="sluice-demo-") as folder:
        progress("training five versions of the example model")
        example = train(Path(folder))
        progress("starting the sandbox")
        with ticking(story.name) as on_look:
            told = tell(story, example, seed, on_look)
    print(f"Sluice demo, {'release' if fault is None else 'fault'} {story.name}: {story.about}.")
    begin = "Nothing serves yet" if story.from_nothing else "v1 serves from blue"
    print(f"{begin}. Lines with ! are what happens to Sluice; all others are what it says.\n")
    print_timeline(told.lines, told.decisions, fold_bakes=True)
    for line in _ending(told):
        print(line)
    return 0 if told.is_safe else 1


def listing() -> str:
    """Every name with what it is about, a line each."""
    chapters = {"Releases (--release)": tuple(RELEASES.values()), **CHAPTERS}
    column = max(len(story.name) for stories in chapters.values() for story in stories) + 2
    return "\n\n".join(
        "\n".join([f"{title}:", *(f"  {story.name:<{column}}{story.about}" for story in stories)])
        for title, stories in chapters.items()
    )


def _found(what: str, name: str | None, stories: Mapping[str, Fault]) -> Fault:
    story = stories.get(name or "")
    if story is None:
        near = get_close_matches(name or "", stories, 1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise BadInput((f"there is no {what} {name!r}.{meant} `sluice demo --help` lists all {len(stories)}.",))
    return story


def _ending(told: Told) -> Iterator[str]:
    yield "How it ended"
    yield f"  {told.sentence}"
    serves = "nothing serves, {} is on record" if told.gone else "{} serves"
    yield f"  {serves.format(told.champion)}; {told.failed:,} of {told.requests:,} requests failed in {lasting(round(told.seconds))}"
    if told.wrong:
        yield from (f"  not as it must be: {wrong}" for wrong in told.wrong)
    else:
        held = "no step was exceeded, the audit events replay to the record"
        yield f"  checked: {held}" if told.gone else f"  checked: one release has all traffic, {held}"
    yield f"{'Safe' if told.is_safe else 'NOT SAFE'}"
