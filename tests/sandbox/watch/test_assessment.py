"""From data points to an alarm state. The tables are those of the CloudWatch user guide on missing data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.sandbox.watch.assessment import MISSING_DATA, Assessment, Condition, Point, assess, state_called_for

STAY = None


def points(picture: str) -> list[Point]:
    """0 is a good point, X a breaching one, - a missing one; the newest stands right, as in the guide."""
    values = {"0": 0.0, "X": 1.0, "-": None}
    return [Point(60 * index, values[sign]) for index, sign in enumerate(picture.split())]


def assessed(picture: str, alarm_points: int, missing: str, periods: int = 3) -> Assessment:
    condition = Condition("GreaterThanThreshold", 0.5, periods, alarm_points, missing)
    return assess(condition, points(picture), lambda second: f"minute {second // 60}")


TABLE = [
    # points, M, missing, ignore, breaching, notBreaching
    ("0 - X - X", 3, "OK", "OK", "OK", "OK"),
    ("0 - - - -", 3, "OK", "OK", "OK", "OK"),
    ("- - - - -", 3, "INSUFFICIENT_DATA", STAY, "ALARM", "OK"),
    ("0 X X - X", 3, "ALARM", "ALARM", "ALARM", "ALARM"),
    ("- - X - -", 3, "ALARM", STAY, "ALARM", "OK"),
    ("0 - X - X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 0 X 0 X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 - X - -", 2, "OK", "OK", "ALARM", "OK"),
    ("- - - - 0", 2, "OK", "OK", "ALARM", "OK"),
    ("- - - X -", 2, "ALARM", STAY, "ALARM", "OK"),
]


@pytest.mark.parametrize("treatment", ["missing", "ignore", "breaching", "notBreaching"])
@pytest.mark.parametrize("line", TABLE, ids=lambda line: f"{line[0]} {line[1]} of 3")
def test_missing_data_is_treated_as_the_guide_shows(line: tuple[str, int, str, str, str, str], treatment: str) -> None:
    picture, alarm_points = line[0], line[1]
    expected = dict(zip(("missing", "ignore", "breaching", "notBreaching"), line[2:], strict=True))[treatment]

    assert assessed(picture, alarm_points, treatment).state == expected


@pytest.mark.parametrize("picture", ["- - - - X", "- - - X -"])
def test_one_young_breaching_point_is_no_alarm_yet(picture: str) -> None:
    assert assessed(picture, 3, "missing").state != "ALARM"


def test_with_the_default_treatment_one_bad_point_of_a_sparse_metric_becomes_an_alarm() -> None:
    """Why the alarms of this project treat missing data as notBreaching."""
    assert assessed("- - X - -", 3, "missing").state == "ALARM"
    assert assessed("- - X - -", 3, "notBreaching").state == "OK"


@pytest.mark.parametrize(
    ("operator", "breaching"),
    [
        ("GreaterThanThreshold", 5.1),
        ("GreaterThanOrEqualToThreshold", 5.0),
        ("LessThanThreshold", 4.9),
        ("LessThanOrEqualToThreshold", 5.0),
    ],
)
def test_each_operator_has_its_edge(operator: str, breaching: float) -> None:
    condition = Condition(operator, 5.0, 1, 1)
    beyond = {"GreaterThanThreshold": 5.0, "GreaterThanOrEqualToThreshold": 4.9}
    good = beyond.get(operator, 5.0 if operator == "LessThanThreshold" else 5.1)

    assert condition.breached_by(breaching)
    assert not condition.breached_by(good)


def test_the_reason_reads_like_cloudwatchs_own() -> None:
    found = assessed("0 0 X 0 X", 2, "notBreaching")

    assert found.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [1.0 (minute 4), 0.0 (minute 3), 1.0 (minute 2)] were "
        "greater than the threshold (0.5) (minimum 2 datapoints for OK -> ALARM transition)."
    )


def test_the_reason_of_silence_says_how_it_was_treated() -> None:
    assert assessed("- - - - -", 3, "notBreaching").reason == (
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
        "[NonBreaching]."
    )
    assert assessed("- - - - -", 3, "missing").reason == "Insufficient Data: 3 datapoints were unknown."


@given(
    st.lists(st.sampled_from(["0", "X", "-"]), min_size=1, max_size=7),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(MISSING_DATA),
)
def test_the_state_alone_is_that_of_the_assessment(
    picture: list[str], periods: int, alarm_points: int, missing: str
) -> None:
    shown, alarming = " ".join(picture), min(alarm_points, periods)
    condition = Condition("GreaterThanThreshold", 0.5, periods, alarming, missing)

    called_for = state_called_for(condition, [point.value for point in points(shown)])

    assert called_for == assessed(shown, alarming, missing, periods).state
