"""What a metric of a rollout policy may say: four kinds, their limits, and why. Defaults that depend on others are given in `metric`."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

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

SAGEMAKER_NAMESPACE = "AWS/SageMaker"
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"
_CLOUDWATCH_NAME = r"[!-9;-~]([ -~]{0,253}[!-~])?"
_EXACT = 1e-9
_MOST_RANGE = 65_536

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


def _check_direction(bad: str, tolerated: float | None, detected: float | None) -> None:
    side = "at least 1" if bad == "high" else "at most 1"
    if not _is_toward(bad, tolerated):
        raise Wrong(f"tolerate.ratio must be {side} where bad is {bad}, got {tolerated:g}")
    beyond = detected is None or (detected > (tolerated or 1) if bad == "high" else detected < (tolerated or 1))
    if not beyond:
        raise Wrong(f"detect must be beyond what is tolerated ({tolerated or 1:g}, bad is {bad}), got {detected:g}")


class Rate(Shared):
    """Events among trials, both counted per slot and minute."""

    kind: Literal["rate"]
    events: CloudWatchName = Field(examples=["Invocation5XXErrors"])
    """The CloudWatch metric that counts what must stay rare, or must not become rare."""
    trials: CloudWatchName = Field(examples=["Invocations"])
    """The CloudWatch metric that counts the requests."""
    namespace: CloudWatchName = SAGEMAKER_NAMESPACE
    """Where both are; their dimensions are EndpointName and VariantName. `outcomes`: where the stack's applications record."""
    bad: Direction = "high"
    """Which direction is bad."""
    tolerate: Tolerance = Field(default_factory=Tolerance, examples=[{"ratio": 1.1, "absolute": 0.0002}])
    """What is never punished; unsaid, a ratio of 1.10 and 0.0002 where high is bad, and of 0.99 where low is bad."""
    rail: RateRail | None = Field(default=None, examples=[{"rate": "5%", "versus_stable": 2.0}])
    """The hard limit, obeyed from the first minute. Only where high is bad."""
    slo: Percentage | None = Field(default=None, examples=["99.9%"])
    """The share of trials that must be good over a month: the whole endpoint burning through it holds the rollout."""
    segment: CloudWatchName | None = Field(default=None, examples=["country"])
    """A dimension that the metric is also published with: each of its values is judged too."""

    @field_validator("trials")
    @classmethod
    def _not_the_events(cls, value: str, others: ValidationInfo) -> str:
        if value == others.data.get("events"):
            raise Wrong("must be another metric than events", "every request would count as an event")
        return value

    @field_validator("rail", "slo")
    @classmethod
    def _only_where_high_is_bad(cls, value: RateRail | float | None, others: ValidationInfo) -> RateRail | float | None:
        if value is not None and others.data.get("bad") == "low":
            raise Wrong("must be left out where bad is low", "a limit from above says nothing about too few")
        return value

    @model_validator(mode="after")
    def _one_direction(self) -> Rate:
        _check_direction(self.bad, self.tolerate.ratio, self.detect)
        return self


class Weights(Strict):
    """How much each quantile counts; together 1."""

    p50: Share = 0.0
    """Of the median."""
    p90: Share = 0.0
    """Of the slowest tenth."""
    p99: Share = 0.0
    """Of the slowest hundredth."""


class Histogram(Strict):
    """Latencies as the application records them (`sluice.client`), for where CloudWatch counts no requests over a limit."""

    name: Annotated[CloudWatchName, Field(max_length=200)] = Field(examples=["AnswerTime"])
    """What the application calls it."""
    from_ms: Annotated[float, Field(ge=0.1, le=600_000)] = Field(examples=[5])
    """Below the quickest tenth of stable's answers; the application says the same or less."""
    to_ms: Annotated[float, Field(ge=0.1, le=600_000)] = Field(examples=[2000])
    """Above four times stable's p99, or slower answers are not told apart; the application says the same or more."""
    namespace: CloudWatchName = "outcomes"
    """Where it is; its dimensions are EndpointName and VariantName. `outcomes`: where the stack's applications record."""
    use: Literal["fallback", "always"] = "fallback"
    """`fallback`: in minutes in which CloudWatch answers no trimmed counts of `metric`. `always`: even where it does."""

    @field_validator("to_ms")
    @classmethod
    def _a_few_doublings(cls, value: float, others: ValidationInfo) -> float:
        lowest = others.data.get("from_ms")
        if lowest is not None and not 2 * lowest <= value <= _MOST_RANGE * lowest:
            raise Wrong(
                f"must be 2 to {_MOST_RANGE} times from_ms ({lowest:g})",
                "each doubling takes five CloudWatch metrics a slot",
            )
        return value


class Quantiles(Shared):
    """A latency distribution per slot and minute; high is bad."""

    kind: Literal["quantiles"]
    metric: CloudWatchName = Field(examples=["ModelLatency"])
    """The CloudWatch metric, in microseconds."""
    namespace: CloudWatchName = SAGEMAKER_NAMESPACE
    """Where it is; its dimensions are EndpointName and VariantName."""
    quantiles: Weights = Field(
        default_factory=lambda: Weights(p50=0.2, p90=0.4, p99=0.4), examples=[{"p50": 0.2, "p90": 0.4, "p99": 0.4}]
    )
    """Which quantiles are compared, and how much each counts."""
    tolerate: RatioTolerance = Field(default_factory=RatioTolerance, examples=[{"ratio": 1.3}])
    """What is never punished; unsaid, a ratio of 1.30."""
    rail: LatencyRail | None = Field(default=None, examples=[{"versus_stable": 3.0}])
    """The hard limit, obeyed from the first minute."""
    histogram: Histogram | None = Field(default=None, examples=[{"name": "AnswerTime", "from_ms": 5, "to_ms": 2000}])
    """Where else the latencies are counted. Unsaid, only by CloudWatch."""

    @field_validator("quantiles")
    @classmethod
    def _whole(cls, value: Weights) -> Weights:
        total = value.p50 + value.p90 + value.p99
        if not math.isclose(total, 1, abs_tol=_EXACT):
            raise Wrong(f"must sum to 1, got {total:g}")
        return value

    @model_validator(mode="after")
    def _one_direction(self) -> Quantiles:
        _check_direction("high", self.tolerate.ratio, self.detect)
        return self


class Mean(Shared):
    """A mean per slot and minute, such as revenue an order, from three published sums."""

    kind: Literal["mean"]
    count: CloudWatchName = Field(examples=["Orders_n"])
    """The CloudWatch metric that counts the observations."""
    sum: CloudWatchName = Field(examples=["Orders_sum"])
    """Their total."""
    sumsq: CloudWatchName = Field(examples=["Orders_sumsq"])
    """The total of their squares: CloudWatch keeps none itself."""
    namespace: CloudWatchName = SAGEMAKER_NAMESPACE
    """Where all three are; their dimensions are EndpointName and VariantName. `outcomes`: where the stack's applications record."""
    bad: Direction = "low"
    """Which direction is bad."""
    tolerate: RatioTolerance = Field(default_factory=RatioTolerance, examples=[{"ratio": 0.97}])
    """What is never punished; unsaid, a ratio of 0.97 where low is bad, and of 1.03 where high is bad."""

    @model_validator(mode="after")
    def _one_direction(self) -> Mean:
        _check_direction(self.bad, self.tolerate.ratio, self.detect)
        if len({self.count, self.sum, self.sumsq}) < 3:
            raise Wrong(f"count, sum and sumsq must be three metrics, got {self.count}, {self.sum} and {self.sumsq}")
        return self


class Level(Judged):
    """A gauge per slot and minute, such as the use of a GPU. It is not compared: it has a limit."""

    kind: Literal["level"]
    metric: CloudWatchName = Field(examples=["GPUUtilization"])
    """The CloudWatch metric; its minute's average counts."""
    namespace: CloudWatchName = INSTANCE_NAMESPACE
    """Where it is; its dimensions are EndpointName and VariantName."""
    bad: Direction = "high"
    """Which direction is bad."""
    rail: LevelRail = Field(examples=[{"level": 90, "for": "10m"}])
    """The limit."""


Metric = Annotated[Rate | Quantiles | Mean | Level, Field(discriminator="kind")]
