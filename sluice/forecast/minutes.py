"""One minute of many rollouts, as the judge over arrays reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sluice.forecast.arrays import Floats, Whole


@dataclass(frozen=True, slots=True)
class Exposed:
    """One minute of one metric on both sides: exposures `n` and events `e` of canary and stable."""

    n_c: Floats
    n_s: Floats
    e_c: Floats
    e_s: Floats


@dataclass(frozen=True, slots=True)
class MetricMinute:
    """One metric in one minute. Per part: what the harm test counts, and what the proof counts (the same for a rate)."""

    harm: tuple[Exposed, ...]
    proof: tuple[Exposed, ...]
    rail: Exposed | None


@dataclass(frozen=True, slots=True)
class Minute:
    """All metrics in one minute, and where each rollout was: its step and how many minutes the step has lasted (0 at first)."""

    step: Whole
    minute_in_step: Whole
    metrics: Mapping[str, MetricMinute]
