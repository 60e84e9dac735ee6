"""The pages of docs/: generated parts are fresh, links lead somewhere, blocks are valid."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tools.pages.blocks import names, refreshed
from tools.pages.pages import BLOCKS

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BESIDE = [ROOT / "README.md", ROOT / "component/README.md", ROOT / "policies/compliance/README.md"]
BESIDE += [*sorted((ROOT / "examples").glob("*/README.md")), *sorted((ROOT / "docs/adr").glob("*.md"))]


def ids(page: Path) -> str:
    return page.name


def anchors(page: str) -> set[str]:
    """Of headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.golden
@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_generated_parts_are_fresh(page: Path) -> None:
    made = refreshed(page.read_text(), BLOCKS)
    if os.environ.get("SLUICE_GOLDEN") == "write":
        page.write_text(made)

    assert page.read_text() == made, "run `make golden` and read the difference"


def test_every_generated_part_stands_on_a_page() -> None:
    used = [name for page in PAGES for name in names(page.read_text())]

    assert sorted(used) == sorted(BLOCKS)


@pytest.mark.parametrize("page", [*PAGES, *BESIDE], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    for target, anchor in re.findall(r"\]\((?!https:)([^)#\s]*)(#[^)]*)?\)", text):
        place = (page.parent / target) if target else page
        assert place.exists(), target
        if anchor and place.suffix == ".md":
            assert anchor[1:] in anchors(place.read_text()), f"{target}{anchor}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "README.md"], ids=ids)
def test_the_index_names_every_page(page: Path) -> None:
    assert f"]({page.name})" in (ROOT / "docs/README.md").read_text()
