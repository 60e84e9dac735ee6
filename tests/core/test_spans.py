"""A rollout as a trace: ids that follow from the rollout, phases below it, each told when it is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sluice.core.messages import Happened, Letter
from sluice.core.rollout import Phase
from sluice.core.spans import spans_of
from sluice.core.standing import Standing

AT = 1_800_000_100
STANDS = Standing(
    id="shop-1",
    release="v2",
    digest="d",
    stable="v1",
    from_slot="blue",
    to_slot="green",
    phase=Phase.BAKING,
    phase_since=AT,
    entered=True,
    left_phase=Phase.SHIFTING,
    left_since=AT - 20,
    started_at=AT - 100,
    step=1,
    steps=3,
    canary_percent=12.5,
)
LETTER = Letter("shop", Happened(7, AT, "baking", "tick", "v2 serves 12.5 %"), STANDS, ())
WITHIN = replace(STANDS, entered=False, left_phase=None, left_since=None)


def spans(letter: Letter) -> list[dict[str, Any]]:
    document = spans_of(letter)
    assert document is not None
    found: list[dict[str, Any]] = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return found


def ended(phase: Phase) -> Letter:
    stands = replace(STANDS, phase=phase, left_phase=Phase.VERIFYING)
    return replace(LETTER, event=replace(LETTER.event, kind=phase.value), rollout=stands)


def test_a_phase_is_told_when_it_is_over_with_the_event_that_ended_it() -> None:
    (span,) = spans(LETTER)

    assert (span["name"], span["startTimeUnixNano"], span["endTimeUnixNano"]) == (
        "shifting",
        "1800000080000000000",
        "1800000100000000000",
    )
    (event,) = span["events"]
    assert event["name"] == "baking"
    assert {"key": "sluice.because", "value": {"stringValue": "v2 serves 12.5 %"}} in event["attributes"]
    assert {"key": "sluice.step", "value": {"intValue": "1"}} in span["attributes"]
    assert {"key": "sluice.canary_percent", "value": {"doubleValue": 12.5}} in span["attributes"]


def test_what_happens_within_a_phase_hangs_below_the_span_that_the_phase_will_be() -> None:
    waiting = replace(LETTER, event=replace(LETTER.event, seq=8, at=AT + 30, kind="waiting"), rollout=WITHIN)
    over = replace(STANDS, phase=Phase.SHIFTING, phase_since=AT + 60, left_phase=Phase.BAKING, left_since=AT)

    (moment,) = spans(waiting)
    (phase,) = spans(replace(LETTER, rollout=over))

    assert moment["parentSpanId"] == phase["spanId"]
    assert moment["startTimeUnixNano"] == moment["endTimeUnixNano"]
    assert moment["spanId"] != phase["spanId"]


def test_the_rollout_is_the_root_and_says_how_it_ended() -> None:
    phase, whole = spans(ended(Phase.ROLLED_BACK))
    _, good = spans(ended(Phase.SETTLED))

    assert "parentSpanId" not in whole
    assert phase["parentSpanId"] == whole["spanId"] == good["spanId"]
    assert whole["status"] == {"code": 2, "message": "v2 serves 12.5 %"}
    assert good["status"] == {"code": 1}
    assert whole["startTimeUnixNano"] == "1800000000000000000"


def test_one_rollout_is_one_trace_and_another_is_another() -> None:
    first, again = spans(LETTER)[0], spans(replace(LETTER))[0]
    other = spans(replace(LETTER, rollout=replace(STANDS, id="shop-2")))[0]

    assert (first["traceId"], first["spanId"]) == (again["traceId"], again["spanId"])
    assert first["traceId"] != other["traceId"]
    assert (len(first["traceId"]), len(first["spanId"])) == (32, 16)


def test_there_is_nothing_to_tell_of_a_beginning_or_outside_of_rollouts() -> None:
    begun = replace(STANDS, phase=Phase.PENDING, left_phase=None, left_since=None)

    assert spans_of(replace(LETTER, rollout=begun)) is None
    assert spans_of(replace(LETTER, rollout=None)) is None
