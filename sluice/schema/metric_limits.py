"""What the kinds of metrics have in common: names, directions, what is tolerated, rails, and how they are judged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sluice.core.rows import MOST_SECONDS
from sluice.schema.values import (
    Duration,
    Factor,
    Percentage,
    Ratio,
    Share,
    Strict,
    Wrong,
    at_least,
    lasting,
    matching,
    pattern_schema,
)

_CLOUDWATCH_NAME = r"[!-9;-~]([ -~]{0,253}[!-~])?"

CloudWatchName = Annotated[
    str,
    matching(_CLOUDWATCH_NAME, "must be 1 to 255 printable ASCII characters that do not begin with a colon"),
    pattern_schema(_CLOUDWATCH_NAME),
]
Direction = Literal["high", "low"]
_LONGEST_LAG_SECONDS = MOST_SECONDS - 86400
"""A look reads the minutes of three days: so the latest metric still has a day of them."""


def _read(value: int) -> int:
    if value > _LONGEST_LAG_SECONDS:
        raise Wrong(
            "must be at most 2d", "a look reads the minutes of the last three days: one day of them must be old enough"
        )
    return value


Lag = Annotated[Duration, AfterValidator(_read)]


class Tolerance(Strict):
    """What is never punished: the larger of the two."""

    ratio: Ratio | None = Field(default=None, examples=[1.1])
    """Of the canary's value to stable's: 1.10 lets it be a tenth higher, 0.99 a hundredth lower."""
    absolute: Share = 0.0
    """A difference of the two rates: 0.0002 is two in ten thousand."""


class RatioTolerance(Strict):
    """What is never punished."""

    ratio: Ratio | None = Field(default=None, examples=[1.3])
    """Of the canary's value to stable's."""


class RateRail(Strict):
    """Harmful when the canary's rate is above both."""

    rate: Percentage
    """An absolute limit."""
    versus_stable: Factor
    """A multiple of stable's rate now."""


class LatencyRail(Strict):
    """Harmful when the canary is so much slower than stable."""

    versus_stable: Factor
    """A multiple: of stable's p90 for the alarm, of its p99 for the judge, who lets 5 % of the requests be slower than that."""


class LevelRail(Strict):
    """Harmful when the canary stays beyond a level and stable does not."""

    level: float
    """In the metric's own unit."""
    for_: Annotated[Duration, at_least("1m", "metrics come by the minute")] = Field(alias="for", examples=["10m"])
    """For so long without a break."""


class Judged(Strict):
    """What metrics of every kind may say about how they are judged."""

    observe: bool = False
    """Judge it and show what it would have done, but never act on it."""


class Shared(Judged):
    """What metrics that are compared with stable may say."""

    share: Share | None = None
    """Its part of the false-rollback budget; 0 shows it without judging. Metrics that do not say share what the others leave."""
    detect: Ratio | None = None
    """The ratio to stable's value that the forecast must be able to see."""
    lag: Lag = lasting("0s")
    """How much later than others its minutes are complete: for outcomes that come after the request."""


def _is_toward(bad: str, ratio: float | None) -> bool:
    """Whether a ratio lies on the bad side of 1, or on it."""
    return ratio is None or (ratio >= 1 if bad == "high" else 0 < ratio <= 1)


def check_direction(bad: str, tolerated: float | None, detected: float | None) -> None:
    """Raises Wrong where the tolerated ratio, or the one to detect, is on the wrong side."""
    side = "at least 1" if bad == "high" else "at most 1"
    if not _is_toward(bad, tolerated):
        raise Wrong(f"tolerate.ratio must be {side} where bad is {bad}, got {tolerated:g}")
    beyond = detected is None or (detected > (tolerated or 1) if bad == "high" else detected < (tolerated or 1))
    if not beyond:
        raise Wrong(f"detect must be beyond what is tolerated ({tolerated or 1:g}, bad is {bad}), got {detected:g}")
