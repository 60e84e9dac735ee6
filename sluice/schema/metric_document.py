"""What a metric of a rollout policy may say: four kinds. Defaults that depend on others are given in `metric`."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sluice.schema.metric_limits import (
    CloudWatchName,
    Direction,
    Judged,
    LatencyRail,
    LevelRail,
    RateRail,
    RatioTolerance,
    Shared,
    Tolerance,
    check_direction,
)
from sluice.schema.values import Percentage, Share, Strict, Wrong

SAGEMAKER_NAMESPACE = "AWS/SageMaker"
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"
_EXACT = 1e-9
_MOST_RANGE = 65_536


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
        check_direction(self.bad, self.tolerate.ratio, self.detect)
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
        check_direction("high", self.tolerate.ratio, self.detect)
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
        check_direction(self.bad, self.tolerate.ratio, self.detect)
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
