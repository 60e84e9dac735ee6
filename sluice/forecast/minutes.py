"""One minute of many rollouts, as the judge over arrays reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sluice.forecast.arrays import Floats, Whole


@dataclass(frozen=True, slots=True)
class Exposed:
    """One minute of one metric on both sides: exposures `n` and events `e` of canary and stable."""

    n_c: Floats
    n_s: Floats
    e_c: Floats
    e_s: Floats


def together(parts: Sequence[Exposed]) -> Exposed:
    """The minute of a metric from those of its parts."""
    return Exposed(*np.sum([(part.n_c, part.n_s, part.e_c, part.e_s) for part in parts], axis=0))


@dataclass(frozen=True, slots=True)
class MetricMinute:
    """One metric in one minute. Per part: what the harm test counts, and what the proof counts (the same for a rate)."""

    harm: tuple[Exposed, ...]
    proof: tuple[Exposed, ...]
    rail: Exposed | None
    usual: Exposed | None = None
    """Of a latency with a rail: stable's requests over its own usual p99; the canary's side means nothing."""
    segments: tuple[Exposed, ...] = ()
    """The same minute by each value of the metric's dimension."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Observations of a mean on one side: how many, their total, the total of their squares."""

    count: Floats
    sum: Floats
    sumsq: Floats


@dataclass(frozen=True, slots=True)
class MeanMinute:
    """One mean in one minute."""

    canary: Observed
    stable: Observed


@dataclass(frozen=True, slots=True)
class LevelMinute:
    """One level in one minute, in multiples of its limit."""

    canary: Floats
    stable: Floats


@dataclass(frozen=True, slots=True)
class Minute:
    """All metrics in one minute, and where each rollout was: its step and how many minutes the step has lasted (0 at first)."""

    step: Whole
    minute_in_step: Whole
    metrics: Mapping[str, MetricMinute]
    means: Mapping[str, MeanMinute] = field(default_factory=dict)
    levels: Mapping[str, LevelMinute] = field(default_factory=dict)
