"""The rollout policy as the core sees it: whole numbers with units, no defaults, nothing left to interpret.

People write YAML; `sluice.schema` turns it into these types and refuses what is wrong. A rollout runs on the snapshot taken
when it was submitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sluice.core.conditions import Approval, Freeze, Hook, OnBreach, OnNewRelease


class OnInconclusive(StrEnum):
    """What happens when a step's maximum bake is over and the evidence is not enough. `min_samples` is never skipped."""

    ADVANCE = "advance"
    HOLD = "hold"
    ROLLBACK = "rollback"


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


@dataclass(frozen=True, slots=True)
class RateRail:
    """Harmful when the canary's rate is above `rate` and above `versus_stable` times stable's rate."""

    rate: float
    versus_stable: float


@dataclass(frozen=True, slots=True)
class LatencyRail:
    """Harmful when the canary's p90 is above `versus_stable` times stable's p90."""

    versus_stable: float


@dataclass(frozen=True, slots=True)
class RateMetric:
    """Events among trials, both counted per slot and minute in one namespace."""

    kind: Literal["rate"]
    namespace: str
    events: str
    trials: str
    rail: RateRail


@dataclass(frozen=True, slots=True)
class LatencyMetric:
    """A latency distribution per slot and minute, in microseconds."""

    kind: Literal["quantiles"]
    namespace: str
    metric: str
    rail: LatencyRail


Metric = RateMetric | LatencyMetric


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
    data_lag_seconds: int
    metrics: Mapping[str, Metric]
    alarms: tuple[str, ...]
