"""Metric storage and statistics: exact, missing stays missing, nothing is scanned."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.sandbox.watch.series import MetricStore, StatisticSet, aligned, metric_key
from sluice.sandbox.watch.statistic import Samples, statistic

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
START = int(NOON.timestamp())
KEY = metric_key("AWS/SageMaker", "ModelLatency", {"EndpointName": "fraud", "VariantName": "blue"})


def store_with(*values: float, at: datetime = NOON, unit: str = "None") -> MetricStore:
    store = MetricStore()
    store.put(KEY, at, [(value, 1.0) for value in values], unit=unit)
    return store


def value_of(store: MetricStore, name: str) -> float | None:
    return store.points(KEY, name, 60, START, START + 60).get(START)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Sum", 60.0), ("SampleCount", 3.0), ("Average", 20.0), ("Minimum", 10.0), ("Maximum", 30.0)],
)
def test_a_simple_statistic_is_exact(name: str, expected: float) -> None:
    assert value_of(store_with(10.0, 20.0, 30.0), name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("p50", 50.0), ("p99", 99.0), ("p99.5", 100.0), ("p0", 1.0), ("p100", 100.0)],
)
def test_a_percentile_is_the_nearest_rank(name: str, expected: float) -> None:
    store = store_with(*[float(value) for value in range(100, 0, -1)])

    assert value_of(store, name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TC(:30)", 3.0),  # the upper bound belongs to the range
        ("TC(30:)", 2.0),  # the lower one does not
        ("TC(10:40)", 3.0),
        ("PR(:30)", 60.0),
        ("PR(30:)", 40.0),
        ("TS(10:40)", 90.0),
        ("TM(10:40)", 30.0),
        ("tm80", 25.0),
        ("TM(20%:80%)", 30.0),
        ("IQM", 30.0),
        ("tc40", 2.0),
        ("TC(1000:)", 0.0),
    ],
)
def test_a_trimmed_statistic_excludes_its_lower_bound_and_includes_its_upper_one(name: str, expected: float) -> None:
    assert value_of(store_with(10.0, 20.0, 30.0, 40.0, 50.0), name) == pytest.approx(expected)


@pytest.mark.parametrize(("name", "expected"), [("TC(15:)", 1.0), ("TC(:15)", 1.0), ("TM(15:)", 20.0)])
def test_what_is_no_number_lies_within_no_bounds(name: str, expected: float) -> None:
    assert value_of(store_with(10.0, float("nan"), 20.0), name) == expected


def test_a_trimmed_mean_of_nothing_has_no_data_point() -> None:
    assert value_of(store_with(10.0), "TM(20:)") is None


NUMBERS = st.sampled_from([-1.0, 0.0, 1.0, 2.0, 2.5, 4.0, float("nan")])


@given(st.lists(NUMBERS, min_size=1), st.lists(NUMBERS), st.sampled_from(["TC(1:)", "TC(:2)", "TC(1:2.5)", "TC(4:2)"]))
def test_values_that_occurred_once_each_are_counted_as_those_with_counts_are(
    first: list[float], second: list[float], name: str
) -> None:
    each, counted = Samples(), Samples()
    each.add_each(np.array(first))
    each.add_each(np.array(second))
    counted.add([*first, *second], [1.0] * len(first + second))

    assert statistic(name)(each) == statistic(name)(counted)


@pytest.mark.parametrize("name", ["p101", "Median", "TC()", "TC(:)", "PR(10%:)", "TM(10:20%)", "sum", "p"])
def test_a_statistic_cloudwatch_does_not_know_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(ValueError, match=r"statistic|bound"):
        statistic(name)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0, 1e6))
def test_what_lies_below_and_above_a_value_adds_up_to_everything(values: list[float], bound: float) -> None:
    samples = Samples()
    samples.add(values, [1.0] * len(values))
    cut = f"{bound:.6f}"

    below, above = statistic(f"TC(:{cut})")(samples), statistic(f"TC({cut}:)")(samples)

    assert below is not None
    assert above is not None
    assert below + above == pytest.approx(len(values))


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 5)), min_size=1, max_size=30), st.integers(0, 100))
def test_counts_weigh_like_repeated_values(pairs: list[tuple[float, int]], percent: int) -> None:
    counted, repeated = Samples(), Samples()
    counted.add([value for value, _ in pairs], [float(count) for _, count in pairs])
    flat = [value for value, count in pairs for _ in range(count)]
    repeated.add(flat, [1.0] * len(flat))

    assert statistic(f"p{percent}")(counted) == statistic(f"p{percent}")(repeated)


def test_a_period_without_samples_has_no_data_point() -> None:
    store = store_with(1.0)
    store.put(KEY, NOON + timedelta(minutes=2), [(1.0, 1.0)])

    assert store.points(KEY, "Sum", 60, START, START + 240) == {START: 1.0, START + 120: 1.0}


def test_a_metric_is_found_by_all_its_dimensions_only() -> None:
    store = store_with(1.0)
    part = metric_key("AWS/SageMaker", "ModelLatency", {"EndpointName": "fraud"})

    assert store.points(part, "Sum", 60, START, START + 60) == {}


def test_a_longer_period_takes_its_minutes_together() -> None:
    store = store_with(10.0)
    store.put(KEY, NOON + timedelta(minutes=4), [(30.0, 3.0)])

    assert store.points(KEY, "Average", 300, START, START + 300) == {START: 25.0}


def test_a_statistic_set_has_sums_but_no_percentile() -> None:
    store = MetricStore()
    store.put(KEY, NOON, StatisticSet(count=10, total=50, low=1, high=9))

    assert value_of(store, "Average") == 5.0
    assert value_of(store, "p99") is None


def test_a_unit_that_nothing_was_published_in_finds_nothing() -> None:
    store = store_with(5.0, unit="Microseconds")

    assert store.points(KEY, "Sum", 60, START, START + 60, unit="Milliseconds") == {}
    assert store.points(KEY, "Sum", 60, START, START + 60, unit="Microseconds") == {START: 5.0}


def test_high_resolution_samples_can_be_read_in_ten_second_periods() -> None:
    store = MetricStore()
    store.put(KEY, NOON + timedelta(seconds=3), [(1.0, 1.0)], high_resolution=True)
    store.put(KEY, NOON + timedelta(seconds=13), [(2.0, 1.0)], high_resolution=True)

    assert store.points(KEY, "Sum", 10, START, START + 60) == {START: 1.0, START + 10: 2.0}
    assert store.points(KEY, "Sum", 60, START, START + 60) == {START: 3.0}


@pytest.mark.parametrize("period", [0, 7, 45, 90])
def test_a_period_cloudwatch_does_not_know_is_an_error(period: int) -> None:
    with pytest.raises(ValueError, match=f"got {period}"):
        store_with(1.0).points(KEY, "Sum", period, START, START + 60)


def test_a_start_is_rounded_down_to_its_period() -> None:
    assert aligned(NOON + timedelta(seconds=299), 300) == START
