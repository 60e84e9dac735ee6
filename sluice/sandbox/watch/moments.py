"""Metric math moment by moment: operators and IF over time series, which is all that nearly every alarm asks for.

There a value hangs on the values of its own moment alone, so that an expression is one function of numbers, made once; series by
series it takes five times as long. Decides for which expressions that holds, and leaves the others to `arithmetic`, whose meaning
of each operator it shares.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from sluice.sandbox.watch.arithmetic import ARITHMETIC, TESTS, Reading, Scope, evaluate_series
from sluice.sandbox.watch.formula import Node, names, parse
from sluice.sandbox.watch.series import Points

_Value = float | None
"""A number, or None where a series has no data point at a moment."""
_At = Callable[[tuple[_Value, ...]], _Value]
"""The value at a moment, from those of the series that an expression refers to, in the order of their ids."""


class _Part(NamedTuple):
    at: _At
    is_number: bool = False
    """The same at every moment: it makes no data points of its own."""


def series_of(expression: str, scope: Scope, found: Mapping[str, Points]) -> Points:
    """As `evaluate_series`, where all values of the scope are time series: those `found`."""
    compiled = _compiled(expression, scope.reading)
    if compiled is None:
        return evaluate_series(expression, scope)
    ids, value_at = compiled
    inputs = [found[name] for name in ids]
    points: Points = {}
    for moment in sorted(set().union(*inputs)):
        value = value_at(tuple([series.get(moment) for series in inputs]))
        if value is not None:
            points[moment] = value
    return points


@lru_cache(maxsize=1024)
def _compiled(expression: str, reading: Reading) -> tuple[tuple[str, ...], _At] | None:
    """The ids an expression refers to, and its value from theirs; None where that takes more than one moment, or none at all."""
    ids = tuple(sorted(names(expression)))
    part = _part(parse(expression), ids, reading)
    if part is None or part.is_number:
        return None
    return ids, lru_cache(maxsize=64)(part.at)  # an alarm looks at the same minute as often as it has periods


def _part(node: Node, ids: Sequence[str], reading: Reading) -> _Part | None:
    if node.op == "number":
        number = float(node.leaf)
        return _Part(lambda _: number, is_number=True)
    if node.op == "id":
        return _Part(itemgetter(ids.index(node.leaf)))
    parts = [part for arg in node.args if (part := _part(arg, ids, reading)) is not None]
    if len(parts) < len(node.args) or all(part.is_number for part in parts):
        return None
    match node.op, parts:
        case op, [left, right] if op in ARITHMETIC:
            return _Part(_calculated(ARITHMETIC[op], left, right, reading))
        case op, [left, right] if op in TESTS:
            return _Part(_tested(TESTS[op], left, right))
        case "IF", [condition, yes, no] if not condition.is_number:
            return _Part(_chosen(condition.at, yes.at, no.at))
    return None


def _calculated(compute: Callable[[float, float], _Value], left: _Part, right: _Part, reading: Reading) -> _At:
    given = _either if reading is Reading.AS_ZERO and not (left.is_number or right.is_number) else _both

    def at(values: tuple[_Value, ...]) -> _Value:
        pair = given(left.at(values), right.at(values))
        value = compute(*pair) if pair is not None else None
        return value if value is not None and math.isfinite(value) else None

    return at


def _tested(holds: Callable[[float, float], bool], left: _Part, right: _Part) -> _At:
    given = _both if left.is_number or right.is_number else _either

    def at(values: tuple[_Value, ...]) -> _Value:
        pair = given(left.at(values), right.at(values))
        return float(holds(*pair)) if pair is not None else None

    return at


def _chosen(condition: _At, yes: _At, no: _At) -> _At:
    """The guide's tables: true without a value is 0, false without one is dropped."""

    def at(values: tuple[_Value, ...]) -> _Value:
        holds = condition(values)
        if holds is None:
            return None
        value = (yes if holds else no)(values)
        return 0.0 if value is None and holds else value

    return at


def _both(left: _Value, right: _Value) -> tuple[float, float] | None:
    return None if left is None or right is None else (left, right)


def _either(left: _Value, right: _Value) -> tuple[float, float] | None:
    """A missing side is 0, if not both are missing."""
    if left is None and right is None:
        return None
    return 0.0 if left is None else left, 0.0 if right is None else right
