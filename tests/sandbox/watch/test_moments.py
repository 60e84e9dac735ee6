"""Metric math moment by moment agrees with metric math series by series, and is chosen where it can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.sandbox.watch.arithmetic import Grid, Reading, Scope, evaluate_series
from sluice.sandbox.watch.formula import MathFault
from sluice.sandbox.watch.moments import _compiled, series_of
from sluice.sandbox.watch.series import Points

GRID = Grid(0, 180, 60)
OPERATORS = ["+", "-", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", "AND", "OR"]

expressions = st.recursive(
    st.sampled_from(["a", "b", "c", "0", "2", "0.5"]),
    lambda inner: st.one_of(
        st.builds("({0} {1} {2})".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("IF({0}, {1}, {2})".format, inner, inner, inner),
        st.builds("IF({0}, {1})".format, inner, inner),
        st.builds("FILL({0}, 1)".format, inner),
        st.builds("-{0}".format, inner),
    ),
    max_leaves=8,
)
series = st.dictionaries(st.sampled_from([0, 60, 120]), st.sampled_from([-1.0, 0.0, 0.5, 3.0, 1e300]))
found = st.fixed_dictionaries({"a": series, "b": series, "c": series})


def said(expression: str, scope: Scope, found: dict[str, Points], *, by_moment: bool) -> str | list[tuple[int, float]]:
    """The points in their order, or the fault."""
    try:
        points = series_of(expression, scope, found) if by_moment else evaluate_series(expression, scope)
    except MathFault as fault:
        return str(fault)
    return sorted(points.items())


@given(expressions, found, st.sampled_from(Reading))
def test_moment_by_moment_comes_to_the_same_as_series_by_series(
    expression: str, found: dict[str, Points], reading: Reading
) -> None:
    scope = Scope(found, GRID, list(found), reading)

    assert said(expression, scope, found, by_moment=True) == said(expression, scope, found, by_moment=False)


@pytest.mark.parametrize(
    ("expression", "by_moment"),
    [
        ("IF(nc >= 50 AND ns >= 50 AND ec/nc > 0.05 AND ec/nc > 2*es/ns, 1, 0)", True),
        ("IF(nc >= 100 AND ns >= 100 AND lc > 3*ls, 1, 0)", True),
        ("FILL(m, 0) > 1", False),
        ("SUM(METRICS())", False),
        ("RATE(m) * 60", False),
        ("m > 2 * 3", False),
        ("IF(1 > 0, m, 0)", False),
    ],
)
def test_what_takes_one_moment_is_compiled_as_nearly_every_alarm_is(expression: str, by_moment: bool) -> None:
    assert (_compiled(expression, Reading.AS_ZERO) is not None) == by_moment


def test_points_are_in_the_order_of_time() -> None:
    found = {"a": {120: 1.0, 0: 2.0}, "b": {60: 3.0}}

    assert list(series_of("a + b", Scope(found, GRID), found).items()) == [(0, 2.0), (60, 3.0), (120, 1.0)]
