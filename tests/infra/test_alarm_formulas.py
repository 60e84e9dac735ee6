"""What the alarms compute, evaluated with CloudWatch's own arithmetic under both readings of missing data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from infra.alarm_formulas import AlarmSettings, alarm_settings, slot_alarms
from sluice.sandbox.watch.arithmetic import Grid, Reading, Scope, evaluate_series
from sluice.sandbox.watch.series import Points
from tests.infra.stacks import GUARDED

MINUTES = (0, 60, 120)
PREFIX = "sluice/sluice/dev/dev-Triage"


def settings(slot: str, metric: str) -> AlarmSettings:
    return next(s for s in alarm_settings(GUARDED) if (s.name.slot, s.name.metric) == (slot, metric))


def value(alarm: AlarmSettings, reading: Reading, **series: float | None) -> float | None:
    """The alarm's value in one minute; None stands for a series without a point there."""
    values: Mapping[str, Points] = {name: {} if v is None else {60: float(v)} for name, v in series.items()}
    result = evaluate_series(alarm.formula, Scope(values, Grid(0, 180, 60), tuple(series), reading))
    return result.get(60)


@pytest.fixture(params=list(Reading), ids=lambda reading: reading.value)
def reading(request: pytest.FixtureRequest) -> Reading:
    return request.param


@pytest.mark.parametrize(
    ("why", "numbers", "expected"),
    [
        ("10 % against 0 %: harm", {"nc": 100, "ec": 10, "ns": 900, "es": 0}, 1),
        ("10 % against 4 %: more than twice", {"nc": 100, "ec": 10, "ns": 900, "es": 36}, 1),
        ("10 % against 6 %: a shared incident", {"nc": 100, "ec": 10, "ns": 900, "es": 54}, 0),
        ("3 % against 0 %: under the limit of 5 %", {"nc": 100, "ec": 3, "ns": 900, "es": 0}, 0),
        ("all fail, but only 49 of them", {"nc": 49, "ec": 49, "ns": 900, "es": 0}, 0),
        ("all fail, and 50 are enough", {"nc": 50, "ec": 50, "ns": 900, "es": 0}, 1),
        ("the other slot has too little to compare with", {"nc": 100, "ec": 100, "ns": 49, "es": 0}, 0),
        ("the other slot has no data at all: never absolute", {"nc": 100, "ec": 100, "ns": None, "es": None}, 0),
        ("no data at all: missing, which is not breaching", {"nc": None, "ec": None, "ns": None, "es": None}, None),
        ("the errors have not come yet", {"nc": 100, "ec": None, "ns": 900, "es": 9}, 0),
        ("the other slot counts no errors because it has none", {"nc": 100, "ec": 10, "ns": 900, "es": None}, 1),
    ],
)
def test_a_rate_blames_its_slot_only_when_it_is_worse_than_the_other_now(reading, why, numbers, expected):
    alarm = settings("green", "errors")

    assert (value(alarm, reading, **numbers) or 0) == (expected or 0), why
    if expected:
        assert value(alarm, reading, **numbers) == 1


def test_the_fallback_slot_has_rails_that_no_rollout_knows():
    """They page when the last resort fails; obeying them would leave nothing that serves."""
    with_fallback = replace(GUARDED, fallback="last-resort")

    added = [s for s in alarm_settings(with_fallback) if s not in alarm_settings(GUARDED)]

    assert [(str(s.name), s.relative) for s in added] == [(f"{PREFIX}/last-resort/errors-rail", False)]
    assert slot_alarms(with_fallback) == slot_alarms(GUARDED)


def test_minutes_whose_data_has_not_come_are_missing_not_zero(reading):
    """Zeros there would fill the newest two of three minutes, and two bad ones could never be seen."""
    alarm = settings("green", "errors")
    points = {"nc": 100.0, "ec": 50.0, "ns": 900.0, "es": 0.0}
    scope = Scope({name: {0: v} for name, v in points.items()}, Grid(0, 180, 60), tuple(points), reading)

    assert evaluate_series(alarm.formula, scope) == {0: 1.0}


def test_a_rail_is_absolute(reading):
    alarm = settings("green", "errors-rail")

    assert value(alarm, reading, nc=100, ec=6) == 1
    assert value(alarm, reading, nc=100, ec=5) == 0
    assert value(alarm, reading, nc=49, ec=49) == 0
    assert value(alarm, reading, nc=100, ec=None) == 0


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"nc": 100, "lc": 301.0, "ns": 100, "ls": 100.0}, 1),
        ({"nc": 100, "lc": 299.0, "ns": 100, "ls": 100.0}, 0),
        ({"nc": 99, "lc": 900.0, "ns": 100, "ls": 100.0}, 0),
        ({"nc": 100, "lc": 900.0, "ns": 99, "ls": 100.0}, 0),
        ({"nc": 100, "lc": 900.0, "ns": None, "ls": None}, 0),
    ],
)
def test_latency_is_compared_at_p90_and_only_with_a_hundred_samples_on_each_side(reading, numbers, expected):
    assert value(settings("green", "latency"), reading, **numbers) == expected


def test_counters_are_summed_and_latencies_counted_by_their_own_samples():
    rate, latency = settings("green", "errors"), settings("green", "latency")

    assert [(s.id, s.slot, s.metric, s.stat) for s in rate.series] == [
        ("nc", "green", "Invocations", "Sum"),
        ("ec", "green", "Invocation5XXErrors", "Sum"),
        ("ns", "blue", "Invocations", "Sum"),
        ("es", "blue", "Invocation5XXErrors", "Sum"),
    ]
    assert [(s.id, s.slot, s.metric, s.stat) for s in latency.series] == [
        ("nc", "green", "ModelLatency", "SampleCount"),
        ("lc", "green", "ModelLatency", "p90"),
        ("ns", "blue", "ModelLatency", "SampleCount"),
        ("ls", "blue", "ModelLatency", "p90"),
    ]


def test_the_formula_is_the_one_of_the_judge_page():
    assert settings("green", "errors").formula == "IF(nc >= 50 AND ns >= 50 AND ec/nc > 0.05 AND ec/nc > 2*es/ns, 1, 0)"


def test_the_submission_names_the_alarms_that_are_made():
    named = slot_alarms(GUARDED)

    assert named["blue"].relative == (f"{PREFIX}/blue/errors", f"{PREFIX}/blue/latency")
    assert named["blue"].rails == (f"{PREFIX}/blue/errors-rail",)
    assert set(named) == {"blue", "green"}


def test_a_rate_comes_first_because_rehearsals_set_the_first_one_off():
    metrics = {"a-latency": GUARDED.policy.metrics["latency"], **GUARDED.policy.metrics}
    guarded = replace(GUARDED, policy=replace(GUARDED.policy, metrics=metrics))

    assert slot_alarms(guarded)["green"].relative[0] == f"{PREFIX}/green/errors"


def test_small_limits_are_written_without_an_exponent():
    errors = GUARDED.policy.metrics["errors"]
    metrics = {"errors": replace(errors, rail=replace(errors.rail, rate=0.00002))}
    guarded = replace(GUARDED, policy=replace(GUARDED.policy, metrics=metrics))

    assert "ec/nc > 0.00002 " in alarm_settings(guarded)[0].formula


def test_a_metric_without_a_rail_has_no_alarm():
    metrics = {name: replace(metric, rail=None) for name, metric in GUARDED.policy.metrics.items()}
    guarded = replace(GUARDED, policy=replace(GUARDED.policy, metrics=metrics))

    assert alarm_settings(guarded) == ()
