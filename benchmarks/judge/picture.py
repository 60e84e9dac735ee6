"""How late each judge is, as bars: minutes to detection for every kind of harm, this judge beside the study and the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from benchmarks.judge.cases import HARM

_SHOWN = (("oracle", "#bbb"), ("the study", "#8fb9a8"), ("this judge", "#0b6e4f"))
_LEFT, _ROW, _BAR, _TOP, _MINUTE = 130, 46, 11, 44, 14
_MOST = 35


def draw(results: dict[str, Any]) -> str:
    """One SVG."""
    return "\n".join(_elements(results["table"])) + "\n"


def _elements(table: dict[str, Any]) -> Iterator[str]:
    width, height = _LEFT + _MOST * _MINUTE + 20, _TOP + _ROW * len(HARM) + 16
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    yield f'<rect width="{width}" height="{height}" fill="white"/>'
    for i, (name, colour) in enumerate(_SHOWN):
        yield f'<rect x="{_LEFT + 110 * i}" y="14" width="11" height="11" fill="{colour}"/>'
        yield f'<text x="{_LEFT + 110 * i + 16}" y="24">{escape(name)}</text>'
    for row, case in enumerate(HARM):
        y = _TOP + _ROW * row
        cells = table[case.name]
        minutes = (cells["oracle"]["minutes"], case.study[1], cells["this judge"]["minutes"])
        yield f'<text x="{_LEFT - 8}" y="{y + 22}" text-anchor="end">{escape(case.name)}</text>'
        for i, (value, (_, colour)) in enumerate(zip(minutes, _SHOWN, strict=True)):
            at, long = y + (_BAR + 1) * i, (value or 0) * _MINUTE
            yield f'<rect x="{_LEFT}" y="{at}" width="{long:g}" height="{_BAR}" fill="{colour}"/>'
            yield f'<text x="{_LEFT + long + 4:g}" y="{at + 10}" font-size="10">{value:g} min</text>'
    yield "</svg>"
