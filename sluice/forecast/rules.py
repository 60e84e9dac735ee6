"""What the vectorised judge needs of a policy: one rule per judged metric, numbers only."""

from __future__ import annotations

import math
from dataclasses import dataclass

HIGH_GRID = (1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 9.0, 14.0, 25.0, 60.0)
LOW_GRID = tuple(1 / g for g in (1.01, 1.02, 1.03, 1.05, 1.08, 1.12, 1.18, 1.27, 1.4, 1.7, 2.5))
CLEAR_GRID = (0.5, 0.7, 0.85, 1.0, 1.15, 1.35, 1.6)
RAIL_GRID = (0.02, 0.05, 0.1, 0.2, 0.35, 0.55, 0.8, 0.98)
RARE_FRACTIONS = (1 / 8, 1 / 4, 1 / 2)
RARE_MOST, RARE_LEAST = 0.5, 1e-4
CLEARED_AT = 20.0
RAIL_NEED = 1000.0
RAIL_PHI = 2.0
LATENCY_RAIL_RATE = 0.05
LATENCY_RAIL_VERSUS = 2.0
_SHOWN_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Rail:
    """Harmful above `rate` and above `versus_stable` times stable's rate now."""

    rate: float
    versus_stable: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One metric that is compared. A rate or a mean has one part; a latency has one per quantile, weighted.

    `margins` is per judged step: None needs no proof. `segmented`: each value of a dimension is judged, too.
    """

    name: str
    parts: tuple[float, ...]
    bad_high: bool
    share: float
    tolerate_ratio: float
    tolerate_absolute: float
    phi0: float
    warmup_minutes: int
    settle_minutes: int
    lag_minutes: int
    rail: Rail | None
    margins: tuple[float | None, ...]
    is_latency: bool = False
    quantiles: tuple[float, ...] = ()
    observed: bool = False
    segmented: bool = False

    @property
    def grid(self) -> tuple[float, ...]:
        return HIGH_GRID if self.bad_high else LOW_GRID

    @property
    def enforced(self) -> bool:
        """Whether it takes part in decisions; shown it is in any case."""
        return self.share > 0 and not self.observed

    @property
    def needs_proof(self) -> bool:
        return self.enforced and any(margin is not None for margin in self.margins)


@dataclass(frozen=True, slots=True)
class LevelRule:
    """A level with its limit: harmful when the canary is beyond it for so many minutes and stable is not."""

    name: str
    bad_high: bool
    minutes: int
    lag_minutes: int
    observed: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """A policy, as far as evidence goes: `metrics` are its rates and latencies. Times in minutes."""

    metrics: tuple[Rule, ...]
    judged_steps: int
    budget: float
    sustain_minutes: float
    data_lag_minutes: int
    min_samples: int
    canary_samples: int
    """The floor on the canary's side, which is never below what a rate can be judged by."""
    means: tuple[Rule, ...] = ()
    levels: tuple[LevelRule, ...] = ()

    def cap(self, rule: Rule) -> float:
        """The most that one minute may prove, in nats."""
        share = rule.share if rule.share > 0 else _SHOWN_SHARE
        return math.log(1 / (0.15 * self.budget * share)) / (self.sustain_minutes - 0.7)


def others_of(margin: float, *, bad_high: bool) -> tuple[float, ...]:
    """The alternatives of a clearance: those of the grid on the good side of the margin."""
    good = tuple(g for g in CLEAR_GRID if (g < margin if bad_high else g > margin))
    return good or ((margin / 1.35,) if bad_high else (margin * 1.35,))


SEGMENTS = 10
"""So many values of a dimension have a part of a metric's evidence, whether they appear or not."""
