"""What a rollout policy document may say: its keys, their types and limits, and why. Order and sum of the steps are checked in `policy`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from sluice.core.names import ALARM_ROOT
from sluice.schema.conditions_document import Approval, Freezes, Hooks, NoneOr, without_none
from sluice.schema.metric_document import Metric, Rate
from sluice.schema.metric_limits import Shared
from sluice.schema.required_document import Required
from sluice.schema.values import (
    Duration,
    Percentage,
    Ratio,
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

_ALARM_NAME = r"[^\x00-\x1f\x7f]{1,255}"
_METRIC_NAME = r"[A-Za-z0-9_.-]{1,60}"
_RAIL_SUFFIX = "-rail"
_EXACT = 1e-9
_LONGEST_PAUSE_SECONDS = 86400
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


def _brief(value: int) -> int:
    if value > _LONGEST_PAUSE_SECONDS:
        raise Wrong("must be at most 24h", "nothing would be compared before that")
    return value


Brief = Annotated[Duration, AfterValidator(_brief)]


def _dispersed(value: object) -> float | None:
    if value == "auto":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1000:
        raise Wrong("must be auto or a number from 1 (as by chance) to 1000")
    return float(value)


Dispersion = Annotated[
    float | None,
    BeforeValidator(_dispersed),
    WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "number", "minimum": 1, "maximum": 1000}]}),
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
    prove: dict[str, Ratio] = Field(default_factory=dict, examples=[{"errors": 2.5, "latency": 1.41}])
    """By metric: the ratio to stable's value that must be ruled out before the next step. Unsaid: `min_samples` is enough."""
    on_inconclusive: Literal["advance", "hold", "rollback", "pause"] = "hold"
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
    warmup: Brief = lasting("2m")
    """Rates and means are compared from so long after the first exposure on. Rails count at once."""
    settle: Brief = lasting("5m")
    """Latency is compared from so long after each change of weight on: models start cold."""
    false_rollback_budget: Percentage = Field(default=0.05, json_schema_extra={"default": "5%"})
    """How often a rollout of a harmless release may be taken back by comparison."""
    sustain: Annotated[Brief, at_least("1m", "metrics come by the minute")] = lasting("3m")
    """No comparison takes the canary back sooner than after about so many minutes that agree."""
    dispersion: Dispersion = Field(default=None, json_schema_extra={"default": "auto"})
    """How much more than by chance counts scatter: learnt in flight, or a number from `calibrate`."""


def _counts_requests(metrics: dict[str, Metric]) -> dict[str, Metric]:
    rates = [metric for metric in metrics.values() if isinstance(metric, Rate)]
    if not rates:
        raise Wrong("must hold a metric of kind rate, got none", "its trials are the requests that min_samples counts")
    if not any(metric.rail for metric in rates):
        raise Wrong(
            "must hold a metric of kind rate with a rail, got none",
            "its alarm takes the canary back when nothing else runs; for example `rail: {rate: 5%, versus_stable: 2.0}`",
        )
    return metrics


def _within_budget(metrics: dict[str, Metric]) -> dict[str, Metric]:
    given = [metric.share for metric in metrics.values() if isinstance(metric, Shared) and not metric.observe]
    total = sum(share for share in given if share is not None)
    if total > 1 + _EXACT:
        raise Wrong(f"shares must sum to at most 1, got {total:g}")
    if None in given and total > 1 - _EXACT:
        raise Wrong(
            f"shares must leave something to the metrics without one, got {total:g}", "give every metric a share"
        )
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
    """Whether the old release stays warm, and billed, or its slot is given up and built anew for a way back: see `sluice plan`."""
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
    required: Required = Field(default_factory=Required)
    """What a release has to bring before it is tried."""
    judge: Judge = Field(default_factory=Judge)
    """How metrics are read."""
    harm_budget: Annotated[int, Field(ge=1, le=10**9)] | None = None
    """Excess bad requests a step below 100 may cost, in the worst case the evidence leaves open, until it is taken back. A step's weight
    is then a limit: it begins with the largest weight that keeps to the budget. Needs `rps` of the endpoint."""
    metrics: Annotated[dict[MetricName, Metric], AfterValidator(_counts_requests), AfterValidator(_within_budget)] = (
        Field(
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
    )
    """What is judged, by name."""
    alarms: Annotated[tuple[OtherAlarm, ...], AfterValidator(_once_each)] = Field(
        default=(), max_length=_MOST_ALARMS, strict=False, examples=[["checkout-latency"]]
    )
    """CloudWatch alarms of your own that take the canary back, without asking whether stable is as bad."""
