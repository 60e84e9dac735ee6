"""How the judge's findings read: one metric a line, worst first, with the numbers that led to its word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sluice.cli.target import Target
from sluice.cli.text import INDENT, age, wrapped
from sluice.core.record import Document


def explain_lines(answer: Document, target: Target, width: int | None) -> Iterator[str]:
    """What was decided and when, then every metric."""
    findings = answer["findings"]
    if not findings:
        nothing = f"{target.endpoint}: nothing was judged yet; {target.line('status')} says what it waits for"
        yield wrapped(nothing, 0, width)
        return
    where = "at the last look" if answer["event"] is None else f"in event {answer['event']}"
    yield f"{target.endpoint}: {answer['rollout']}, {where} ({age(answer['at'], answer['now'])})"
    yield INDENT + wrapped(answer["because"], len(INDENT), width)
    rows = [(finding["metric"], _word(finding), finding["numbers"]) for finding in findings]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    start = sum(widths) + 3 * len(INDENT)
    for metric, word, numbers in rows:
        yield INDENT.join(["", metric.ljust(widths[0]), word.ljust(widths[1]), wrapped(numbers, start, width)])
    if answer["rows"]:
        yield f"{INDENT}judged on rows {answer['rows']}"


def _word(finding: dict[str, Any]) -> str:
    return f"{finding['word']}, observed" if finding["observed"] else str(finding["word"])
