"""Pages with generated parts: between `<!-- made by NAME -->` and `<!-- end -->` stands what the function of that name gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

_BLOCK = re.compile(r"<!-- made by ([a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)


def refreshed(page: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """The page with every generated part written anew; raises KeyError for a name that nothing makes."""
    return _BLOCK.sub(lambda mark: f"<!-- made by {mark[1]} -->\n{blocks[mark[1]]()}<!-- end -->", page)


def names(page: str) -> list[str]:
    return [mark[1] for mark in _BLOCK.finditer(page)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
