"""Measures everything and writes docs/benchmarks.md: python -m benchmarks.system"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.system import bundle, judging, program, sandbox, use_cases
from benchmarks.system.measure import Row, commit, machine

_PAGE = Path("docs/benchmarks.md")
_HEAD = """\
# Benchmarks

Written by `make bench`; each line has its baseline measured in the same run, on the same machine. CPU time is what is compared:
it depends little on what else runs. No test looks at a clock. How many calls the alarm path makes is a
[test](../tests/acceptance/test_alarm_path.py), not a measurement: one state read, one transactional write, one weight call,
then what only tells (the champion parameter, a notice, a fresh clock).

"""


def page(rows: Iterable[Row]) -> str:
    table = ["| what | measured | baseline | which is |", "|---|---|---|---|"]
    table += [f"| {row.what} | {row.measured} | {row.baseline} | {row.stands_at} |" for row in rows]
    return _HEAD + f"Machine: {machine()}. Commit {commit()}.\n\n" + "\n".join(table) + "\n"


def main() -> None:
    found: list[Row] = []
    for part in (bundle, use_cases, judging, program, sandbox):
        for row in part.rows():
            print(f"{row.what}: {row.measured}; {row.baseline} ({row.stands_at})", file=sys.stderr, flush=True)
            found.append(row)
    _PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
