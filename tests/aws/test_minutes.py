"""Series of CloudWatch as minutes: which are asked for, and what becomes of values that are missing or no numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from sluice.aws import series
from sluice.aws.minutes import Made, rows_of
from sluice.aws.series import Key, Query, queries, read
from sluice.aws.watch import CloudWatchMetrics
from sluice.core.histogram import RECORDED, Histogram
from sluice.core.observation import Counts, Moments, Tail
from sluice.core.policy import LevelMetric, LevelRail, MeanMetric
from sluice.core.rows import Limits, Reading
from tests.builders import errors, latency, terms

MINUTE = 1_800_000_000 // 60 * 60
METRICS = {
    "errors": errors(terms=terms(1.1, segment="country")),
    "latency": latency(),
    "revenue": MeanMetric("mean", "Shop", "N", "S", "Q", terms(0.97, bad="low")),
    "gpu": LevelMetric("level", "/aws/sagemaker/Endpoints", "GPU", LevelRail(90, 600), terms(1.0, 0.0)),
}
LIMITS = {"latency": Limits({"p90x1.3": 26_000.4}, {"p90x1": 20_000.0})}
READING = Reading("shop", "green", "blue", METRICS, LIMITS, MINUTE, MINUTE + 120)


def green(metric: str, part: str, *values: float, segment: str | None = None) -> dict[Key, dict[int, float]]:
    return {Key("green", metric, part, segment): {MINUTE + 60 * i: value for i, value in enumerate(values)}}


def test_every_part_of_every_metric_is_asked_for_on_both_slots() -> None:
    asked = [(q.key.slot, q.key.metric, q.key.part, q.name, q.stat, q.search) for q in queries(READING)]

    canary = [row[1:] for row in asked if row[0] == "green"]
    assert canary == [
        ("errors", "trials", "Invocations", "Sum", None),
        ("errors", "events", "Invocation5XXErrors", "Sum", None),
        ("errors", "trials", "Invocations", "Sum", "country"),
        ("errors", "events", "Invocation5XXErrors", "Sum", "country"),
        ("gpu", "level", "GPU", "Average", None),
        ("latency", "trials", "ModelLatency", "SampleCount", None),
        ("latency", "p90", "ModelLatency", "p90", None),
        ("latency", "over p90x1.3", "ModelLatency", "TC(26000:)", None),
        ("latency", "within p90x1.3", "ModelLatency", "TC(:26000)", None),
        ("revenue", "count", "N", "Sum", None),
        ("revenue", "sum", "S", "Sum", None),
        ("revenue", "sumsq", "Q", "Sum", None),
    ]
    assert ("blue", "latency", "over p90x1", "ModelLatency", "TC(20000:)", None) in asked


def test_a_latency_whose_past_is_not_known_is_not_counted_over_anything() -> None:
    bare = Reading("shop", "green", "blue", {"latency": latency()}, {}, MINUTE, MINUTE + 60)

    assert [q.key.part for q in queries(bare)] == ["trials", "p90"] * 2


def test_complete_minutes_arrive_as_what_they_are() -> None:
    found = (
        green("errors", "trials", 500, 400)
        | green("errors", "events", 5, 0)
        | green("errors", "trials", 50, segment="de")
        | green("errors", "events", 1, segment="de")
        | green("latency", "trials", 500)
        | green("latency", "p90", 21_000)
        | green("latency", "over p90x1.3", 40)
        | green("revenue", "count", 10)
        | green("revenue", "sum", 100)
        | green("revenue", "sumsq", 2000)
        | green("gpu", "level", 55)
    )

    first, second = rows_of(READING, found)

    assert (first.at, second.at) == (MINUTE, MINUTE + 60)
    assert first.canary.rates == {"errors": Counts(500, 5)}
    assert first.canary.segments == {"errors": {"de": Counts(50, 1)}}
    assert first.canary.tails == {"latency": Tail(500, {"p90x1.3": 40})}
    assert first.canary.means == {"revenue": Moments(10, 100, 2000)}
    assert (first.canary.levels, first.canary.p90_us) == ({"gpu": 55}, {"latency": 21_000})
    assert second.canary.rates == {"errors": Counts(400, 0)}
    assert (second.canary.segments, second.canary.tails, first.stable.rates) == ({}, {}, {})


@pytest.mark.parametrize(
    ("answers", "over"),
    [
        pytest.param({"over": 40.0}, {"p90x1.3": 40}, id="above the limit"),
        pytest.param({"within": 460.0}, {"p90x1.3": 40}, id="only what is within: the rest is above"),
        pytest.param({"within": 500.0}, {"p90x1.3": 0}, id="nothing above may be missing"),
        pytest.param({}, {}, id="neither is answered: not counted, and not zero"),
    ],
)
def test_a_trimmed_count_that_is_missing_is_not_taken_for_zero(
    answers: dict[str, float], over: dict[str, float]
) -> None:
    found = green("latency", "trials", 500) | {Key("green", "latency", "over p90x1.3"): {}}
    for side, value in answers.items():
        found |= green("latency", f"{side} p90x1.3", value)

    assert rows_of(READING, found)[0].canary.tails == {"latency": Tail(500, over)}


def test_what_is_no_number_is_named_and_left_out() -> None:
    found = green("errors", "trials", math.nan) | green("errors", "events", 1)

    (first, _) = rows_of(READING, found)

    assert first.faults == ("errors of green: trials is nan",)
    assert first.canary.rates == {}


def test_a_minute_whose_latencies_are_no_numbers_is_not_counted_over_anything() -> None:
    found = green("latency", "trials", 5) | green("latency", "p90", math.nan) | green("latency", "over p90x1.3", 5)

    (first, _) = rows_of(READING, found)

    assert (first.canary.tails, first.faults) == ({}, ("latency of green: p90 is nan",))


def test_a_minute_of_which_the_same_is_said_again_stays_the_row_it_was() -> None:
    made = Made()
    before = made.of(READING, green("errors", "trials", 500, 400) | green("errors", "events", 5, 4))

    after = made.of(READING, green("errors", "trials", 500, 400) | green("errors", "events", 5, 7))

    assert after[0] is before[0]
    assert (before[1].canary.rates, after[1].canary.rates) == ({"errors": Counts(400, 4)}, {"errors": Counts(400, 7)})


def test_a_segment_that_appears_makes_every_minute_anew() -> None:
    made, whole = Made(), green("errors", "trials", 500, 400) | green("errors", "events", 5, 4)
    (before, _) = made.of(READING, whole)

    (after, _) = made.of(READING, {**whole, Key("green", "errors", "trials", "de"): {}})

    assert after is not before
    assert after == before


def test_what_is_forgotten_is_made_anew() -> None:
    made, said = Made(), green("errors", "trials", 500, 400)
    before = made.of(READING, said)
    made.forget(MINUTE + 60)

    after = made.of(READING, said)

    assert [row is was for row, was in zip(after, before, strict=True)] == [False, True]


class FakeClient:
    """Answers GetMetricData with the label of a dimension's value, page by page. CloudWatch's own in moto knows no SEARCH."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        found = {"Id": "q0", "Label": "de", "Timestamps": [request["StartTime"]], "Values": [3.0]}
        if request.get("NextToken") != "page 2":
            return {"MetricDataResults": [found], "NextToken": "page 2"}
        return {"MetricDataResults": [{**found, "Label": "us", "Values": [4.0]}]}


def test_a_search_finds_every_value_of_its_dimension(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeClient()
    monkeypatch.setattr(series, "client", lambda name: fake)
    wanted = Query(Key("green", "errors", "events"), "shop", "Shop", "Wrong", "Sum", "country")

    found = read([wanted], MINUTE, MINUTE + 60)

    assert found == green("errors", "events", 3.0, segment="de") | green("errors", "events", 4.0, segment="us")
    (asked,) = fake.asked[0]["MetricDataQueries"]
    assert asked["Expression"] == (
        'SEARCH(\'{"Shop",EndpointName,VariantName,"country"} MetricName="Wrong" EndpointName="shop" '
        "VariantName=\"green\"', 'Sum', 60)"
    )
    assert asked["Label"] == "${PROP('Dim.country')}"


def test_quantiles_are_the_median_of_the_hour_and_absent_without_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(wanted: list[Query], since: int, until: int, period: int) -> dict[Key, dict[int, float]]:
        values = {"p50": (9.0, 10.0, 50.0), "p90": (20.0, 21.0, math.nan), "p99": (40.0,)}
        return {q.key: dict(enumerate(values[q.key.part])) if q.key.metric == "latency" else {} for q in wanted}

    monkeypatch.setattr("sluice.aws.watch.read", answer)

    found = CloudWatchMetrics().quantiles(
        "shop", "blue", {"latency": latency(), "other": latency()}, MINUTE, MINUTE + 3600
    )

    assert found == {"latency": {"p50": 10.0, "p90": 20.5, "p99": 40.0}}


OWN = Histogram("Shop", "AnswerTime", 5_000, 2_000_000, "fallback")
EDGED = Limits({"p90x1.3": 26_000.0}, {"p90x1": 20_000.0}, {"p90x1.3": 26_001}, {"p90x1": 19_706})


def recording(histogram: Histogram = OWN) -> Reading:
    return replace(READING, metrics={"latency": latency(histogram=histogram)}, limits={"latency": EDGED})


RECORDED_BY_GREEN = (
    green("latency", "recorded", 480)
    | green("latency", "recorded within p90x1.3", 440)
    | green("latency", "invoked", 500)
    | green("latency", "failed 5xx", 15)
    | green("latency", "failed 4xx", 2)
    | green("latency", "trials", 500)
)


def test_the_applications_counters_and_what_they_are_checked_against_are_read_with_the_rest() -> None:
    asked = [(q.key.part, q.namespace, q.name, q.stat) for q in queries(recording()) if q.key.slot == "green"]

    assert asked == [
        ("trials", "AWS/SageMaker", "ModelLatency", "SampleCount"),
        ("p90", "AWS/SageMaker", "ModelLatency", "p90"),
        ("over p90x1.3", "AWS/SageMaker", "ModelLatency", "TC(26000:)"),
        ("within p90x1.3", "AWS/SageMaker", "ModelLatency", "TC(:26000)"),
        ("recorded", "Shop", "AnswerTime_n", "Sum"),
        ("recorded within p90x1.3", "Shop", "AnswerTime_le_26001us", "Sum"),
        ("invoked", "AWS/SageMaker", "Invocations", "Sum"),
        ("failed 4xx", "AWS/SageMaker", "Invocation4XXErrors", "Sum"),
        ("failed 5xx", "AWS/SageMaker", "Invocation5XXErrors", "Sum"),
    ]
    always = [q.key.part for q in queries(recording(replace(OWN, use="always")))]
    assert not any(part.startswith(("over", "within")) for part in always)
    assert "recorded" in always


def test_a_minute_that_cloudwatch_counts_over_no_limit_is_read_from_the_application() -> None:
    (first, _) = rows_of(recording(), RECORDED_BY_GREEN)

    assert first.canary.tails == {"latency": Tail(480, {"p90x1.3": 40}, answered=483)}


def test_both_slots_of_a_minute_are_read_from_the_same_source() -> None:
    counted = {
        Key("blue", "latency", "trials"): {MINUTE: 4500.0},
        Key("blue", "latency", "over p90x1"): {MINUTE: 450.0},
    }

    (first, _) = rows_of(recording(), RECORDED_BY_GREEN | counted)

    assert first.stable.tails == {"latency": Tail(4500, {"p90x1": 450})}
    assert first.canary.tails == {"latency": Tail(500, {})}, "not compared with what another source says of stable"


def test_a_policy_may_ask_for_the_application_even_where_cloudwatch_counts() -> None:
    counted = RECORDED_BY_GREEN | green("latency", "over p90x1.3", 77)

    (usual, _), (asked, _) = (rows_of(recording(replace(OWN, use=use)), counted) for use in ("fallback", "always"))

    assert (usual.canary.tails["latency"].over, asked.canary.tails["latency"].over) == (
        {"p90x1.3": 77},
        {"p90x1.3": 40},
    )


def test_an_application_that_recorded_nothing_leaves_the_minute_uncounted() -> None:
    (first, _) = rows_of(recording(), green("latency", "trials", 500))

    assert first.canary.tails == {"latency": Tail(500, {})}


def test_stables_past_is_read_from_the_application_too() -> None:
    def put(name: str, value: float) -> None:
        dimensions = [{"Name": "EndpointName", "Value": "shop"}, {"Name": "VariantName", "Value": "blue"}]
        datum = {"MetricName": name, "Dimensions": dimensions, "Timestamp": datetime.fromtimestamp(MINUTE, UTC)}
        boto3.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[{**datum, "Value": value}])

    put("AnswerTime_n", 1000)
    for i, edge in enumerate(OWN.edges):
        put(OWN.within_name(edge), min(1000, 100 * i))

    found = CloudWatchMetrics().quantiles(
        "shop", "blue", {"latency": latency(histogram=OWN)}, MINUTE - 1800, MINUTE + 1800
    )

    assert found == {
        "latency": {
            f"{RECORDED}p50": OWN.edges[5],
            f"{RECORDED}p90": OWN.edges[9],
            f"{RECORDED}p99": OWN.edges[10],
        }
    }
    assert (
        CloudWatchMetrics().quantiles("shop", "green", {"latency": latency(histogram=OWN)}, MINUTE, MINUTE + 60) == {}
    )
