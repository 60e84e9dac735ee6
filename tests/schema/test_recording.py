"""Recorded minutes: what Sluice archived, and tables of people's own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from sluice.core.errors import BadInput
from sluice.core.evidence import SCHEMA, Case
from sluice.core.observation import Counts, Row, SlotMinute, Tail
from sluice.core.record import encode
from sluice.schema.recording import read_recording
from tests.builders import policy

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
        ("v7,0,0,canary,sales,1,0,", "metric: the policy has no rate or latency 'sales'"),
        ("v7,soon,0,canary,errors,1,0,", "Invalid isoformat string: 'soon'"),
        ("v7,0,9,canary,errors,1,0,", "step: must be 0 to 2, got '9'"),
        ("v7,0,0,canary,errors,nan,0,", "trials: must be a number, 0 or more, got 'nan'"),
        ("v7,0,0,canary,errors,1,-1,", "events: must be a number, 0 or more, got '-1'"),
        ("v7,0,0,canary,errors,1,2,", "events: 2 of 1 trials"),
        ("v7,0,0,canary,latency,1,1,", "threshold: missing"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_recording(table(tmp_path, "v7,0,0,canary,errors,1,0,", line), policy())

    assert "line 3: " in str(refused.value)
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
