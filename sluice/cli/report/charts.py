"""Charts as geometry: paths in a box of 1000 by 1000, which the page stretches to any width, and labels by percent.

Text is never in the stretched box, so that it reads as well on a phone as on a wall.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sluice.cli.report.rates import Point, Rate, Series
from sluice.cli.report.story import Story
from sluice.core.rollout import Phase
from sluice.core.weights import WHOLE, percent_text

BOX = 1000
_HEADROOM = 1.1
"""Above the slowest minute, so that no line lies on the upper edge."""
_APART = 16
"""Percent of the width between times: in the narrowest chart a time is a tenth of it, and the outer two begin at the edges."""
_SOAK_SHARE = 0.22
"""How much of the width a soak gets that is longer than this share of everything: a day of calm would hide an hour of decisions."""


@dataclass(frozen=True, slots=True)
class Label:
    """Text at a place along an axis, in percent of it; `edge` is start, end or middle."""

    percent: float
    text: str
    edge: str = "middle"


@dataclass(frozen=True, slots=True)
class Line:
    """A drawn line and what it is: `kind` is its class. `band` is the closed shape of its interval, empty for none."""

    kind: str
    name: str
    path: str
    band: str = ""


@dataclass(frozen=True, slots=True)
class Stripe:
    """A phase as a piece of the strip below a chart, in percent of the width."""

    phase: Phase
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """`text` says in words what the picture shows; it is what a screen reader reads."""

    title: str
    text: str
    lines: tuple[Line, ...]
    x_labels: tuple[Label, ...]
    y_labels: tuple[Label, ...]
    marks: tuple[Label, ...]


class TimeScale:
    """Seconds to percent of the width; a long soak is compressed, and `marks` say where that begins."""

    def __init__(self, story: Story, since: int | None = None) -> None:
        self.since = story.moments[0].event.at if since is None else since
        self.until = max(story.until, self.since + 60)
        soak = next((span.since for span in story.spans if span.phase is Phase.SOAKING), None)
        whole = self.until - self.since
        self.fold = soak if soak is not None and (self.until - soak) > _SOAK_SHARE * whole else None
        self._before = 1.0 if self.fold is None else 1 - _SOAK_SHARE

    def percent(self, at: int) -> float:
        at = min(max(at, self.since), self.until)
        if self.fold is None or at <= self.fold:
            end = self.until if self.fold is None else self.fold
            return round(100 * self._before * (at - self.since) / max(1, end - self.since), 2)
        return round(100 * (self._before + (1 - self._before) * (at - self.fold) / (self.until - self.fold)), 2)

    def labels(self) -> tuple[Label, ...]:
        """A handful of round times before the fold, and the end."""
        end = self.until if self.fold is None else self.fold
        step = next((s for s in _STEPS if (end - self.since) / s <= 5), _STEPS[-1])
        first = -(-self.since // step) * step
        inner = [Label(self.percent(at), _clock(at)) for at in range(first, end, step)]
        latest = 100 - _APART if self.fold is None else 100 * self._before - _APART
        outer = (_clock(self.since), _clock(self.until))
        kept = [label for label in inner if _APART <= label.percent <= latest and label.text not in outer]
        last = Label(100, _clock(self.until), "end")
        folded = () if self.fold is None else (Label(self.percent(self.fold), _clock(self.fold)),)
        return (Label(0, _clock(self.since), "start"), *kept, *folded, last)

    def marks(self) -> tuple[Label, ...]:
        return () if self.fold is None else (Label(self.percent(self.fold), "soak, shortened"),)


_STEPS = tuple(60 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440))


def traffic(story: Story, scale: TimeScale) -> Chart:
    """The canary's weight: what was asked for, and what requests really did."""
    top = _ceiling(max([story.highest_parts, *(parts for _, parts in story.actual)]))
    asked = [(scale.percent(at), 1 - parts / top) for at, parts in story.asked]
    actual = [(scale.percent(at + 30), 1 - parts / top) for at, parts in story.actual]
    lines = [Line("asked", "asked for", _steps(asked))]
    if actual:
        lines.insert(0, Line("canary", "share of requests", _polyline(actual), _under(actual)))
    levels = sorted({parts for _, parts in story.asked if 0 < parts <= top} | {0, top})
    text = (
        f"The canary was asked to take {_listed([percent_text(p) for p in _changes(story.asked)])}; "
        f"its highest share was {percent_text(story.highest_parts)}."
    )
    return Chart("Traffic to the canary", text, tuple(lines), scale.labels(), _spread(levels, top), scale.marks())


def rates(found: Series, scale: TimeScale) -> Chart:
    """One metric of both slots. Rates have bands (95 %), latencies do not; nor has what never happened, of which a picture would be
    all band: its table has the intervals.
    """
    sides = [side for p in found.points for side in (p.canary, p.stable) if side is not None]
    never = found.is_rate and not any(isinstance(side, Rate) and side.events for side in sides)
    highest = 0.0 if never else max(map(_top, sides), default=0.0)
    top = _round_up(highest * (1 if found.is_rate else _HEADROOM) or (0.01 if found.is_rate else 0.1))
    lines = tuple(_line(found, side, top, scale) for side in ("canary", "stable"))
    if never:
        lines = tuple(replace(line, band="") for line in lines)
    unit = _share if found.is_rate else _seconds
    labels = tuple(Label(100 * (1 - i / 2), unit(top * i / 2)) for i in range(3))
    title = f"{found.title}: none on either side" if never and sides else found.title
    return Chart(title, _spoken(found, unit), lines, scale.labels(), labels, scale.marks())


def stripes(story: Story, scale: TimeScale) -> tuple[Stripe, ...]:
    return tuple(
        Stripe(s.phase, scale.percent(s.since), round(scale.percent(s.until) - scale.percent(s.since), 2))
        for s in story.spans
        if s.until > s.since
    )


def _line(found: Series, side: str, top: float, scale: TimeScale) -> Line:
    value: Callable[[Point], Rate | float | None] = lambda point: getattr(point, side)  # noqa: E731
    drawn = [(scale.percent(p.at + 30), v) for p in found.points if (v := value(p)) is not None]
    path = _polyline([(x, 1 - _middle(v) / top) for x, v in drawn])
    bounds = [(x, v) for x, v in drawn if isinstance(v, Rate)]
    upper = [(x, 1 - min(v.high, top) / top) for x, v in bounds]
    lower = [(x, 1 - v.low / top) for x, v in reversed(bounds)]
    return Line(side, side, path, f"{_polyline([*upper, *lower])}Z" if bounds else "")


def _middle(value: Rate | float) -> float:
    return value.share if isinstance(value, Rate) else value


def _top(value: Rate | float) -> float:
    """How high a chart must reach: not to the top of every interval, or a minute with three requests would flatten all else."""
    return min(value.high, 3 * value.share + 0.002) if isinstance(value, Rate) else value


def _spoken(found: Series, unit: Callable[[float], str]) -> str:
    said = []
    for side in ("canary", "stable"):
        values = [_middle(v) for p in found.points if (v := getattr(p, side)) is not None]
        said.append(f"{side} from {unit(min(values))} to {unit(max(values))}" if values else f"nothing from {side}")
    return f"{found.metric}: {'; '.join(said)}."


def _polyline(points: Iterable[tuple[float, float]]) -> str:
    """x in percent, y as a share of the height from the top."""
    return "".join(f"{'L' if i else 'M'}{x * BOX / 100:.0f} {y * BOX:.0f}" for i, (x, y) in enumerate(points))


def _steps(points: Sequence[tuple[float, float]]) -> str:
    path = f"M{points[0][0] * BOX / 100:.0f} {points[0][1] * BOX:.0f}"
    return path + "".join(f"H{x * BOX / 100:.0f}V{y * BOX:.0f}" for x, y in points[1:])


def _under(points: Sequence[tuple[float, float]]) -> str:
    """The area between a line and the ground."""
    return _polyline([(points[0][0], 1), *points, (points[-1][0], 1)]) + "Z"


def _changes(asked: Iterable[tuple[int, int]]) -> list[int]:
    """The weights in order, without repetitions."""
    found: list[int] = []
    for _, parts in asked:
        if not found or found[-1] != parts:
            found.append(parts)
    return found


def _ceiling(highest: int) -> int:
    """How high the chart goes: to 100 %, or where the rollout never got far, to a round share above it."""
    return next((parts for parts in (200, 500, 1000, 2000) if highest <= parts * 0.75), WHOLE)


def _spread(levels: Sequence[int], top: int) -> tuple[Label, ...]:
    """Labels at least 11 % apart, so that 1 % and 5 % do not stand on each other; the top and nothing always."""
    kept: list[int] = []
    for parts in levels:
        if parts in (0, top) or (parts - (kept[-1] if kept else 0) >= 0.11 * top and top - parts >= 0.11 * top):
            kept.append(parts)
    return tuple(Label(100 * (1 - parts / top), percent_text(parts)) for parts in kept)


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5 or 10 times a power of ten: its half is a round number too."""
    power = 10.0 ** (len(f"{int(value)}") - 1) if value >= 1 else 1.0
    while value < power:
        power /= 10
    return next(power * factor for factor in (1, 2, 4, 5, 10) if value <= power * factor * 1.0000001)


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"


def _seconds(value: float) -> str:
    return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else "".join(words)
