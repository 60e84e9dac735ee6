"""Many rollouts through one policy in one world: steps are taken, held and left as the tick does it, in whole minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from sluice.forecast.arrays import Flags, Floats, Whole
from sluice.forecast.minutes import MetricMinute, Minute
from sluice.forecast.rules import Rule, Rules
from sluice.forecast.vector_judge import Ruling, VectorJudge
from sluice.forecast.world import World


class OnInconclusive(IntEnum):
    """What a step does when its longest bake is over."""

    ADVANCE = 0
    HOLD = 1
    ROLLBACK = 2


class Ended(IntEnum):
    """How a rollout ended. `live`: not within the minutes looked at."""

    LIVE = 0
    PROMOTED = 1
    SOFT = 2
    RAIL = 3
    INCONCLUSIVE = 4
    INCIDENT = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """The judged steps: share of the canary, bake limits in minutes, what follows. And the patience of holds."""

    shares: Floats
    bake_min: Whole
    bake_max: Whole
    on_inconclusive: Whole
    hold_minutes: int
    incident_minutes: int | None


@dataclass(slots=True)
class Outcomes:
    """One entry per rollout. `minutes` is when it ended, `row` the newest row judged then, `harmed` the bad requests until then."""

    ended: Whole
    minutes: Whole
    row: Whole
    harmed: Floats
    unproven: Flags
    """[rollouts, steps]: left without proof."""
    odds: Floats
    by_metric: Mapping[str, Floats]
    """Each metric's part of the evidence when the rollout ended (or now)."""


@dataclass(slots=True)
class _Course:
    """Where every rollout is."""

    step: Whole
    since: Whole
    canary_samples: Floats
    stable_samples: Floats
    incident_since: Whole
    outcomes: Outcomes

    @classmethod
    def of(cls, count: int, steps: int) -> _Course:
        zero = np.zeros(count, dtype=np.int64)
        no = np.zeros((count, steps), dtype=bool)
        nothing = np.zeros(count)
        outcomes = Outcomes(zero.copy(), zero.copy(), zero.copy(), nothing.copy(), no, np.ones(count), {})
        return cls(zero.copy(), zero.copy(), nothing.copy(), nothing.copy(), np.full(count, -1), outcomes)

    @property
    def live(self) -> Flags:
        return np.asarray(self.outcomes.ended == Ended.LIVE)


def roll(rules: Rules, schedule: Schedule, world: World, longest: int) -> Outcomes:
    """Take every rollout through its steps for at most `longest` minutes."""
    judge = VectorJudge(rules, world.rollouts)
    course = _Course.of(world.rollouts, len(schedule.shares))
    seen: deque[tuple[Ruling, Floats, Floats]] = deque(maxlen=rules.data_lag_minutes + 1)
    for at in range(longest):
        minute = _sample(rules, schedule, world, course, at)
        seen.append((judge.minute(minute), course.canary_samples.copy(), course.stable_samples.copy()))
        course.outcomes.harmed += world.harmed * course.live
        course.since += 1
        if len(seen) == seen.maxlen:
            _act(rules, schedule, course, seen[0], at)
        if not course.live.any():
            break
    return course.outcomes


def _sample(rules: Rules, schedule: Schedule, world: World, course: _Course, at: int) -> Minute:
    world.begin_minute()
    n_c, n_s = world.requests(at, schedule.shares[course.step])
    course.canary_samples = course.canary_samples + n_c
    course.stable_samples = course.stable_samples + n_s
    metrics: dict[str, MetricMinute] = {}
    for rule in rules.metrics:
        if rule.is_latency:
            metrics[rule.name] = world.latency(rule, _margins(rule)[course.step], at, course.since, n_c, n_s)
        else:
            metrics[rule.name] = world.rate(rule, at, n_c, n_s)
    return Minute(course.step.copy(), course.since.copy(), metrics)


def _margins(rule: Rule) -> Floats:
    return np.array([rule.tolerate_ratio if margin is None else margin for margin in rule.margins])


def _act(rules: Rules, schedule: Schedule, course: _Course, facts: tuple[Ruling, Floats, Floats], at: int) -> None:
    """What the tick does about the newest row that is old enough: back on harm, stay on doubt, on when it is proven."""
    ruling, canary, stable = facts
    row = at - rules.data_lag_minutes
    _note(course, ruling)
    _end(course, ruling.railed, Ended.RAIL, at, row)
    _end(course, ruling.crossed, Ended.SOFT, at, row)
    incident = course.live & ruling.incident
    course.incident_since = np.where(incident, np.where(course.incident_since < 0, at, course.incident_since), -1)
    if schedule.incident_minutes is not None:
        _end(course, incident & (at - course.incident_since >= schedule.incident_minutes), Ended.INCIDENT, at, row)
    enough = (ruling.step == course.step) & (canary >= rules.canary_samples) & (stable >= rules.min_samples)
    _go_on(schedule, course, ~incident, enough, ruling.cleared, at)


def _go_on(schedule: Schedule, course: _Course, calm: Flags, enough: Flags, cleared: Flags, at: int) -> None:
    """Up when the bake is over and the margins are proven; at the longest bake as the policy says."""
    longest = schedule.bake_max[course.step]
    free = course.live & calm & (course.since >= schedule.bake_min[course.step])
    proven = free & enough & cleared
    late = free & ~proven & (course.since >= longest)
    follow = schedule.on_inconclusive[course.step]
    waived = late & enough & (follow == OnInconclusive.ADVANCE)
    _end(course, late & (follow == OnInconclusive.ROLLBACK), Ended.INCONCLUSIVE, at, at)
    _end(course, course.since > longest + schedule.hold_minutes, Ended.INCONCLUSIVE, at, at)
    _advance(course, course.live & (proven | waived), waived, at)


def _note(course: _Course, ruling: Ruling) -> None:
    """The evidence of what still runs; what ended keeps what it ended with."""
    live, out = course.live, course.outcomes
    out.odds = np.where(live, ruling.odds, out.odds)
    before = out.by_metric or ruling.shares
    out.by_metric = {name: np.where(live, part, before[name]) for name, part in ruling.shares.items()}


def _end(course: _Course, which: Flags, how: Ended, at: int, row: int) -> None:
    out = course.outcomes
    which = which & course.live
    out.ended = np.where(which, how, out.ended)
    out.minutes = np.where(which, at + 1, out.minutes)
    out.row = np.where(which, row, out.row)


def _advance(course: _Course, which: Flags, waived: Flags, at: int) -> None:
    out = course.outcomes
    last = out.unproven.shape[1] - 1
    out.unproven[np.arange(len(which)), course.step] |= which & waived
    _end(course, which & (course.step == last), Ended.PROMOTED, at, at)
    on = which & (course.step < last)
    course.step = course.step + on
    course.since = np.where(on, 0, course.since)
    course.canary_samples = np.where(on, 0.0, course.canary_samples)
    course.stable_samples = np.where(on, 0.0, course.stable_samples)
