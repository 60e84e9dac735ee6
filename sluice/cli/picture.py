"""A forecast as a picture: which error increases are caught. SVG, because a dozen lines and words need no drawing library."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy comes with the extra `forecast`
    from sluice.forecast.forecast import Forecast

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 48, 48
_CAUGHT = 0.9
_INK, _GRID, _LINE = "#222", "#ddd", "#0b6e4f"


def draw_forecast(made: Forecast, title: str) -> str:
    """The chance to be caught over the factor on the error rate (logarithmic), with the line of 90 %."""
    return "\n".join(_elements(made, title)) + "\n"


def _elements(made: Forecast, title: str) -> Iterator[str]:
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">'
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    yield _text(_LEFT, 22, f"{title} at {made.rps:g} requests/s: which error increases are caught", size=14)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        yield _rule(_y(share), _GRID)
        yield _text(_LEFT - 8, _y(share) + 4, f"{100 * share:.0f} %", anchor="end")
    if not made.curve:
        yield _text(_LEFT, _HEIGHT / 2, "the policy has no error rate to increase")
        yield "</svg>"
        return
    yield _rule(_y(_CAUGHT), _LINE, dashed=True)
    least, most = made.curve[0][0], made.curve[-1][0]
    for factor, _ in made.curve:
        yield _text(_x(factor, least, most), _HEIGHT - _BOTTOM + 18, f"x{factor:g}", anchor="middle")
    points = " ".join(f"{_x(factor, least, most):.1f},{_y(share):.1f}" for factor, share in made.curve)
    yield f'<polyline points="{points}" fill="none" stroke="{_LINE}" stroke-width="2"/>'
    for factor, share in made.curve:
        yield f'<circle cx="{_x(factor, least, most):.1f}" cy="{_y(share):.1f}" r="3" fill="{_LINE}"/>'
    smallest = made.smallest_error_increase
    caught = "nothing is caught with 90 %" if smallest is None else f"90 % from x{smallest:.2g}"
    yield _text(_WIDTH - _RIGHT, _y(_CAUGHT) - 6, caught, anchor="end")
    yield _text(_LEFT, _HEIGHT - 8, f"factor on the error rate; {made.rollouts:,} rollouts, seed {made.seed}")
    yield "</svg>"


def _x(factor: float, least: float, most: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * math.log(factor / least) / math.log(most / least)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def _rule(y: float, colour: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"{dash}/>'


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{_INK}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'
    )
