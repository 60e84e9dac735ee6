"""The rollout policy as the core sees it: whole numbers with units, no defaults, nothing left to interpret.

People write YAML; `sluice.schema` turns it into these types and refuses what is wrong. A rollout runs on the snapshot taken
when it was submitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from sluice.core.conditions import Approval, Freeze, Hook, OnBreach, OnNewRelease
from sluice.core.histogram import Histogram


class OnInconclusive(StrEnum):
    """What happens when a step's maximum bake is over and the evidence is not enough. `min_samples` is never skipped."""

    ADVANCE = "advance"
    HOLD = "hold"
    ROLLBACK = "rollback"
    PAUSE = "pause"


class AfterSoak(StrEnum):
    """Whether the old release stays warm at weight 0 (seconds to come back) or its slot is given up (minutes)."""

    STANDBY = "standby"
    RETIRE = "retire"


class IncidentThen(StrEnum):
    """What a shared incident turns into when it lasts: a canary can drag stable down with it."""

    ROLLBACK = "rollback"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Step:
    """One weight, what has to be there before it, and how long it is watched."""

    weight_parts: int
    bake_min_seconds: int
    bake_max_seconds: int
    on_inconclusive: OnInconclusive
    approval: Approval | None = None
    gates: tuple[Hook, ...] = ()
    prove: Mapping[str, float] = field(default_factory=dict)
    """By metric: the ratio of canary to stable that must be ruled out before the next step. A metric not named needs no proof."""


class Bad(StrEnum):
    """Which direction of a metric is harm."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What is never punished: a ratio to stable's value, or a difference of `absolute` (in the metric's own unit), whichever is more."""

    ratio: float
    absolute: float


@dataclass(frozen=True, slots=True)
class Terms:
    """How a metric is judged, whatever its kind.

    `share` is its part of the false-rollback budget (0: shown, not judged); `detect` is the ratio the forecast must be able to
    see; `segment` names a CloudWatch dimension that the metric is also judged by; `observe` judges and shows, but enforces nothing.
    """

    bad: Bad
    share: float
    tolerate: Tolerance
    detect: float | None
    lag_seconds: int
    segment: str | None
    observe: bool


@dataclass(frozen=True, slots=True)
class RateRail:
    """Harmful when the canary's rate is above `rate` and above `versus_stable` times stable's rate."""

    rate: float
    versus_stable: float


@dataclass(frozen=True, slots=True)
class LatencyRail:
    """Harmful when too many of the canary's requests are slower than `versus_stable` times what is slow for stable."""

    versus_stable: float


@dataclass(frozen=True, slots=True)
class LevelRail:
    """Harmful when the canary's level stays beyond `level` for so long and stable's does not."""

    level: float
    for_seconds: int


@dataclass(frozen=True, slots=True)
class RateMetric:
    """Events among trials, both counted per slot and minute in one namespace. `slo` is the share of trials that must be good."""

    kind: Literal["rate"]
    namespace: str
    events: str
    trials: str
    rail: RateRail | None
    slo: float | None
    terms: Terms


@dataclass(frozen=True, slots=True)
class LatencyMetric:
    """A latency distribution per slot and minute, in microseconds. `quantiles` are the weights of p50, p90 and p99; they sum to 1.

    `histogram` is the application's own, for where CloudWatch counts no request over a limit.
    """

    kind: Literal["quantiles"]
    namespace: str
    metric: str
    quantiles: Mapping[str, float]
    rail: LatencyRail | None
    terms: Terms
    histogram: Histogram | None = None


@dataclass(frozen=True, slots=True)
class MeanMetric:
    """A mean per slot and minute, from three published sums: observations, their total, the total of their squares."""

    kind: Literal["mean"]
    namespace: str
    count: str
    sum: str
    sumsq: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class LevelMetric:
    """A gauge per slot and minute, in its own unit. It has a rail and nothing else: its terms carry no share."""

    kind: Literal["level"]
    namespace: str
    metric: str
    rail: LevelRail
    terms: Terms


Metric = RateMetric | LatencyMetric | MeanMetric | LevelMetric


@dataclass(frozen=True, slots=True)
class SharedIncident:
    """How long stable may be over the rail itself before the hold turns into `then`."""

    then: IncidentThen
    after_seconds: int


@dataclass(frozen=True, slots=True)
class Rollback:
    """The promise made about rolling back."""

    target_seconds: int
    max_blind_seconds: int
    cooldown_seconds: int


@dataclass(frozen=True, slots=True)
class Judging:
    """How metrics are read and how sure a soft rollback must be. `dispersion` None: learnt in flight."""

    data_lag_seconds: int
    warmup_seconds: int
    settle_seconds: int
    false_rollback_budget: float
    sustain_seconds: int
    dispersion: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """What a number of a release's evaluation is held against: a limit, and a factor on the number of the release that serves."""

    bad: Bad
    limit: float | None
    versus_stable: float | None


@dataclass(frozen=True, slots=True)
class Required:
    """What a release has to bring to be tried: an approved entry in the model registry, and an evaluation that is good enough."""

    model_package: bool
    evaluation: Mapping[str, Bar]


@dataclass(frozen=True, slots=True)
class Policy:
    """A complete rollout policy."""

    steps: tuple[Step, ...]
    min_samples: int
    soak_seconds: int
    after_soak: AfterSoak
    evidence_for_seconds: int
    max_hold_seconds: int
    on_breach: OnBreach
    on_new_release: OnNewRelease
    freeze: tuple[Freeze, ...]
    on_rollback: tuple[Hook, ...]
    shared_incident: SharedIncident
    rollback: Rollback
    judge: Judging
    harm_budget: int | None
    metrics: Mapping[str, Metric]
    alarms: tuple[str, ...]
    required: Required
