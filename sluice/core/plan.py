"""What a rollout policy means before anything runs: when its steps can start, what they expose, what the ways back take.

Computes from the policy, the paces of the tick and the assumptions handed in; knows no endpoint. It says what the code
does today, so a change of `steps`, `prepare` or the judge's floor changes it too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sluice.core.decision import BAKE_SECONDS, BUSY_SECONDS, NOW_SECONDS, SOAK_SECONDS
from sluice.core.judge.rails import RAIL_TRIALS
from sluice.core.policy import AfterSoak, OnInconclusive, Policy, Step
from sluice.core.scaling import WORST_CASE_MINUTES
from sluice.core.weights import WHOLE

_MINUTE = 60
_EPSILON = 1e-9
"""Rates are floats: a minute that holds exactly what is needed must not be missed by rounding."""


@dataclass(frozen=True, slots=True)
class Span:
    """From the earliest to the latest moment, or from the least to the most; seconds unless said otherwise."""

    earliest: int
    latest: int

    def __add__(self, other: Span) -> Span:
        return Span(self.earliest + other.earliest, self.latest + other.latest)


class Reach(StrEnum):
    """When a step has surely seen the requests it needs. `never`: it is taken back before that."""

    UNKNOWN = "unknown"
    BAKE_MIN = "bake_min"
    BAKE_MAX = "bake_max"
    HOLDING = "holding"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the policy cannot know. `rps` is all traffic of the endpoint, taken as steady; None when nobody said. `scaling_kept`:
    autoscaling runs on during rollouts (`scaling: keep`).
    """

    rps: float | None = None
    update_seconds: Span = Span(5 * 60, 30 * 60)
    weight_call_seconds: Span = Span(5, 30)
    scaling_kept: bool = False


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step. `starts` counts from submission to the weight call; None when a step before it ends the rollout.

    `needs` are the requests each side must show; `watched` is how long the step really lasts, `exposed` the requests the
    canary gets in that time. `rps_for_bake_min` and `rps_for_bake_max` are the endpoint's traffic with which the floor is
    surely reached by then; None when the time is too short for any traffic.
    """

    number: int
    weight_parts: int
    starts: Span | None
    bake: Span | None
    needs: int
    reach: Reach
    watched: Span | None
    exposed: Span | None
    rps_for_bake_min: float | None
    rps_for_bake_max: float | None


@dataclass(frozen=True, slots=True)
class Blocked:
    """The worst case of a way back that must wait for a change of counts: seconds until the canary is at 0, the parts of traffic it
    has meanwhile before promotion, and the requests that are (None: traffic unknown).
    """

    seconds: int
    weight_parts: int
    exposed: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole way. Spans count from submission, except the restore times, which count from the decision to go back.

    `stuck` is the number of the first step that never sees enough. `longest` is promotion after every judged step was held
    to its limit. `restore_settled` is a whole new rollout of the older release, `restore_kept` what a person's `rollback --to` takes:
    one step after its rehearsal, and nothing to build where the slot stayed warm. `blocked` is set where autoscaling may keep a
    way back waiting.
    """

    prepared: Span
    rehearsed: Span
    steps: tuple[StepPlan, ...]
    stuck: int | None
    promoted: Span | None
    settled: Span | None
    longest: int
    exposed: Span | None
    restore_live: Span
    restore_settled: Span | None
    restore_kept: Span
    blocked: Blocked | None


def plan(policy: Policy, assumed: Assumptions) -> Plan:
    """The plan of a rollout under this policy, if it is never harmful and nobody interferes."""
    call = assumed.weight_call_seconds
    prepared = assumed.update_seconds + Span(0, BUSY_SECONDS)
    rehearsal = Span(NOW_SECONDS + call.earliest, policy.rollback.target_seconds + call.latest + BUSY_SECONDS)
    rehearsed = prepared + rehearsal
    steps = tuple(_steps(policy, assumed, rehearsed))
    last, judged = steps[-1], steps[:-1]
    warm = policy.after_soak is AfterSoak.STANDBY
    stuck = next((step.number for step in steps if step.reach is Reach.NEVER), None)
    promoted = last.starts + _applied(call) if last.starts else None
    return Plan(
        prepared=prepared,
        rehearsed=rehearsed,
        steps=steps,
        stuck=stuck,
        promoted=promoted,
        settled=promoted + Span(policy.soak_seconds, policy.soak_seconds + SOAK_SECONDS) if promoted else None,
        longest=_longest(policy, rehearsed, call),
        exposed=_total(step.exposed for step in judged) if assumed.rps is not None else None,
        restore_live=call,
        restore_settled=promoted,
        restore_kept=(Span(0, BUSY_SECONDS) if warm else prepared) + rehearsal + _applied(call),
        blocked=_blocked(policy, assumed) if assumed.scaling_kept else None,
    )


def _blocked(policy: Policy, assumed: Assumptions) -> Blocked:
    """At the highest judged weight; a policy of one step has none, and there it is all of it."""
    seconds = WORST_CASE_MINUTES * _MINUTE + assumed.weight_call_seconds.latest
    parts = policy.steps[-2].weight_parts if len(policy.steps) > 1 else WHOLE
    exposed = None if assumed.rps is None else math.ceil(seconds * assumed.rps * parts / WHOLE)
    return Blocked(seconds, parts, exposed)


def evidence_seconds(policy: Policy, share: float, rps: float) -> Span:
    """When, after its weight was seen, a step has what it needs: whole minutes, `data_lag` late, on both sides."""
    canary = _minutes(canary_floor(policy), rps * share * _MINUTE)
    minutes = max(canary, _minutes(policy.min_samples, rps * (1 - share) * _MINUTE))
    return Span(
        policy.judge.data_lag_seconds + minutes * _MINUTE, policy.judge.data_lag_seconds + (minutes + 1) * _MINUTE
    )


def canary_floor(policy: Policy) -> int:
    """Requests the canary must show: the policy's floor, and never fewer than a rate can be judged by."""
    return max(policy.min_samples, RAIL_TRIALS)


def reach(policy: Policy, step: Step, rps: float | None) -> Reach:
    """Whether a judged step surely sees what it needs, and by which of its limits."""
    if rps is None:
        return Reach.UNKNOWN
    seen = evidence_seconds(policy, step.weight_parts / WHOLE, rps).latest
    if seen <= step.bake_min_seconds:
        return Reach.BAKE_MIN
    if seen <= step.bake_max_seconds:
        return Reach.BAKE_MAX
    holds = step.on_inconclusive is not OnInconclusive.ROLLBACK
    return Reach.HOLDING if holds and seen <= _limit(policy, step) else Reach.NEVER


def rps_needed(policy: Policy, share: float, within_seconds: int) -> float | None:
    """All traffic of the endpoint with which both sides surely show enough within that time; None if no traffic is enough."""
    minutes = (within_seconds - policy.judge.data_lag_seconds) // _MINUTE - 1
    if minutes < 1:
        return None
    canary = canary_floor(policy) / (share * minutes * _MINUTE)
    stable = policy.min_samples / ((1 - share) * minutes * _MINUTE)
    return max(canary, stable)


def _steps(policy: Policy, assumed: Assumptions, first: Span) -> Iterator[StepPlan]:
    starts: Span | None = first
    for number, step in enumerate(policy.steps[:-1], 1):
        planned = _judged(policy, step, number, starts, assumed)
        yield planned
        if starts is None or planned.watched is None or planned.reach is Reach.NEVER:
            starts = None
        else:
            starts = starts + _applied(assumed.weight_call_seconds) + planned.watched
    yield StepPlan(len(policy.steps), WHOLE, starts, None, 0, Reach.UNKNOWN, None, None, None, None)


def _judged(policy: Policy, step: Step, number: int, starts: Span | None, assumed: Assumptions) -> StepPlan:
    share = step.weight_parts / WHOLE
    reached = reach(policy, step, assumed.rps)
    watched = _watched(policy, step, reached, assumed.rps) if starts else None
    exposed = None
    if watched is not None and assumed.rps is not None:
        exposed = _requests(watched, assumed.rps * share, assumed.weight_call_seconds)
    return StepPlan(
        number=number,
        weight_parts=step.weight_parts,
        starts=starts,
        bake=Span(step.bake_min_seconds, step.bake_max_seconds),
        needs=canary_floor(policy),
        reach=reached,
        watched=watched,
        exposed=exposed,
        rps_for_bake_min=rps_needed(policy, share, step.bake_min_seconds),
        rps_for_bake_max=rps_needed(policy, share, step.bake_max_seconds),
    )


def _watched(policy: Policy, step: Step, reached: Reach, rps: float | None) -> Span:
    """From the weight seen applied to the next weight call, or to the end. A look may come up to its pace too late."""
    if reached is Reach.NEVER:
        gives_up = step.on_inconclusive is OnInconclusive.ROLLBACK
        ends = step.bake_max_seconds if gives_up else _limit(policy, step)
        return Span(ends, ends + BAKE_SECONDS)
    if rps is None:
        soonest = max(step.bake_min_seconds, policy.judge.data_lag_seconds + _MINUTE)
        return Span(soonest, max(soonest, step.bake_max_seconds) + BAKE_SECONDS)
    seen = evidence_seconds(policy, step.weight_parts / WHOLE, rps)
    return Span(
        max(step.bake_min_seconds, seen.earliest),
        max(step.bake_min_seconds, seen.latest) + BAKE_SECONDS,
    )


def _limit(policy: Policy, step: Step) -> int:
    """How long a step may be held before it is taken back."""
    return step.bake_max_seconds + policy.max_hold_seconds


def _longest(policy: Policy, rehearsed: Span, call: Span) -> int:
    held = sum(_limit(policy, step) + BAKE_SECONDS for step in policy.steps[:-1])
    return rehearsed.latest + held + len(policy.steps) * _applied(call).latest


def _applied(call: Span) -> Span:
    """From a weight call to the look that sees it applied."""
    return call + Span(0, NOW_SECONDS)


def _requests(watched: Span, canary_rps: float, call: Span) -> Span:
    """The canary keeps its share until the next weight call has landed."""
    seconds = watched + _applied(call)
    return Span(math.floor(seconds.earliest * canary_rps), math.ceil(seconds.latest * canary_rps))


def _minutes(needed: int, per_minute: float) -> int:
    return max(1, math.ceil(needed / per_minute - _EPSILON))


def _total(spans: Iterator[Span | None]) -> Span:
    total = Span(0, 0)
    for span in spans:
        total = total + (span or Span(0, 0))
    return total
