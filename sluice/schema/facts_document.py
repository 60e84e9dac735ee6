"""What facts.json holds: what an AWS account was seen to do, one typed answer per question of `sluice probe`.

An answer says only what was seen. What follows from it is decided by who reads it: the sandbox, and `sluice.schema.facts`.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import ConfigDict, Field, model_validator

from sluice.schema.values import Strict, VersionOne, Wrong

LONGEST_SECONDS = 4 * 3600
"""No operation the probe waits for takes longer."""

Seconds = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]
ManySeconds = Annotated[tuple[Seconds, ...], Field(min_length=1, max_length=100, strict=False)]
Missing = Literal["as_zero", "dropped", "otherwise"]
"""What became of a side that has no data point: it counted as 0, the point was left out, or neither of the two."""


class Duration(Strict):
    """How long one operation took, from the call to the state it asks for."""

    seconds: Seconds


class WeightCalls(Strict):
    """Several weights-only calls: until `InService` again, and until every current weight was read back as asked."""

    in_service_seconds: ManySeconds
    read_back_seconds: ManySeconds


class Refusal(Strict):
    """A call that could have been refused, with the error as it came."""

    accepted: bool
    code: str = ""
    message: str = ""


class BusyCall(Refusal):
    """`recognised`: the control plane takes the error for a busy endpoint, and tries again instead of failing."""

    recognised: bool


class ZeroWeights(Refusal):
    """`served`: with all weights zero, a request without target was still answered; nothing where the call was refused."""

    served: bool | None = None


class SmallWeights(Strict):
    """Weights as asked for and as DescribeEndpoint then showed them, in the same order."""

    asked: Annotated[tuple[float, ...], Field(min_length=1, strict=False)]
    read_back: Annotated[tuple[float, ...], Field(min_length=1, strict=False)]
    kept_as: Literal["exact", "float32", "otherwise"]


class AddedSlot(Duration):
    """UpdateEndpoint with RetainAllVariantProperties and one variant more."""

    weight_kept: bool
    count_kept: bool
    new_weight: float
    on_new_config: bool


class GuardedUpdate(Duration):
    """UpdateEndpoint with a DeploymentConfig that names a rollback alarm: is it the same endpoint afterwards?"""

    endpoint_kept: bool
    on_new_config: bool


class TrimmedCounts(Strict):
    """TC(:x), TC(x:) and PR(:x) on ModelLatency. `adds_up`: both counts together are SampleCount."""

    answered: bool
    adds_up: bool
    rank_agrees: bool
    message: str = ""


class FineMetrics(Refusal):
    """An endpoint configuration with 10 s metrics, and the finest spacing of Invocations that was then seen."""

    finest_seconds: Annotated[int, Field(ge=1, le=3600)] | None = None


class MetricMath(Strict):
    """Arithmetic and comparisons where one of two series lacks a point, or has none at all."""

    missing_side: Missing
    compared_with_missing: Missing
    empty_side: Missing
    compared_with_empty: Missing
    guard_on_empty: Literal["stays_down", "goes_off", "no_points"]
    divided_by_zero: Literal["dropped", "kept"]
    filled_empty: Missing


class AlarmClock(Strict):
    """When CloudWatch looked: the second of the minute of a change of state, and how long after the breaching minute ended."""

    second_of_minute: Annotated[float, Field(ge=0, lt=60)]
    after_period_seconds: Annotated[float, Field(ge=-60, le=LONGEST_SECONDS)]


class EventPath(Strict):
    """From an alarm's change of state to the message in the queue, for each of several changes."""

    seconds: ManySeconds


A = TypeVar("A", bound=Strict)


class Fact(Strict, Generic[A]):
    """One question and what came of it: an answer, or why there is none."""

    question: str
    how: str
    at: str
    answer: A | None = None
    unknown: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.answer is None) == (self.unknown is None):
            raise Wrong("must have either `answer` or `unknown` (why there is none), and not both")
        return self


class Facts(Strict):
    """By question. What was not asked is not there."""

    metric_math: Fact[MetricMath] | None = None
    alarm_clock: Fact[AlarmClock] | None = None
    event_path: Fact[EventPath] | None = None
    create_endpoint: Fact[Duration] | None = None
    metric_delay: Fact[Duration] | None = None
    trimmed_counts: Fact[TrimmedCounts] | None = None
    add_slot: Fact[AddedSlot] | None = None
    weight_call: Fact[WeightCalls] | None = None
    busy_call: Fact[BusyCall] | None = None
    zero_weights: Fact[ZeroWeights] | None = None
    small_weights: Fact[SmallWeights] | None = None
    fine_metrics: Fact[FineMetrics] | None = None
    guarded_update: Fact[GuardedUpdate] | None = None
    count_call: Fact[Duration] | None = None
    delete_endpoint: Fact[Duration] | None = None


class FactsDocument(Strict):
    """A whole facts.json."""

    model_config = ConfigDict(populate_by_name=True)

    schema_version: VersionOne = Field(alias="schema")
    run: str
    region: str
    instance_type: str
    image: str
    facts: Facts
