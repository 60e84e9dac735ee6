"""How the command line writes: moments, ages, durations, icons, and rows whose text wraps under itself."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime

import typer

from sluice.core.outlook import lasting
from sluice.core.plan import Span
from sluice.core.rollout import Phase

INDENT = "  "
ICONS = {
    Phase.PENDING: "○",
    Phase.PREPARING: "◔",
    Phase.REHEARSING: "↻",
    Phase.SHIFTING: "▲",
    Phase.BAKING: "◑",
    Phase.AWAITING_APPROVAL: "◇",
    Phase.PAUSED: "‖",
    Phase.SOAKING: "◕",
    Phase.SETTLED: "✔",
    Phase.ROLLING_BACK: "▼",
    Phase.VERIFYING: "▽",
    Phase.ROLLED_BACK: "↩",
    Phase.FAILED: "✖",
}
"""One per phase, each one column wide."""
_COLOURS = {
    Phase.SETTLED: "green",
    Phase.SOAKING: "green",
    Phase.AWAITING_APPROVAL: "yellow",
    Phase.PAUSED: "yellow",
    Phase.ROLLING_BACK: "red",
    Phase.VERIFYING: "red",
    Phase.ROLLED_BACK: "red",
    Phase.FAILED: "red",
}
_NARROWEST = 30


def icon(phase: str) -> str:
    """The phase's icon in its colour; a phase of a newer control plane gets a question mark."""
    if phase not in list(Phase):
        return "?"
    return typer.style(ICONS[Phase(phase)], fg=_COLOURS.get(Phase(phase), "cyan"))


def phase_cell(phase: str) -> str:
    """A phase in a column of its own; the one word that would not fit has a shorter one."""
    return f"{'approval due' if phase == Phase.AWAITING_APPROVAL.value else phase:<12}"


def moment(at: int) -> str:
    """`2026-01-05 09:22:50`, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def age(at: int, now: int) -> str:
    return "just now" if at >= now else f"{lasting(now - at)} ago"


def compact(seconds: int) -> str:
    """`45s`, `7m`, `1h30m`, `24h`: as durations are written in a policy."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    shown = [f"{value}{unit}" for value, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if value]
    return "".join(shown) or "0s"


def span(seconds: Span) -> str:
    """`5m to 30m`, or one value where both are the same."""
    if seconds.earliest == seconds.latest:
        return compact(seconds.earliest)
    return f"{compact(seconds.earliest)} to {compact(seconds.latest)}"


def wrapped(text: str, column: int, width: int | None) -> str:
    """The text as it stands from a column on. Where there is a width it wraps under itself, else a line stays a line."""
    if width is None:
        return text
    lines = textwrap.wrap(text, max(_NARROWEST, width - column), break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * column}".join(lines)


def row(label: str, text: str, column: int, width: int | None, phase: str | None = None) -> str:
    """A label, the icon of a phase if there is one, and the text from the column on."""
    head = INDENT + typer.style(label.ljust(column - len(INDENT)), bold=True)
    if phase is None:
        return head + wrapped(text, column, width)
    return f"{head}{icon(phase)} {wrapped(text, column + 2, width)}"
