"""Recorded minutes: what Sluice archived, and tables of people's own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from sluice.core.errors import BadInput
from sluice.core.evidence import SCHEMA, Case
from sluice.core.judge import judge
from sluice.core.observation import Counts, Moments, Row, SlotMinute, Tail
from sluice.core.policy import Bad, LevelMetric, LevelRail
from sluice.core.record import encode
from sluice.schema.recording import read_recording
from tests.builders import errors, latency, policy, terms
from tests.core.judge.minutes import REVENUE

HEAD = "release,at,step,slot,metric,trials,events,threshold\n"
ROWS = (
    Row(1_767_600_000, SlotMinute({"errors": Counts(300, 1)}), SlotMinute({"errors": Counts(29_700, 61)})),
    Row(1_767_600_060, SlotMinute(tails={"latency": Tail(300, {"p90x1.3": 19.0})}), SlotMinute(), step=1),
)


def table(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "minutes.csv"
    file.write_text(HEAD + "\n".join(lines) + "\n")
    return file


def test_a_table_becomes_rows(tmp_path: Path) -> None:
    file = table(
        tmp_path,
        "v7,1767600000,0,canary,errors,300,1,",
        "v7,2026-01-05T08:00:30+00:00,0,stable,errors,29700,61,",
        "v7,2026-01-05T08:01,1,canary,latency,300,19,p90x1.3",
        "v8,1767600000,0,canary,errors,1,0,",
    )
    read = read_recording(file, policy())

    assert read["v7"] == ROWS
    assert len(read["v8"]) == 1


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_what_was_archived_is_read_as_it_is(tmp_path: Path, suffix: str) -> None:
    text = json.dumps(encode(Case(SCHEMA, "shop-3", 1, policy(), {}, ROWS, "why"))).encode()
    file = tmp_path / f"case{suffix}"
    file.write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)

    assert read_recording(file, policy()) == {"shop-3": ROWS}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("v7,0,0,blue,errors,1,0,", "slot: must be canary or stable, got 'blue'"),
        ("v7,0,0,canary,sales,1,0,", "metric: the policy has no 'sales'; it has errors, latency"),
        ("v7,soon,0,canary,errors,1,0,", "Invalid isoformat string: 'soon'"),
        ("v7,0,9,canary,errors,1,0,", "step: must be 0 to 2, got '9'"),
        ("v7,0,0,canary,errors,nan,0,", "trials: must be a number, 0 or more, got 'nan'"),
        ("v7,0,0,canary,errors,1,-1,", "events: must be a number, 0 or more, got '-1'"),
        ("v7,0,0,canary,errors,1,2,", "events: 2 of 1 trials"),
        ("v7,0,0,canary,latency,1,1,", "threshold: missing"),
        ("v7,0,0,canary,errors,1,0,", "errors: said before of the same minute and slot"),
        ("v7,0,1,stable,errors,1,0,", "step: 1, and 0 in another line of the same minute"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_recording(table(tmp_path, "v7,0,0,canary,errors,1,0,", line), policy())

    assert "line 3: " in str(refused.value)
    assert sentence in str(refused.value)


WIDE = HEAD.strip() + ",segment,sum,sumsq,value\n"
KINDS = policy(
    metrics={
        "errors": errors(),
        "latency": latency(),
        "revenue": REVENUE,
        "gpu": LevelMetric("level", None, "GPUUtilization", LevelRail(90.0, 600), terms(1.0)),
        "accuracy": errors(rail=None, namespace="Shop", terms=terms(0.99, bad=Bad.LOW, segment="country")),
    }
)


def wide(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "wide.csv"
    file.write_text(WIDE + "\n".join(lines) + "\n")
    return file


def test_means_levels_and_segments_have_columns_of_their_own(tmp_path: Path) -> None:
    file = wide(
        tmp_path,
        "v7,0,0,canary,revenue,40,,,,1200.5,52000,",
        "v7,0,0,canary,gpu,,,,,,,71.5",
        "v7,0,0,canary,accuracy,100,93,,,,,",
        "v7,0,0,canary,accuracy,30,28,,de,,,",
    )

    ((row,),) = read_recording(file, KINDS).values()

    assert row.canary.means == {"revenue": Moments(40, 1200.5, 52_000)}
    assert row.canary.levels == {"gpu": 71.5}
    assert row.canary.rates == {"accuracy": Counts(100, 93)}
    assert row.canary.segments == {"accuracy": {"de": Counts(30, 28)}}
    assert row.stable == SlotMinute()


def test_a_release_whose_people_spend_less_is_taken_back_from_a_table(tmp_path: Path) -> None:
    rates = [f"v7,{60 * i},0,{slot},errors,500,0,,,,," for i in range(20) for slot in ("canary", "stable")]
    sums = [
        f"v7,{60 * i},0,{slot},revenue,400,,,,{400 * mean},{400 * (mean**2 + 100)},"
        for i in range(20)
        for slot, mean in (("canary", 40), ("stable", 50))
    ]
    spends = policy(metrics={"errors": errors(), "revenue": REVENUE})

    (rows,) = read_recording(wide(tmp_path, *rates, *sums), spends).values()

    assert judge(spends, rows).because.startswith("revenue 40")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("v7,0,0,canary,revenue,40,,,,,52000,", "sum: must be a number, got nothing"),
        ("v7,0,0,canary,revenue,40,,,,100,-1,", "sumsq: must be a number, 0 or more, got '-1'"),
        ("v7,0,0,canary,revenue,10,,,,100,1,", "sum 100 and sumsq 1 of 10 cannot be"),
        ("v7,0,0,canary,gpu,,,,,,,", "value: must be a number, got nothing"),
        ("v7,0,0,canary,gpu,,,,,,,inf", "value: must be a number, got 'inf'"),
        ("v7,0,0,canary,errors,10,1,,de,,,", "segment: errors has none in the policy, got 'de'"),
        (
            "v7,0,0,canary,latency,4,1,p90x1.3,,,,\nv7,0,0,canary,latency,5,1,p99x1.3,,,,",
            "trials: 5 requests, and 4 over",
        ),
    ],
)
def test_what_a_mean_a_level_or_a_segment_cannot_be_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_recording(wide(tmp_path, line), KINDS)

    assert sentence in str(refused.value)


def test_missing_columns_empty_and_unreadable_files_are_refused(tmp_path: Path) -> None:
    bare, broken = tmp_path / "bare.csv", tmp_path / "case.json"
    bare.write_text("release,at\n")
    broken.write_text("{")

    with pytest.raises(BadInput, match="columns are missing: step, slot, metric, trials, events, threshold"):
        read_recording(bare, policy())
    with pytest.raises(BadInput, match="holds no line"):
        read_recording(table(tmp_path), policy())
    with pytest.raises(BadInput, match=r"case\.json: cannot be read"):
        read_recording(broken, policy())
    with pytest.raises(BadInput, match=r"gone\.csv: cannot be read"):
        read_recording(tmp_path / "gone.csv", policy())
