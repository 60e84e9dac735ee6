"""CloudWatch metric math, as alarms use it, evaluated over time series.

Decides what an expression means, per timestamp and with missing data; its grammar is left to `formula`, fetching series
to `queries`. Source: CloudWatch user guide, "Using metric math". What the guide leaves open is a `Reading`, so that an
alarm can be proven to hold under both.
"""

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from sluice.sandbox.watch.formula import MathFault, Node, parse
from sluice.sandbox.watch.series import Points

Value = float | Points | tuple[Points, ...]
"""A number, a time series, or an array of time series."""


class Reading(Enum):
    """What arithmetic does where one of two series has no data point.

    AS_ZERO is what the guide says and users report ("missing + 0" gave 0, which raised a false alarm); BOTH_SIDES, the
    wary reading, keeps only timestamps both series have. A comparison counts the missing side as 0 under either."""

    AS_ZERO = "as_zero"
    BOTH_SIDES = "both_sides"


@dataclass(frozen=True, slots=True)
class Grid:
    """The periods a request covers, needed by FILL and TIME_SERIES, which make points where there were none."""

    start: int
    end: int
    period: int

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.end, self.period))


@dataclass(frozen=True, slots=True)
class Scope:
    """What an evaluation sees: values by id, which of the ids are metrics, the periods, and the reading."""

    values: Mapping[str, Value]
    grid: Grid
    metrics: Sequence[str] = ()
    reading: Reading = Reading.AS_ZERO


def evaluate(node: Node, scope: Scope) -> Value:
    """The value of an expression; a series holds only the timestamps that have a value."""
    match node.op:
        case "number":
            return float(node.leaf)
        case "id":
            if node.leaf not in scope.values:
                raise MathFault(
                    f"metric math refers to {node.leaf!r}, which is no id of this request ({', '.join(scope.values)})"
                )
            return scope.values[node.leaf]
        case "list":
            return tuple(series for arg in node.args for series in _as_array(evaluate(arg, scope)))
        case "negate":
            return _each(evaluate(node.args[0], scope), lambda value: -value)
        case "text" | "word":
            raise MathFault(f"{node.leaf!r} is not a value")
        case op if op in ARITHMETIC:
            return _arithmetic(op, evaluate(node.args[0], scope), evaluate(node.args[1], scope), scope.reading)
        case op if op in TESTS:
            return _test(op, evaluate(node.args[0], scope), evaluate(node.args[1], scope))
        case op:
            return _FUNCTIONS[op](node.args, scope)


def evaluate_series(expression: str, scope: Scope) -> Points:
    """The one time series an expression must end in: CloudWatch refuses a final number, and an alarm an array."""
    value = evaluate(parse(expression), scope)
    if not isinstance(value, dict):
        kind = "a number" if isinstance(value, float) else "an array of time series"
        raise MathFault(f"metric math {expression!r} yields {kind}, where one time series is needed")
    return value


def _power(a: float, b: float) -> float | None:
    try:
        result = a**b
    except (OverflowError, ZeroDivisionError):
        return None
    return None if isinstance(result, complex) else result


ARITHMETIC: dict[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b if b else None,
    "^": _power,
}
TESTS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "AND": lambda a, b: bool(a) and bool(b),
    "OR": lambda a, b: bool(a) or bool(b),
}


def _arithmetic(op: str, left: Value, right: Value, reading: Reading) -> Value:
    if isinstance(left, tuple) and isinstance(right, tuple):
        raise MathFault(f"{op} takes an array of time series on one side only")
    if isinstance(left, tuple):
        return tuple(_series(_arithmetic(op, series, right, reading)) for series in left)
    if isinstance(right, tuple):
        return tuple(_series(_arithmetic(op, left, series, reading)) for series in right)
    compute = ARITHMETIC[op]
    if isinstance(left, dict) and isinstance(right, dict):
        stamps = left.keys() | right.keys() if reading is Reading.AS_ZERO else left.keys() & right.keys()
        return _kept({at: compute(left.get(at, 0.0), right.get(at, 0.0)) for at in sorted(stamps)})
    if isinstance(left, dict):
        return _kept({at: compute(value, right) for at, value in left.items()})  # type: ignore[arg-type]
    if isinstance(right, dict):
        return _kept({at: compute(left, value) for at, value in right.items()})
    result = compute(left, right)
    if result is None:
        raise MathFault(f"{left} {op} {right} has no value")
    return result


def _test(op: str, left: Value, right: Value) -> Value:
    if isinstance(left, tuple) or isinstance(right, tuple):
        raise MathFault(f"{op} takes time series or numbers, not an array of time series")
    holds = TESTS[op]
    if isinstance(left, dict) and isinstance(right, dict):
        stamps = sorted(left.keys() | right.keys())
        return {at: float(holds(left.get(at, 0.0), right.get(at, 0.0))) for at in stamps}
    if isinstance(left, dict):
        return {at: float(holds(value, right)) for at, value in left.items()}  # type: ignore[arg-type]
    if isinstance(right, dict):
        return {at: float(holds(left, value)) for at, value in right.items()}
    return float(holds(left, right))


def _kept(found: Mapping[int, float | None]) -> Points:
    return {at: value for at, value in found.items() if value is not None and math.isfinite(value)}


def _series(value: Value) -> Points:
    if not isinstance(value, dict):
        raise MathFault("a time series is needed here, not " + ("a number" if isinstance(value, float) else "an array"))
    return value


def _as_array(value: Value) -> tuple[Points, ...]:
    return value if isinstance(value, tuple) else (_series(value),)


def _each(value: Value, change: Callable[[float], float]) -> Value:
    if isinstance(value, float):
        return change(value)
    if isinstance(value, dict):
        return {at: change(number) for at, number in value.items()}
    return tuple({at: change(number) for at, number in series.items()} for series in value)


Function = Callable[[tuple[Node, ...], Scope], Value]


def _arity(name: str, args: tuple[Node, ...], low: int, high: int) -> None:
    if not low <= len(args) <= high:
        wanted = str(low) if low == high else f"{low} to {high}"
        raise MathFault(f"{name} takes {wanted} arguments, got {len(args)}")


def _if(args: tuple[Node, ...], scope: Scope) -> Value:
    """Per timestamp of the condition: true without a value is 0, false without one is dropped (the guide's tables)."""
    _arity("IF", args, 2, 3)
    condition = evaluate(args[0], scope)
    yes = evaluate(args[1], scope)
    no: Value = evaluate(args[2], scope) if len(args) == 3 else {}
    if isinstance(condition, float):
        return yes if condition else no
    if isinstance(condition, tuple) or isinstance(yes, tuple) or isinstance(no, tuple):
        raise MathFault("IF takes time series or numbers, not an array of time series")
    result: Points = {}
    for at, holds in condition.items():
        branch, default = (yes, 0.0) if holds else (no, None)
        value = branch if isinstance(branch, float) else branch.get(at, default)
        if value is not None:
            result[at] = value
    return result


def _fill(args: tuple[Node, ...], scope: Scope) -> Value:
    _arity("FILL", args, 2, 2)
    target, filler = evaluate(args[0], scope), args[1]
    way = filler.leaf if filler.op == "word" else evaluate(filler, scope)
    if isinstance(way, tuple):
        raise MathFault("FILL takes a number, a time series, REPEAT or LINEAR as its second argument")
    if isinstance(target, tuple):
        return tuple(_filled(series, way, scope.grid) for series in target)
    return _filled(_series(target), way, scope.grid)


def _filled(series: Points, way: str | float | Points, grid: Grid) -> Points:
    if way == "LINEAR":
        return _linear(series, grid)
    result: Points = {}
    last: float | None = None
    for at in grid:
        last = series.get(at, last)
        filler = last if isinstance(way, str) else way.get(at) if isinstance(way, dict) else way
        value = series.get(at, filler)
        if value is not None:
            result[at] = value
    return result


def _linear(series: Points, grid: Grid) -> Points:
    """Between two points: on their line; before the first and after the last nothing is known, so nothing is filled."""
    result = dict(series)
    for (before, low), (after, high) in pairwise(sorted(series.items())):
        for at in grid:
            if before < at < after:
                result[at] = low + (high - low) * (at - before) / (after - before)
    return dict(sorted(result.items()))


def _aggregate(name: str, reduce: Callable[[Sequence[float], int], float]) -> Function:
    """One series becomes a number, an array becomes one series of what its members have at each timestamp."""

    def run(args: tuple[Node, ...], scope: Scope) -> Value:
        _arity(name, args, 1, 1)
        value = evaluate(args[0], scope)
        if isinstance(value, float):
            raise MathFault(f"{name} takes a time series or an array, not a number")
        if isinstance(value, dict):
            return reduce(list(value.values()), len(value)) if value else {}
        stamps = sorted(set().union(*value)) if value else []
        return {at: reduce([series[at] for series in value if at in series], len(value)) for at in stamps}

    return run


def _pointwise(name: str, change: Callable[[float], float]) -> Function:
    def run(args: tuple[Node, ...], scope: Scope) -> Value:
        _arity(name, args, 1, 1)
        return _each(evaluate(args[0], scope), change)

    return run


def _metrics(args: tuple[Node, ...], scope: Scope) -> Value:
    _arity("METRICS", args, 0, 1)
    if args and args[0].op != "text":
        raise MathFault('METRICS takes nothing, or a text in double quotes: METRICS("errors")')
    part = args[0].leaf if args else ""
    return tuple(_series(scope.values[name]) for name in scope.metrics if part in name)


def _steps(name: str, per_second: bool) -> Function:
    def run(args: tuple[Node, ...], scope: Scope) -> Value:
        _arity(name, args, 1, 1)
        value = evaluate(args[0], scope)
        changed = tuple(
            {b: (y - x) / ((b - a) if per_second else 1) for (a, x), (b, y) in pairwise(sorted(series.items()))}
            for series in _as_array(value)
        )
        return changed if isinstance(value, tuple) else changed[0]

    return run


def _period(args: tuple[Node, ...], scope: Scope) -> Value:
    _arity("PERIOD", args, 1, 1)
    return float(scope.grid.period)


def _time_series(args: tuple[Node, ...], scope: Scope) -> Value:
    _arity("TIME_SERIES", args, 1, 1)
    number = evaluate(args[0], scope)
    if not isinstance(number, float):
        raise MathFault("TIME_SERIES takes a number")
    return dict.fromkeys(scope.grid, number)


_FUNCTIONS: dict[str, Function] = {
    "IF": _if,
    "FILL": _fill,
    "METRICS": _metrics,
    "SUM": _aggregate("SUM", lambda found, _: math.fsum(found)),
    "AVG": _aggregate("AVG", lambda found, size: math.fsum(found) / size),  # the guide: a missing value counts as 0
    "MIN": _aggregate("MIN", lambda found, _: min(found)),
    "MAX": _aggregate("MAX", lambda found, _: max(found)),
    "DATAPOINT_COUNT": _aggregate("DATAPOINT_COUNT", lambda found, _: float(len(found))),
    "ABS": _pointwise("ABS", abs),
    "CEIL": _pointwise("CEIL", lambda value: float(math.ceil(value))),
    "FLOOR": _pointwise("FLOOR", lambda value: float(math.floor(value))),
    "DIFF": _steps("DIFF", per_second=False),
    "RATE": _steps("RATE", per_second=True),
    "PERIOD": _period,
    "TIME_SERIES": _time_series,
}
