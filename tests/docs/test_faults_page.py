"""docs/faults.md is the book, and nothing but the book."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sluice.cli.fault import listing
from sluice.sandbox.faultbook.book import BOOK, CHAPTERS, RELEASES
from sluice.sandbox.faultbook.page import page

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


@pytest.mark.golden
def test_the_page_says_what_the_book_says() -> None:
    if os.environ.get("SLUICE_GOLDEN") == "write":
        PAGE.write_text(page(), encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == page(), "docs/faults.md is older than the book: run `make golden`"


def test_no_two_stories_have_one_name() -> None:
    told = sum(len(stories) for stories in CHAPTERS.values())

    assert len(BOOK) == told
    assert not BOOK.keys() & RELEASES.keys()


def test_the_help_lists_every_story() -> None:
    lines = listing().splitlines()

    for story in (*BOOK.values(), *RELEASES.values()):
        assert any(line.split()[:1] == [story.name] and line.endswith(story.about) for line in lines), story.name
