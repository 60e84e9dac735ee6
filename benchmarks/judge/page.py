"""The tables of docs/judge.md from the results; the prose around the markers is the page's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.judge.cases import HARM, HARMLESS, TRAFFICS, Case
from benchmarks.judge.picture import draw

PAGE = Path("docs/judge.md")
PICTURE = Path("docs/judge/detection.svg")
OURS, ORACLE, STUDY = "this judge", "oracle", "the study"
_ALLOWED_FALSE, _ALLOWED_LATER, _ALLOWED_GOOD = 0.5, 1.2, 45
Results = dict[str, Any]


def write_page(results: Results) -> None:
    """Replace what stands between the markers of docs/judge.md, and draw the picture."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(text, results), encoding="utf-8")
    PICTURE.write_text(draw(results), encoding="utf-8")


def filled(text: str, results: Results) -> str:
    """The page with its tables written anew."""
    for name, lines in _parts(results).items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        text = pattern.sub(lambda found, body="\n".join(lines): f"{found[1]}{body}\n{found[2]}", text)
    return text


def misses(results: Results) -> list[str]:
    """Every target that is not met, and by how much."""
    found = []
    for rps, cells in results["traffic"].items():
        for name, cell in cells.items():
            if cell["percent"] > _ALLOWED_FALSE:
                found.append(f"{name} at {rps}/s: {cell['percent']:.1f} % taken back, {_ALLOWED_FALSE} % allowed")
    for case in HARM:
        cell, latest = results["table"][case.name][OURS], (case.study[1] or 0) * _ALLOWED_LATER
        if cell["percent"] < case.study[0] or cell["minutes"] > latest:
            found.append(f"{case.name}: {_cell(cell)}, {case.study[0]:g} ({latest:g}) asked for")
    if results["good"]["500"]["median"] > _ALLOWED_GOOD:
        found.append(
            f"a good release takes {results['good']['500']['median']:g} min at 500/s, {_ALLOWED_GOOD} asked for"
        )
    return found


def _parts(results: Results) -> dict[str, list[str]]:
    return {
        "seed": [f"{results['runs']:,} runs a cell, seed {results['seed']}; Kayenta-like: 200."],
        "false": [_how_many(results)],
        "table": list(_table(results["table"])),
        "harmed": list(_harmed(results["table"])),
        "oracle": list(_distance(results["table"])),
        "traffic": list(_traffic(results)),
        "worlds": list(_worlds(results["worlds"])),
        "targets": [f"- {miss}" for miss in misses(results)] or ["All of them are met."],
    }


def _header(cells: list[str]) -> Iterator[str]:
    yield "| " + " | ".join(cells) + " |"
    yield "|" + "---|" * len(cells)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(table: Results) -> Iterator[str]:
    cases = (*HARMLESS, *HARM)
    yield from _header(["", *(case.name for case in cases)])
    for judge in table[HARMLESS[0].name]:
        if judge == OURS:
            continue
        yield _line([judge, *(_cell(table[case.name][judge]) for case in cases)])
    yield _line([f"**{OURS}**", *(f"**{_cell(table[case.name][OURS])}**" for case in cases)])
    yield _line([STUDY, *(_of_study(case) for case in cases)])


def _harmed(table: Results) -> Iterator[str]:
    cases = [case for case in HARM if "errors" in case.effect.rates]
    yield from _header(["", *(case.name for case in cases)])
    for judge in (*(name for name in table[HARM[0].name] if name not in (OURS, ORACLE)), ORACLE, OURS):
        yield _line([judge, *(f"{table[case.name][judge]['harmed']:,.0f}" for case in cases)])


def _distance(table: Results) -> Iterator[str]:
    yield from _header(["", "oracle, min", "this judge, min", "of these waiting", "bad requests: oracle", "this judge"])
    for case in HARM:
        ours, best = table[case.name][OURS], table[case.name][ORACLE]
        waiting = "5 min settle" if case.effect.latency != 1 or case.effect.slow_share else "2 min warm-up"
        waiting = "" if case.effect.begins or ours["minutes"] < 2 else waiting
        bad = [f"{cell['harmed']:,.0f}" if "errors" in case.effect.rates else "" for cell in (best, ours)]
        yield _line([case.name, _minutes(best), _minutes(ours), waiting, *bad])


def _traffic(results: Results) -> Iterator[str]:
    yield from _header(
        ["requests/s", "A/A", "shared incident", "good release: minutes (median, 95 %)", "left unproven, by step"]
    )
    for rps in TRAFFICS:
        cells, good = results["traffic"][f"{rps:g}"], results["good"][f"{rps:g}"]
        unproven = ", ".join(f"{100 * share:.0f} %" for share in good["unproven"])
        false = [f"{cells[case.name]['percent']:.2f} % {_interval(cells[case.name])}" for case in HARMLESS]
        yield _line([f"{rps:g}", *false, f"{good['median']:.0f}, {good['p95']:.0f}", unproven])


def _worlds(worlds: Results) -> Iterator[str]:
    names = list(next(iter(worlds.values())))
    yield from _header(["world", *names])
    for world, cells in worlds.items():
        yield _line([world, *(_of_world(cells[name]) for name in names)])


def _cell(cell: Results) -> str:
    percent = f"{cell['percent']:.1f}".removesuffix(".0")
    return percent if cell["percent"] < 1 or cell["minutes"] is None else f"{percent} ({_minutes(cell)})"


def _of_world(cell: Results) -> str:
    return f"{cell['percent']:.2f} {_interval(cell)}" if "interval" in cell else _cell(cell)


def _interval(cell: Results) -> str:
    low, high = cell["interval"]
    return f"[{low:.2f}-{high:.2f}]"


def _how_many(results: Results) -> str:
    total = next(iter(results["traffic"].values()))[HARMLESS[0].name]["runs"]
    return f"Of {total:,} runs each; in square brackets where the share lies with 95 % certainty (binomial, Wilson)."


def _minutes(cell: Results) -> str:
    return "" if cell["minutes"] is None else f"{cell['minutes']:g}"


def _of_study(case: Case) -> str:
    return f"{case.study[0]:g}" if case.study[1] is None else f"{case.study[0]:g} ({case.study[1]})"
