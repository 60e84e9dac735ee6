"""docs/judge.md shows the results that are checked in, they meet the targets, and a small run of the same code agrees with them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from scipy.stats import binomtest

from benchmarks.judge.cases import HARM, HARMLESS, TABLE_RPS, Case
from benchmarks.judge.page import OURS, PAGE, PICTURE, filled, misses
from benchmarks.judge.picture import draw
from benchmarks.judge.record import record, this_spec
from benchmarks.judge.rivals import flagger_like, kayenta_like, peeked_z_test, plain_rules, static_alarm
from sluice.forecast.world import Nature

MOST_FALSE_PERCENT = 0.5


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return dict(json.loads((PAGE.parent / "judge" / "results.json").read_text()))


def test_the_page_and_its_picture_are_made_from_the_results(results: dict[str, Any]) -> None:
    assert filled(PAGE.read_text(), results) == PAGE.read_text(), "`make bench-judge` writes them"
    assert draw(results) == PICTURE.read_text()


def test_every_world_that_breaks_the_promise_is_named_with_its_numbers(results: dict[str, Any]) -> None:
    told = PAGE.read_text().split("## In worlds the defaults")[1].split("<!-- worlds -->")[0]
    broken = {}
    for name, world in results["worlds"].items():
        shares = [world[case]["percent"] for case in ("A/A", "shared incident")]
        if max(shares) > MOST_FALSE_PERCENT:
            broken[name] = [share for share in shares if share > MOST_FALSE_PERCENT]

    assert set(re.findall(r"^- \*\*(.+?)\*\*", told, re.MULTILINE)) == set(broken)
    for name, shares in broken.items():
        line = told.split(f"**{name}**")[1].split("\n- ")[0]

        assert all(f"{share:.2f} %" in line for share in shares), name


def test_each_share_of_false_rollbacks_has_the_interval_of_its_runs(results: dict[str, Any]) -> None:
    """scipy's, by the same method: half a percent of a thousand runs is five, and says little."""
    for cells in (*results["traffic"].values(), *results["worlds"].values()):
        for case in HARMLESS:
            cell = cells[case.name]
            found = round(cell["percent"] * cell["runs"] / 100)
            expected = binomtest(found, cell["runs"]).proportion_ci(method="wilson")

            assert cell["runs"] >= 10_000
            assert cell["interval"] == pytest.approx([100 * expected.low, 100 * expected.high], abs=1e-4)


def test_every_target_is_met(results: dict[str, Any]) -> None:
    assert misses(results) == []


def test_a_missed_target_would_be_said(results: dict[str, Any]) -> None:
    worse = json.loads(json.dumps(results))
    worse["traffic"]["20"]["A/A"]["percent"] = 0.7
    worse["table"][HARM[0].name][OURS]["minutes"] = 28
    worse["good"]["500"]["median"] = 46

    assert len(misses(worse)) == 3


@pytest.mark.parametrize("case", [HARM[1], HARM[2], HARM[6]], ids=lambda case: case.name)
def test_a_small_run_detects_as_soon_as_the_page_says(case: Case, results: dict[str, Any]) -> None:
    rows = this_spec(record(case, TABLE_RPS, Nature(), 40, 3))

    assert (rows >= 0).all()
    assert abs(sorted(rows)[20] + 1 - results["table"][case.name][OURS]["minutes"]) <= 2


def test_the_rivals_do_what_their_documents_say() -> None:
    """Static alarms see only gross harm and take every incident for the canary's; a peeked test is sure of everything."""
    good, gross = (record(case, TABLE_RPS, Nature(), 20, 3) for case in (HARMLESS[0], HARM[2]))
    incident = record(HARMLESS[1], TABLE_RPS, Nature(), 20, 3)

    assert (static_alarm(good) < 0).all()
    assert (static_alarm(incident) >= 0).all()
    assert (static_alarm(gross) == 2).all(), "three minutes of three"
    assert (flagger_like(gross) == 4).all(), "five failed checks"
    assert (kayenta_like(gross) == 9).all(), "its second run, with ten minutes"
    assert (plain_rules(gross) == 0).all()
    assert (peeked_z_test(good) >= 0).mean() > 0.8
