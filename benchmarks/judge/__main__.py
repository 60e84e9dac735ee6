"""Run the comparison, write docs/judge/results.json and the table in docs/judge.md. `--runs` and `--seed` as given there."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.judge.cases import (
    BAKE_MAX,
    BAKE_MIN,
    DATA_LAG_MINUTES,
    HARM,
    HARMLESS,
    RULES,
    SHARES,
    TABLE_RPS,
    TRAFFICS,
    WORLDS,
    Case,
    rates,
)
from benchmarks.judge.interval import wilson
from benchmarks.judge.oracle import oracle
from benchmarks.judge.page import write_page
from benchmarks.judge.record import Recorded, record, this_spec
from benchmarks.judge.rivals import RIVALS
from sluice.forecast.arrays import Floats, Whole
from sluice.forecast.rollouts import Ended, OnInconclusive, Schedule, roll
from sluice.forecast.world import Base, Nature, World

RESULTS = Path("docs/judge/results.json")
OURS = "this judge"
ORACLE = "oracle"
_FALSE_BATCHES = 10
"""False rollbacks at each traffic and in each world are counted in so many times the runs: half a percent of a thousand is five."""
_KAYENTA_RUNS = 200
"""Its test sorts all pairs of minutes: more runs would take most of the time and change no digit shown."""


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.judge", description=__doc__)
    asked.add_argument("--runs", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=20261121)
    asked.add_argument("--page-only", action="store_true", help="write the page from the results that are there")
    given = asked.parse_args()
    if not given.page_only:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(compare(given.runs, given.seed), indent=1, sort_keys=True) + "\n")
    write_page(json.loads(RESULTS.read_text()))


def compare(runs: int, seed: int) -> dict[str, Any]:
    """Everything the page shows."""
    print(f"{runs} runs a cell, seed {seed}")
    return {
        "runs": runs,
        "seed": seed,
        "table": {case.name: _column(case, runs, seed) for case in (*HARMLESS, *HARM)},
        "traffic": {f"{rps:g}": _false(rps, Nature(), runs, seed) for rps in TRAFFICS},
        "worlds": {
            name: {
                **_false(TABLE_RPS, nature, runs, seed),
                **{case.name: _ours(case, TABLE_RPS, nature, runs, seed) for case in (HARM[0], HARM[3], HARM[5])},
            }
            for name, nature in WORLDS.items()
        },
        "good": {f"{rps:g}": _good(rps, runs, seed) for rps in TRAFFICS},
    }


def _column(case: Case, runs: int, seed: int) -> dict[str, Any]:
    seen = record(case, TABLE_RPS, Nature(), runs, seed)
    found = {OURS: _cell(case, seen, this_spec(seen))}
    for name, rival in RIVALS.items():
        part = record(case, TABLE_RPS, Nature(), _KAYENTA_RUNS, seed) if name.startswith("Kayenta") else seen
        found[name] = _cell(case, part, rival(part))
    if case.harmful:
        found[ORACLE] = _cell(case, seen, oracle(case, Nature(), seen))
    shown = {name: (round(cell["percent"], 1), cell["minutes"]) for name, cell in found.items()}
    print(f"{case.name}: {shown}", flush=True)
    return found


def _false(rps: float, nature: Nature, runs: int, seed: int) -> dict[str, Any]:
    return {case.name: _counted(case, rps, nature, runs, seed) for case in HARMLESS}


def _counted(case: Case, rps: float, nature: Nature, runs: int, seed: int) -> dict[str, Any]:
    """Runs that were taken back, of many: batches with seeds that follow each other, the first of them that of the table."""
    minutes: list[int] = []
    for batch in range(_FALSE_BATCHES):
        rows = this_spec(record(case, rps, nature, runs, seed + batch))
        minutes += [int(row) + 1 for row in rows[rows >= 0]]
    total = _FALSE_BATCHES * runs
    cell = {
        "percent": 100 * len(minutes) / total,
        "interval": [100 * part for part in wilson(len(minutes), total)],
        "minutes": float(np.median(minutes)) if minutes else None,
        "runs": total,
    }
    print(f"  {rps:g}/s {case.name}: {len(minutes)} of {total}", flush=True)
    return cell


def _ours(case: Case, rps: float, nature: Nature, runs: int, seed: int) -> dict[str, Any]:
    seen = record(case, rps, nature, runs, seed)
    cell = _cell(case, seen, this_spec(seen))
    print(f"  {rps:g}/s {case.name}: {cell['percent']:.1f} %, {cell['minutes']} min", flush=True)
    return cell


def _cell(case: Case, seen: Recorded, rows: Whole) -> dict[str, Any]:
    """P(rollback) in percent, the median minutes of data since the harm began, and the bad requests served by then."""
    back = rows >= 0
    early = back & (rows < case.effect.begins)
    minutes = rows[back & ~early] - case.effect.begins + 1
    return {
        "percent": 100 * float(back.mean()),
        "minutes": float(np.median(minutes)) if len(minutes) else None,
        "p95": float(np.quantile(minutes, 0.95)) if len(minutes) else None,
        "harmed": float(np.median(_harmed(seen.harmed, rows))) if case.harmful else 0.0,
    }


def _harmed(each: Floats, rows: Whole) -> Floats:
    """Excess bad requests until the row was judged, which is `data_lag` after it ended; to the end where nothing was done."""
    last = np.where(rows < 0, each.shape[1], np.minimum(rows + 1 + DATA_LAG_MINUTES, each.shape[1]))
    total = np.cumsum(np.concatenate([np.zeros((each.shape[0], 1)), each], axis=1), axis=1)
    return np.asarray(total[np.arange(len(rows)), last])


def _good(rps: float, runs: int, seed: int) -> dict[str, Any]:
    """A good release when steps advance as soon as they are proven."""
    schedule = Schedule(
        np.array(SHARES),
        np.array(BAKE_MIN),
        np.array(BAKE_MAX),
        np.full(len(SHARES), OnInconclusive.ADVANCE.value),
        24 * 60,
        None,
    )
    world = World(Base(rps, rates(Case("good"))), Nature(), runs, np.random.default_rng(seed))
    out = roll(RULES, schedule, world, 2 * sum(BAKE_MAX))
    done = out.ended == Ended.PROMOTED
    minutes = out.minutes[done]
    return {
        "promoted": 100 * float(done.mean()),
        "median": float(np.median(minutes)),
        "p95": float(np.quantile(minutes, 0.95)),
        "unproven": [round(float(share), 3) for share in out.unproven.mean(axis=0)],
    }


if __name__ == "__main__":
    main()
