"""Which minutes a look reads, over which thresholds, and what weight each of them had. The judge is handed all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from operator import is_

from sluice.core import histogram
from sluice.core.histogram import RECORDED
from sluice.core.judge.latency import thresholds
from sluice.core.observation import Row, threshold_name
from sluice.core.policy import LatencyMetric, Metric
from sluice.core.rollout import Phase, Rollout, Shift

MOST_SECONDS = 3 * 86400
"""Rows of older minutes are not read again: a judged rollout and the latest labels of a day are well within."""
QUANTILE_SECONDS = 3600
"""Stable's hour before the first exposure."""
_JUDGED = (Phase.BAKING, Phase.AWAITING_APPROVAL, Phase.SOAKING)
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """By slot: the latencies, in microseconds and by `threshold_name`, over which a metric's requests are counted.

    The edges are those of the application's histogram that stand for them, where the policy has one.
    """

    canary: Mapping[str, float]
    stable: Mapping[str, float]
    canary_edges: Mapping[str, int] = field(default_factory=dict)
    stable_edges: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read: complete minutes in [since, until) of both slots. A latency metric without limits was never quick or slow before."""

    endpoint: str
    canary: str
    stable: str
    metrics: Mapping[str, Metric]
    limits: Mapping[str, Limits]
    since: int
    until: int


def reading(rollout: Rollout, now: int) -> Reading | None:
    """The minutes since the first exposure that are old enough to be complete; None where nothing is judged."""
    paused_by_a_person = rollout.phase is Phase.PAUSED and rollout.orders.pause is not None
    if not (rollout.phase in _JUDGED or paused_by_a_person) or rollout.first_exposure_at is None:
        return None
    until = (now - rollout.policy.judge.data_lag_seconds) // _MINUTE * _MINUTE
    since = max(-(-rollout.first_exposure_at // _MINUTE) * _MINUTE, until - MOST_SECONDS)
    if until <= since:
        return None
    return Reading(
        rollout.endpoint, rollout.to_slot, rollout.from_slot, rollout.policy.metrics, limits(rollout), since, until
    )


def limits(rollout: Rollout) -> Mapping[str, Limits]:
    """Thresholds of the latency metrics whose past is known, for the margin of the step in progress."""
    found = {}
    for name, metric in rollout.policy.metrics.items():
        if isinstance(metric, LatencyMetric) and name in rollout.quantiles:
            margin = rollout.current_step.prove.get(name) if rollout.step >= 0 else None
            found[name] = limits_of(metric, [margin], rollout.quantiles[name])
    return found


def limits_of(metric: LatencyMetric, margins: Iterable[float | None], past: Mapping[str, float]) -> Limits:
    """Thresholds of a latency for each of the margins (None: a step that asks for no proof); `past` is stable's quantiles."""
    counted = [thresholds(metric, margin) for margin in margins]
    canary = tuple(dict.fromkeys(pair for each in counted for pair in each.canary))
    stable = tuple(dict.fromkeys(pair for each in counted for pair in each.stable))
    return Limits(
        _scaled(canary, past), _scaled(stable, past), _edges(canary, metric, past), _edges(stable, metric, past)
    )


def _scaled(counted: tuple[tuple[str, float], ...], quantiles: Mapping[str, float]) -> dict[str, float]:
    return {threshold_name(q, factor): factor * quantiles[q] for q, factor in counted if q in quantiles}


def _edges(
    counted: tuple[tuple[str, float], ...], metric: LatencyMetric, quantiles: Mapping[str, float]
) -> dict[str, int]:
    """As `_scaled`, on the histogram's edges, which never make a canary look worse or better proven than it is.

    What harm is judged by is rounded up, and what only a margin is proven by down. Limits beyond the last edge are not counted over.
    """
    if metric.histogram is None:
        return {}
    found, last = {}, metric.histogram.edges[-1]
    harmful = thresholds(metric, None).canary
    for q, factor in counted:
        if (quantile := quantiles.get(f"{RECORDED}{q}")) is not None:
            is_harm = factor == 1 or (q, factor) in harmful
            near = histogram.at_least if is_harm else histogram.at_most
            if (edge := near(int(quantile), factor)) <= last:
                found[threshold_name(q, factor)] = edge
    return found


def placed(rows: tuple[Row, ...], shifts: tuple[Shift, ...]) -> tuple[Row, ...]:
    """The rows with the step and the weight of their minute. A minute in which the weight changed belongs to the step it leads to."""
    return _PLACES.placed(rows, shifts)


@dataclass(slots=True)
class _Places:
    """What was placed last: only makes the answer sooner, as most rows of a look are those of the look before."""

    rows: tuple[Row, ...] = ()
    shifts: tuple[Shift, ...] = ()
    found: tuple[Row, ...] = ()

    def placed(self, rows: tuple[Row, ...], shifts: tuple[Shift, ...]) -> tuple[Row, ...]:
        known = 0
        if shifts == self.shifts:
            known = len(tuple(takewhile(bool, map(is_, rows, self.rows))))
        found = (*self.found[:known], *(_placed(row, shifts) for row in rows[known:]))
        self.rows, self.shifts, self.found = rows, shifts, found
        return found


_PLACES = _Places()


def _placed(row: Row, shifts: tuple[Shift, ...]) -> Row:
    # A day has 1440 rows, placed at each look: written out, because `replace` takes five times as long.
    for shift in reversed(shifts):
        if shift.asked_at < row.at + _MINUTE:
            whole = shift.seen_at is not None and shift.seen_at <= row.at
            parts = shift.canary_parts if whole else None
            return Row(row.at, row.canary, row.stable, shift.step, parts, not whole, row.faults)
    return row


def asked(shifts: tuple[Shift, ...], step: int, canary_parts: int, now: int) -> tuple[Shift, ...]:
    return (*shifts, Shift(step, canary_parts, now, None))


def seen_applied(shifts: tuple[Shift, ...], step: int, canary_parts: int, now: int) -> tuple[Shift, ...]:
    """The weight was seen applied: the one asked for last, or one that came back after a person had changed it."""
    if shifts and shifts[-1].seen_at is None:
        return (*shifts[:-1], replace(shifts[-1], seen_at=now))
    return (*shifts, Shift(step, canary_parts, now, now))
