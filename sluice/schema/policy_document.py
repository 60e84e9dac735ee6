"""What a rollout policy document may say: its keys, their types and limits, and why. Order and sum of the steps are checked in `policy`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from sluice.core.names import ALARM_ROOT
from sluice.schema.conditions_document import Approval, Freezes, Hooks, NoneOr, without_none
from sluice.schema.values import (
    Duration,
    Factor,
    Percentage,
    Strict,
    VersionOne,
    WeightParts,
    Wrong,
    at_least,
    lasting,
    matching,
    pattern_schema,
    written,
)

SAGEMAKER_NAMESPACE = "AWS/SageMaker"
_CLOUDWATCH_NAME = r"[!-9;-~]([ -~]{0,253}[!-~])?"
_ALARM_NAME = r"[^\x00-\x1f\x7f]{1,255}"
_METRIC_NAME = r"[A-Za-z0-9_.-]{1,60}"
_RAIL_SUFFIX = "-rail"
MOST_STEPS = 50
MOST_GATES = 3
_MOST_METRICS = 20
_MOST_ALARMS = 20
"""All of them bound the snapshot: the record of an endpoint has to fit into one item of the table (400 KB)."""


def _not_ours(value: str) -> str:
    if value.startswith(f"{ALARM_ROOT}/"):
        raise Wrong("must be an alarm of your own", "those that Sluice makes are watched without being listed")
    return value


def _not_a_rails(value: str) -> str:
    if value.endswith(_RAIL_SUFFIX):
        raise Wrong(f"must not end in {_RAIL_SUFFIX}, which marks the alarms of rails")
    return value


CloudWatchName = Annotated[
    str,
    matching(_CLOUDWATCH_NAME, "must be 1 to 255 printable ASCII characters that do not begin with a colon"),
    pattern_schema(_CLOUDWATCH_NAME),
]
MetricName = Annotated[
    str,
    matching(
        _METRIC_NAME, "must be 1 to 60 letters, digits, dots, dashes or underscores", "its alarms are named after it"
    ),
    AfterValidator(_not_a_rails),
    pattern_schema(_METRIC_NAME),
]
OtherAlarm = Annotated[
    str,
    matching(_ALARM_NAME, "must be the name of a CloudWatch alarm: 1 to 255 characters, no control characters"),
    AfterValidator(_not_ours),
    pattern_schema(_ALARM_NAME),
]


class Bake(Strict):
    """How long a step is watched."""

    min: Duration
    """At least this long, also when the evidence is there sooner."""
    max: Annotated[Duration, at_least("1m", "metrics come by the minute")]
    """When this is over, `on_inconclusive` says what happens."""

    @field_validator("max")
    @classmethod
    def _not_below_min(cls, value: int, others: ValidationInfo) -> int:
        shortest = others.data.get("min", 0)
        if value < shortest:
            raise Wrong(f"must not be below min ({written(shortest)})")
        return value


class Step(Strict):
    """One weight and how long it is watched."""

    weight: WeightParts
    """Percent of all requests, from 0.01; each step above the one before it, the last one 100."""
    bake: Bake | None = Field(default=None, examples=[{"min": "10m", "max": "30m"}])
    """How long to watch this weight: on every step but the last."""
    on_inconclusive: Literal["advance", "hold", "rollback"] = "hold"
    """When the longest bake is over and harm is neither seen nor ruled out. `min_samples` is needed either way."""
    approval: Annotated[Approval | None, NoneOr] = Field(default=None, json_schema_extra=without_none)
    """Who has to agree before this step begins; `none` for nobody."""
    gates: Hooks = Field(default=(), max_length=MOST_GATES, strict=False)
    """Code of yours that has to agree before this step begins. No answer is no."""


class SharedIncident(Strict):
    """What happens when stable itself is over the rail: the canary cannot be blamed alone."""

    action: Literal["hold"] = "hold"
    """Stay at this weight."""
    then: Literal["rollback", "hold"] = "rollback"
    """What the hold turns into when it lasts."""
    after: Duration = lasting("15m")
    """How long a shared incident may last."""


class Rollback(Strict):
    """The promise made about rolling back."""

    target: Annotated[Duration, at_least("10s", "the delivery of an alarm takes seconds")] = lasting("2m")
    """A rehearsed rollback that takes longer refuses the first step."""
    max_blind: Annotated[Duration, at_least("5m", "an ordinary pause between ticks would look like blindness")] = (
        lasting("10m")
    )
    """Without one good look for so long, the canary is taken back."""
    cooldown: Duration = lasting("24h")
    """How long a model that did harm is refused."""


class Judge(Strict):
    """How metrics are read."""

    data_lag: Duration = lasting("2m")
    """Minutes younger than this are not judged: metrics arrive late."""


class RateRail(Strict):
    """Harmful when the canary's rate is above both."""

    rate: Percentage
    """An absolute limit."""
    versus_stable: Factor
    """A multiple of stable's rate now."""


class LatencyRail(Strict):
    """Harmful when the canary is so much slower than stable."""

    versus_stable: Factor
    """A multiple of stable's p90 now."""


class Rate(Strict):
    """Events among trials, both counted per slot and minute."""

    kind: Literal["rate"]
    events: CloudWatchName = Field(examples=["Invocation5XXErrors"])
    """The CloudWatch metric that counts what must stay rare."""
    trials: CloudWatchName = Field(examples=["Invocations"])
    """The CloudWatch metric that counts the requests."""
    namespace: CloudWatchName = SAGEMAKER_NAMESPACE
    """Where both are; their dimensions are EndpointName and VariantName."""
    bad: Literal["high"] = "high"
    """Which direction is bad."""
    rail: RateRail = Field(examples=[{"rate": "5%", "versus_stable": 2.0}])
    """The hard limit."""

    @field_validator("trials")
    @classmethod
    def _not_the_events(cls, value: str, others: ValidationInfo) -> str:
        if value == others.data.get("events"):
            raise Wrong("must be another metric than events", "every request would count as an event")
        return value


class Quantiles(Strict):
    """A latency distribution per slot and minute."""

    kind: Literal["quantiles"]
    metric: CloudWatchName = Field(examples=["ModelLatency"])
    """The CloudWatch metric, in microseconds."""
    namespace: CloudWatchName = SAGEMAKER_NAMESPACE
    """Where it is; its dimensions are EndpointName and VariantName."""
    rail: LatencyRail = Field(examples=[{"versus_stable": 3.0}])
    """The hard limit."""


Metric = Annotated[Rate | Quantiles, Field(discriminator="kind")]


def _counts_requests(metrics: dict[str, Rate | Quantiles]) -> dict[str, Rate | Quantiles]:
    if not any(isinstance(metric, Rate) for metric in metrics.values()):
        raise Wrong("must hold a metric of kind rate, got none", "its trials are the requests that min_samples counts")
    return metrics


def _once_each(alarms: tuple[str, ...]) -> tuple[str, ...]:
    for alarm in alarms:
        if alarms.count(alarm) > 1:
            raise Wrong(f"must name each alarm once, got {alarm!r} {alarms.count(alarm)} times")
    return alarms


class Policy(Strict):
    """A rollout policy of Sluice: how a release takes over an endpoint, and what takes it back."""

    version: VersionOne = Field(examples=[1])
    """Of this format."""
    steps: tuple[Step, ...] = Field(min_length=1, max_length=MOST_STEPS, strict=False, examples=[[{"weight": 100}]])
    """Weights in rising order; the last one is 100."""
    min_samples: int = Field(ge=1, le=10**9, examples=[100])
    """Requests the canary must have answered in a step before the next one. Never skipped."""
    soak: Annotated[Duration, at_least("1m", "metrics come by the minute")] = Field(examples=["24h"])
    """How long the old release stays warm, and every alarm armed, after the new one serves everything."""
    after_soak: Literal["standby", "retire"] = "standby"
    """Whether the old release stays warm (back in seconds) or its slot is given up (back in minutes)."""
    evidence_for: Duration = lasting("24h")
    """How long the slot of a failed canary is kept for people to look at."""
    max_hold: Annotated[Duration, at_least("5m", "nobody could react before the rollback")] = lasting("24h")
    """How long a hold or a pause may last before the canary is taken back."""
    on_breach: Literal["rollback", "hold"] = "rollback"
    """What harm does: take the canary back, or hold it and page people, who have `max_hold` to decide."""
    on_new_release: Literal["reject", "queue", "supersede"] = "reject"
    """What another release does that is submitted meanwhile: refused, tried afterwards, or tried instead (before promotion)."""
    freeze: Freezes = Field(default=(), strict=False, examples=[[{"name": "weekend", "days": ["sat", "sun"]}]])
    """Times without steps up. Rolling back is never frozen."""
    on_rollback: Hooks = Field(default=(), max_length=MOST_GATES, strict=False)
    """Code of yours to call once a rollback is done: after the weights are back, never before."""
    on_shared_incident: SharedIncident = Field(default_factory=SharedIncident)
    """When stable itself is over the rail."""
    rollback: Rollback = Field(default_factory=Rollback)
    """The promise about rolling back."""
    judge: Judge = Field(default_factory=Judge)
    """How metrics are read."""
    metrics: Annotated[dict[MetricName, Metric], AfterValidator(_counts_requests)] = Field(
        max_length=_MOST_METRICS,
        examples=[
            {
                "errors": {
                    "kind": "rate",
                    "events": "Invocation5XXErrors",
                    "trials": "Invocations",
                    "rail": {"rate": "5%", "versus_stable": 2.0},
                }
            }
        ],
    )
    """What is judged, by name."""
    alarms: Annotated[tuple[OtherAlarm, ...], AfterValidator(_once_each)] = Field(
        default=(), max_length=_MOST_ALARMS, strict=False, examples=[["checkout-latency"]]
    )
    """CloudWatch alarms of your own that take the canary back, without asking whether stable is as bad."""
