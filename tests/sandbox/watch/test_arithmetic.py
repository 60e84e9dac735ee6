"""Metric math as the CloudWatch user guide tells it; its tables are the expectations."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.sandbox.watch.arithmetic import _FUNCTIONS, Grid, Reading, Scope, Value, evaluate, evaluate_series
from sluice.sandbox.watch.formula import FUNCTIONS, MathFault, names, parse

GRID = Grid(0, 300, 60)
Row = list[float | None]


def series(row: Row) -> dict[int, float]:
    return {60 * index: float(value) for index, value in enumerate(row) if value is not None}


def row(value: Value, length: int) -> Row:
    assert isinstance(value, dict)
    return [value.get(60 * index) for index in range(length)]


def run(expression: str, reading: Reading = Reading.AS_ZERO, /, **rows: Row) -> Row:
    length = max(map(len, rows.values()))
    scope = Scope({name: series(each) for name, each in rows.items()}, GRID, list(rows), reading)
    return row(evaluate_series(expression, scope), length)


def number(expression: str) -> Value:
    return evaluate(parse(expression), Scope({}, GRID))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2 + 3 * 4", 14.0),
        ("(2 + 3) * 4", 20.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("-2 ^ 2", -4.0),
        ("2 * -3", -6.0),
        ("10 - 4 - 3", 3.0),
        ("1 < 2 AND 2 < 3", 1.0),
        ("1 < 2 && 3 < 2", 0.0),
        ("1 > 2 OR 3 > 2 AND 1 == 2", 0.0),
        ("1 != 1 || 5 >= 5", 1.0),
        ("1.5e3 / 3", 500.0),
        (".5 + 1", 1.5),
    ],
)
def test_operators_bind_as_usual(expression: str, expected: float) -> None:
    assert number(expression) == expected


M1: Row = [30, 20, 0, 0]
M2: Row = [20, None, 20, None]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1 < m2", [0, 0, 1, 0]),
        ("m1 >= 30", [1, 0, 0, 0]),
        ("m1 > 15 AND m2 > 15", [1, 0, 0, 0]),
    ],
)
def test_a_comparison_counts_a_missing_side_as_zero(expression: str, expected: Row) -> None:
    assert run(expression, m1=M1, m2=M2) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IF(a, b, c)", [30, 0, 20, None, None]),
        ("IF(a, 5, c)", [5, 5, 20, None, None]),
        ("IF(a, b, 5)", [30, 0, 5, 5, None]),
        ("IF(a, b)", [30, 0, None, None, None]),
    ],
)
def test_if_follows_the_tables_of_the_guide(expression: str, expected: Row) -> None:
    assert run(expression, a=[1, 1, 0, 0, None], b=[30, None, 0, 0, 30], c=[0, 0, 20, None, 20]) == expected


def test_if_with_a_number_as_condition_takes_a_whole_branch() -> None:
    assert run("IF(1, m1, m2)", m1=M1, m2=M2) == M1
    assert run("IF(0, m1)", m1=M1) == [None] * 4


def test_division_by_zero_drops_the_data_point() -> None:
    assert run("a / b", a=[1, 2, 3], b=[0, 4, None]) == [None, 0.5, None]


def test_a_missing_side_of_arithmetic_is_zero_by_the_guide() -> None:
    assert run("m1 + m2", m1=M1, m2=M2) == [50, 20, 20, 0]


def test_the_wary_reading_keeps_only_timestamps_both_series_have() -> None:
    assert run("m1 + m2", Reading.BOTH_SIDES, m1=M1, m2=M2) == [50, None, 20, None]


BACKUP_ALARM = "IF(nc >= 50 AND ns >= 50 AND ec/nc > 0.05 AND ec/nc > 2*es/ns, 1, 0)"


@pytest.mark.parametrize("reading", list(Reading))
@pytest.mark.parametrize(
    ("nc", "ns", "ec", "es", "alarms"),
    [
        (100, 1000, 20, 4, True),  # worse than stable, and over the limit
        (100, 1000, 20, 150, False),  # stable is as bad: a shared incident
        (100, None, 20, None, False),  # no control
        (40, 1000, 20, 4, False),  # too few
        (None, 1000, None, 4, False),  # no canary traffic
        (100, 1000, 3, 4, False),  # under the limit
    ],
)
def test_the_backup_alarm_blames_the_canary_only_against_a_control(
    reading: Reading, nc: float | None, ns: float | None, ec: float | None, es: float | None, alarms: bool
) -> None:
    result = run(BACKUP_ALARM, reading, nc=[nc], ns=[ns], ec=[ec], es=[es])

    assert result == [float(alarms)]


def test_without_the_control_count_the_backup_alarm_turns_absolute() -> None:
    careless = "IF(nc >= 50 AND ec/nc > 0.05 AND ec/nc > 2*es/ns, 1, 0)"

    assert run(careless, nc=[100], ns=[None], ec=[20], es=[None]) == [1.0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("FILL(m, 7)", [7, 1, 7, 3, 7]),
        ("FILL(m, REPEAT)", [None, 1, 1, 3, 3]),
        ("FILL(m, LINEAR)", [None, 1, 2, 3, None]),
        ("FILL(m, other)", [9, 1, 9, 3, 9]),
        ("TIME_SERIES(4)", [4, 4, 4, 4, 4]),
    ],
)
def test_filling_makes_points_for_every_period_asked_about(expression: str, expected: Row) -> None:
    assert run(expression, m=[None, 1, None, 3, None], other=[9] * 5) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("SUM([m1, m2])", [50, 20, 20, 0]),
        ("MAX([m1, m2])", [30, 20, 20, 0]),
        ("MIN([m1, m2])", [20, 20, 0, 0]),
        ("AVG([m1, m2])", [25, 10, 10, 0]),
        ("SUM(METRICS())", [50, 20, 20, 0]),
        ('SUM(METRICS("2"))', [20, None, 20, None]),
        ("SUM([m1, m2] * 2)", [100, 40, 40, 0]),
        ("DATAPOINT_COUNT([m1, m2])", [2, 1, 2, 1]),
    ],
)
def test_an_array_is_reduced_timestamp_by_timestamp(expression: str, expected: Row) -> None:
    assert run(expression, m1=M1, m2=M2) == expected


def test_a_single_series_is_reduced_to_a_number() -> None:
    assert run("m1 / MAX(m1)", m1=[10, 20]) == [0.5, 1]
    assert run("m1 - SUM(m1)", m1=[10, 20]) == [-20, -10]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ABS(m)", [1.5, 2.5]),
        ("CEIL(m)", [-1, 3]),
        ("FLOOR(m)", [-2, 2]),
        ("-m", [1.5, -2.5]),
        ("m ^ 2", [2.25, 6.25]),
        ("m / PERIOD(m) * 60", [-1.5, 2.5]),
        ("DIFF(m)", [None, 4]),
        ("RATE(m) * 60", [None, 4]),
    ],
)
def test_a_function_of_one_series_goes_point_by_point(expression: str, expected: Row) -> None:
    assert run(expression, m=[-1.5, 2.5]) == expected


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("if(m > 1, 1, 0)", "function names are upper case: IF, not if"),
        ("MEDIAN(m)", "knows no function MEDIAN"),
        ("m > 1 and m > 2", "write AND"),
        ("m +", "ends where a value was expected"),
        ("(m", r"expected '\)', got 'the end'"),
        ("m $ 2", r"cannot read '\$ 2'"),
        ("Errors / 2", "an id starts with a lower-case letter"),
        ("m n", "expected an operator, got 'n'"),
        ("", "ends where a value was expected"),
    ],
)
def test_an_expression_cloudwatch_would_refuse_is_an_error_with_a_sentence(expression: str, says: str) -> None:
    with pytest.raises(MathFault, match=says):
        parse(expression)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("5", "yields a number"),
        ("[m, m]", "yields an array"),
        ("m + other", "'other', which is no id of this request"),
        ("[m] + [m]", "on one side only"),
        ("IF(m)", "IF takes 2 to 3 arguments, got 1"),
        ("[m] > 1", "not an array"),
        ("1 / 0 + m", "has no value"),
    ],
)
def test_an_expression_that_does_not_end_in_one_series_is_an_error(expression: str, says: str) -> None:
    with pytest.raises(MathFault, match=says):
        evaluate_series(expression, Scope({"m": {0: 1.0}}, GRID))


def test_the_grammar_and_the_arithmetic_know_the_same_functions() -> None:
    assert frozenset(_FUNCTIONS) == FUNCTIONS


def test_the_ids_of_an_expression_are_those_it_refers_to() -> None:
    assert names(BACKUP_ALARM) == {"nc", "ns", "ec", "es"}


def test_a_wholly_empty_series_compares_as_zero() -> None:
    assert run("m1 > m2", m1=[1, 0], m2=[None, None]) == [1, 0]


values = st.one_of(st.none(), st.floats(-1e6, 1e6))
rows = st.lists(values, min_size=4, max_size=4)


@given(rows, rows)
def test_a_comparison_has_a_point_wherever_either_side_has_one(left: Row, right: Row) -> None:
    found = run("a < b", a=left, b=right)

    assert [value is None for value in found] == [a is None and b is None for a, b in zip(left, right, strict=True)]


@given(rows, rows)
def test_filled_with_zero_both_readings_agree(left: Row, right: Row) -> None:
    expression = "FILL(a, 0) - FILL(b, 0)"

    assert run(expression, a=left, b=right) == run(expression, Reading.BOTH_SIDES, a=left, b=right)


@given(rows, rows)
def test_every_data_point_is_finite(left: Row, right: Row) -> None:
    for expression in ("a / b", "a ^ b", "a * b / a"):
        assert all(value is None or math.isfinite(value) for value in run(expression, a=left, b=right))


@given(
    st.recursive(
        st.integers(0, 9).map(str),
        lambda inner: st.builds("({0} {1} {2})".format, inner, st.sampled_from("+-*"), inner),
    )
)
def test_arithmetic_agrees_with_python(expression: str) -> None:
    assert number(expression) == float(eval(expression))
