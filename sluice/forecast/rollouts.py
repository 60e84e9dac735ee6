"""Many rollouts through one policy in one world: steps are taken, held and left as the tick does it, in whole minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from sluice.forecast.arrays import Flags, Floats, Whole
from sluice.forecast.gauges import Gauges
from sluice.forecast.minutes import MetricMinute, Minute
from sluice.forecast.rules import Rule, Rules
from sluice.forecast.vector_judge import Ruling, VectorJudge
from sluice.forecast.world import World

if TYPE_CHECKING:
    from sluice.forecast.budget import Budget, Known


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
    step: Whole
    """The step it was in when it ended (or is in)."""


@dataclass(slots=True)
class _Course:
    """Where every rollout is."""

    step: Whole
    share: Floats
    """The canary's, by which its requests are routed."""
    since: Whole
    canary_samples: Floats
    stable_samples: Floats
    incident_since: Whole
    outcomes: Outcomes

    @classmethod
    def of(cls, count: int, schedule: Schedule) -> _Course:
        zero = np.zeros(count, dtype=np.int64)
        no = np.zeros((count, len(schedule.shares)), dtype=bool)
        nothing = np.zeros(count)
        outcomes = Outcomes(zero.copy(), zero.copy(), zero.copy(), nothing.copy(), no, np.ones(count), {}, zero.copy())
        share = np.full(count, schedule.shares[0])
        return cls(zero.copy(), share, zero.copy(), nothing.copy(), nothing.copy(), np.full(count, -1), outcomes)

    @property
    def live(self) -> Flags:
        return np.asarray(self.outcomes.ended == Ended.LIVE)


@dataclass(frozen=True, slots=True)
class _Look:
    """One row as a look will know it when it is old enough: what it proves, the requests of the step by then, what a budget needs."""

    ruling: Ruling
    canary: Floats
    stable: Floats
    knew: Mapping[str, Known]


def roll(rules: Rules, schedule: Schedule, world: World, longest: int, budget: Budget | None = None) -> Outcomes:
    """Take every rollout through its steps for at most `longest` minutes; `budget` keeps their weights below the schedule's."""
    judge, gauges = VectorJudge(rules, world.rollouts), Gauges.beside(world)
    course = _Course.of(world.rollouts, schedule)
    if budget is not None:
        course.share = budget.shares(0, budget.first(), course.live)
    seen: deque[_Look] = deque(maxlen=rules.data_lag_minutes + 1)
    for at in range(longest):
        n_c, n_s = _requests(world, course, at)
        minute = sample(rules, world, gauges, at, (course.step.copy(), course.since.copy()), (n_c, n_s))
        was = budget.before(judge) if budget else {}
        ruling = judge.minute(minute)
        knew = budget.note(minute, was, judge) if budget else {}
        seen.append(_Look(ruling, course.canary_samples.copy(), course.stable_samples.copy(), knew))
        course.outcomes.harmed += world.harmed * course.live
        course.since += 1
        if len(seen) == seen.maxlen:
            before = course.step
            _act(rules, schedule, course, seen[0], at)
            _enter(schedule, course, before, budget, seen[0].knew)
        if not course.live.any():
            break
    course.outcomes.step = course.step
    return course.outcomes


def _enter(
    schedule: Schedule, course: _Course, before: Whole, budget: Budget | None, knew: Mapping[str, Known]
) -> None:
    """The weight with which a step begins: the schedule's, or what the budget leaves of it."""
    entered = course.step != before
    for index in np.unique(course.step[entered]):
        which = entered & (course.step == index)
        course.share[which] = budget.shares(int(index), knew, which) if budget else schedule.shares[index]


def _requests(world: World, course: _Course, at: int) -> tuple[Floats, Floats]:
    world.begin_minute()
    n_c, n_s = world.requests(at, course.share)
    course.canary_samples = course.canary_samples + n_c
    course.stable_samples = course.stable_samples + n_s
    return n_c, n_s


def sample(
    rules: Rules, world: World, gauges: Gauges, at: int, place: tuple[Whole, Whole], requests: tuple[Floats, Floats]
) -> Minute:
    """All metrics of one minute. `place` is each rollout's step and how long it has lasted, `requests` those of canary and stable."""
    step, since = place
    n_c, n_s = requests
    metrics: dict[str, MetricMinute] = {}
    for rule in rules.metrics:
        if rule.is_latency:
            metrics[rule.name] = world.latency(rule, _margins(rule)[step], at, since, n_c, n_s)
        else:
            metrics[rule.name] = world.rate(rule, at, n_c, n_s)
    gauges.begin_minute()
    means = {rule.name: gauges.mean(rule.name, at, n_c, n_s) for rule in rules.means}
    levels = {rule.name: gauges.level(rule.name, at) for rule in rules.levels}
    return Minute(step, since, metrics, means, levels)


def _margins(rule: Rule) -> Floats:
    return np.array([rule.tolerate_ratio if margin is None else margin for margin in rule.margins])


def _act(rules: Rules, schedule: Schedule, course: _Course, look: _Look, at: int) -> None:
    """What the tick does about the newest row that is old enough: back on harm, stay on doubt, on when it is proven."""
    ruling = look.ruling
    row = at - rules.data_lag_minutes
    _note(course, ruling)
    _end(course, ruling.railed, Ended.RAIL, at, row)
    _end(course, ruling.crossed, Ended.SOFT, at, row)
    incident = course.live & ruling.incident
    course.incident_since = np.where(incident, np.where(course.incident_since < 0, at, course.incident_since), -1)
    if schedule.incident_minutes is not None:
        _end(course, incident & (at - course.incident_since >= schedule.incident_minutes), Ended.INCIDENT, at, row)
    enough = (ruling.step == course.step) & (look.canary >= rules.canary_samples)
    enough = enough & (look.stable >= rules.min_samples)
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
