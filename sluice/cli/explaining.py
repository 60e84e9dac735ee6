"""How the judge's findings read: metric by metric, worst first, with the numbers that led to its word and what they were judged by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from sluice.cli.target import Target
from sluice.cli.text import INDENT, age, wrapped
from sluice.core.judge import Word
from sluice.core.judge.wording import evidence
from sluice.core.record import Document

_COLOURS = {
    Word.HARMFUL: "red",
    Word.SHARED: "yellow",
    Word.NO_DATA: "yellow",
    Word.UNPROVEN: "cyan",
    Word.CLEARED: "green",
}

_UNASKED = "this step asks for no proof"


def explain_lines(answer: Document, target: Target, width: int | None) -> Iterator[str]:
    """What was decided and when, then every metric."""
    findings = answer["findings"]
    if not findings:
        nothing = f"{target.endpoint}: nothing was judged yet; {target.line('status')} says what it waits for"
        yield wrapped(nothing, 0, width)
        return
    since = answer.get("since")
    if since is not None:
        newest = f"{target.endpoint}: {since['rollout']} was not judged: {since['because']} ({age(since['at'], answer['now'])})"
        yield wrapped(newest, 0, width)
        yield "judged before it:"
    where = "at the last look" if answer["event"] is None else f"in event {answer['event']}"
    yield f"{target.endpoint}: {answer['rollout']}, {where} ({age(answer['at'], answer['now'])})"
    yield INDENT + wrapped(_short(answer["because"], findings), len(INDENT), width)
    widths = [max(map(len, column)) for column in zip(*((f["metric"], _word(f)) for f in findings), strict=True)]
    start = sum(widths) + 3 * len(INDENT)
    for finding in findings:
        word = typer.style(_word(finding), fg=_COLOURS.get(finding["word"])) + " " * (widths[1] - len(_word(finding)))
        yield INDENT.join(["", finding["metric"].ljust(widths[0]), word, wrapped(finding["numbers"], start, width)])
        if terms := _terms(finding):
            yield " " * start + wrapped(terms, start, width)
    if answer["rows"]:
        yield f"{INDENT}judged on rows {answer['rows']}"


def _short(because: str, findings: list[dict[str, Any]]) -> str:
    """The reason without the numbers that follow anyway."""
    for finding in findings:
        because = because.replace(f"{finding['metric']} {finding['numbers']}", finding["metric"])
    return because


def _word(finding: dict[str, Any]) -> str:
    return f"{finding['word']}, observed" if finding["observed"] else str(finding["word"])


def _terms(finding: dict[str, Any]) -> str | None:
    """What a comparison was judged by: its evidence of harm, what is ruled out, what is tolerated, how much the data scatter.

    A metric can be cleared before anything was compared: then nothing had to be proven, and that is said.
    """
    known = finding.get("evidence")
    if not known:
        return None
    unasked = finding["word"] == Word.CLEARED and known["margin"] is None
    if not known["minutes"]:
        return _UNASKED if unasked else None
    said = [f"{known['minutes']} min compared"]
    if finding["word"] != Word.HARMFUL and known["weight_of_harm"] is not None:
        said.append(f"harm: {evidence(known['weight_of_harm'], known['need'])}")
    if finding["word"] == Word.CLEARED and known["margin"] is not None and known["proof"] is not None:
        said.append(f"{known['margin']:g}x ruled out")
    if unasked:
        said.append(_UNASKED)
    side = "up to" if known["tolerated"] >= 1 else "down to"
    said.append(f"{side} {known['tolerated']:.3g}x is tolerated")
    said.append(f"scatter {known['dispersion']:.1f}x chance")
    return "; ".join(said)
