"""Stories of the fault book, told from their start to their end. Nothing is timed; they share the trained example and the cores.

`make test` tells the releases and the first story of each chapter; `make test-faults` all of them, which takes minutes more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from sluice.sandbox.faultbook.book import BOOK, CHAPTERS, RELEASES, tell_by_name
from sluice.sandbox.faultbook.story import Told
from sluice.sandbox.triage import Example

OPENINGS = tuple(chapter[0].name for chapter in CHAPTERS.values())
STORIES = (*(BOOK if os.environ.get("SLUICE_FAULTS") == "all" else OPENINGS), *RELEASES)


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, example: Example) -> Iterator[Callable[[str], Told]]:
    """The stories that were asked for are told on all cores, each process one after another: a sandbox is alone in its process."""
    wanted = [item.callspec.params["name"] for item in request.session.items if item.path == request.path]
    with ProcessPoolExecutor(min(len(wanted), os.cpu_count() or 1), get_context("spawn")) as pool:
        telling = {name: pool.submit(tell_by_name, name, example) for name in wanted}
        yield lambda name: telling[name].result()
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", STORIES)
def test_the_story_ends_as_the_book_says(told: Callable[[str], Told], name: str) -> None:
    story = told(name)

    assert story.wrong == (), [line.sentence for line in story.lines[-8:]]
