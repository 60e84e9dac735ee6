"""What a policy would do with a release, by simulating rollouts: per what-if the chance to be taken back, when, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sluice.core.policy import Policy
from sluice.forecast.arrays import Floats
from sluice.forecast.budget import budget_of
from sluice.forecast.from_policy import judged, rules_of, schedule_of
from sluice.forecast.rollouts import Ended, Outcomes, roll
from sluice.forecast.rules import LevelRule, Rule, Rules
from sluice.forecast.world import Base, Effect, Incident, MeanBase, Nature, RateBase, World

CAUGHT = 0.9
"""What "is caught" means for the smallest increase."""
PATIENCE_MINUTES = 120
"""Beyond the longest bakes of all steps together: a rollout held longer than this counts as held."""
FACTORS = (1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 20.0, 50.0)
_OFTEN = 0.1
_USUAL_LEVEL = {True: 0.6, False: 1 / 0.6}
_BEYOND = {True: 1.2, False: 1 / 1.2}
"""Where a harmful level goes: a fifth beyond its limit."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A release and a world to try it in. `harmful` says whether taking it back is right; `declared` that the policy names it."""

    name: str
    effect: Effect
    harmful: bool
    incident: bool = False
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the rollouts of one what-if. Minutes are from the first canary request; None when it never happened.

    `bad_requests` is the median number of requests that failed only because of the canary.
    """

    name: str
    harmful: bool
    declared: bool
    rolled_back: float
    minutes_median: float | None
    minutes_p95: float | None
    bad_requests: float
    promoted: float
    promoted_median: float | None
    promoted_p95: float | None
    held: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """A policy under a traffic. `unproven` is, per judged step, how often a good release leaves it without proof."""

    rps: float
    rollouts: int
    seed: int
    fates: tuple[Fate, ...]
    unproven: tuple[float, ...]
    curve: tuple[tuple[float, float], ...]
    """Factor on the error rate, chance that it is caught."""
    smallest_error_increase: float | None
    """The factor on the error rate that is caught with 90 %; None when not even the largest tried is."""
    stuck_step: int | None
    """The judged step, from 0, that most good releases do not leave; None where most do go out."""

    @property
    def good(self) -> Fate:
        return self.fates[0]

    @property
    def missed(self) -> tuple[Fate, ...]:
        """Declared effects that are caught too rarely."""
        return tuple(fate for fate in self.fates if fate.declared and fate.rolled_back < GATE)


GATE = 0.8
"""The chance with which a declared effect has to be caught."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where rollouts are tried: good times, how unruly they are, how many rollouts, from which seed."""

    base: Base
    nature: Nature = field(default_factory=Nature)
    rollouts: int = 1000
    seed: int = 1


def what_ifs(policy: Policy) -> tuple[WhatIf, ...]:
    """Those that everyone wants to know, and each effect that a metric of the policy declares with `detect`."""
    rules = rules_of(policy)
    rates = [rule.name for rule in rules.metrics if not rule.is_latency and rule.bad_high]
    tried = [
        WhatIf("no difference", Effect(), harmful=False),
        WhatIf("shared incident", Effect(), False, incident=True),
    ]
    tried += [WhatIf(f"{name} x2", Effect({name: 2.0}), True) for name in rates[:1]]
    tried += [WhatIf(f"{name} x5", Effect({name: 5.0}), True) for name in rates[:1]]
    if any(rule.is_latency for rule in rules.metrics):
        tried.append(WhatIf("latency x2", Effect(latency=2.0), True))
        tried.append(WhatIf("3 % of requests 4x slower", Effect(slow_share=0.03), True))
    tried += [
        WhatIf(f"{rule.name} -10 %", Effect({rule.name: 0.9}), True) for rule in rules.metrics if not rule.bad_high
    ]
    tried += [
        WhatIf(f"{rule.name} x5 for the smallest of 4 segments", _for_few(rule), True) for rule in _segmented(rules)
    ]
    tried += [_worse_mean(rule) for rule in rules.means]
    tried += [WhatIf(f"{rule.name} a fifth beyond its limit", _too_much(rule), True) for rule in rules.levels]
    declared = _declared(policy, rules)
    named = [case.effect for case in declared]
    return (*(case for case in tried if case.effect not in named or not case.harmful), *declared)


def _segmented(rules: Rules) -> list[Rule]:
    return [rule for rule in rules.metrics if rule.segmented and rule.bad_high]


def _for_few(rule: Rule) -> Effect:
    return Effect({rule.name: 5.0}, smallest_segment_only=True)


def _worse_mean(rule: Rule) -> WhatIf:
    factor, sign = (1.1, "+") if rule.bad_high else (0.9, "-")
    return WhatIf(f"{rule.name} {sign}10 %", Effect(means={rule.name: factor}), True)


def _too_much(rule: LevelRule) -> Effect:
    return Effect(levels={rule.name: _BEYOND[rule.bad_high]})


def _declared(policy: Policy, rules: Rules) -> list[WhatIf]:
    found = []
    for rule in (*rules.metrics, *rules.means):
        detect = policy.metrics[rule.name].terms.detect
        if detect is not None:
            effect = Effect(latency=detect) if rule.is_latency else Effect({rule.name: detect})
            if rule in rules.means:
                effect = Effect(means={rule.name: detect})
            found.append(WhatIf(f"{rule.name} x{detect:g} (declared)", effect, True, declared=True))
    return found


def forecast(
    policy: Policy, setting: Setting, tried: Sequence[WhatIf] | None = None, progress: Progress = lambda *_: None
) -> Forecast:
    """Simulate every what-if. `progress` is told what is being tried, and how many of how many runs are done."""
    cases = tuple(tried) if tried is not None else what_ifs(policy)
    fates, unproven, stuck = [], (0.0,) * len(judged(policy)), None
    for done, case in enumerate(cases):
        progress(case.name, done, len(cases) + 1)
        outcomes = rollouts(policy, setting, case)
        fates.append(fate(case, outcomes))
        if not case.harmful and not case.incident:
            unproven = tuple(float(share) for share in outcomes.unproven.mean(axis=0))
            stuck = _stuck(outcomes)
    progress("the smallest error increase", len(cases), len(cases) + 1)
    curve = error_curve(policy, setting)
    progress("done", len(cases) + 1, len(cases) + 1)
    known = (setting.base.rps, setting.rollouts, setting.seed)
    return Forecast(*known, tuple(fates), unproven, curve, first_caught(curve), stuck)


def _stuck(outcomes: Outcomes) -> int | None:
    left = outcomes.step[outcomes.ended != Ended.PROMOTED]
    return int(np.bincount(left).argmax()) if 2 * len(left) > len(outcomes.step) else None


def rollouts(policy: Policy, setting: Setting, case: WhatIf) -> Outcomes:
    """All rollouts of one what-if. The seed is the same for each, so that they differ by the effect and not by luck."""
    chance = np.random.default_rng(setting.seed)
    schedule = schedule_of(policy)
    longest = int(schedule.bake_max.sum()) + PATIENCE_MINUTES
    incident = None
    if case.incident:
        begins = chance.uniform(2, max(3, float(schedule.bake_min.sum())), setting.rollouts)
        incident = Incident(begins, np.full(setting.rollouts, 10.0))
    world = World(setting.base, setting.nature, setting.rollouts, chance, case.effect, incident)
    budget = budget_of(policy, setting.base.rps, setting.rollouts)
    return roll(rules_of(policy), schedule, world, longest, budget)


def fate(case: WhatIf, outcomes: Outcomes) -> Fate:
    """Sum the rollouts of one what-if up. Ending without a decision is no rollback for harm, and is not counted as one."""
    taken = np.isin(outcomes.ended, (Ended.SOFT, Ended.RAIL, Ended.INCIDENT))
    promoted = outcomes.ended == Ended.PROMOTED
    back, up = outcomes.minutes[taken].astype(float), outcomes.minutes[promoted].astype(float)
    return Fate(
        name=case.name,
        harmful=case.harmful,
        declared=case.declared,
        rolled_back=float(taken.mean()),
        minutes_median=_quantile(back, 0.5),
        minutes_p95=_quantile(back, 0.95),
        bad_requests=float(np.median(outcomes.harmed)),
        promoted=float(promoted.mean()),
        promoted_median=_quantile(up, 0.5),
        promoted_p95=_quantile(up, 0.95),
        held=float(np.isin(outcomes.ended, (Ended.LIVE, Ended.INCONCLUSIVE)).mean()),
    )


def first_error_rate(policy: Policy) -> str | None:
    """The first rate whose rise is bad."""
    return next((rule.name for rule in rules_of(policy).metrics if rule.bad_high and not rule.is_latency), None)


def error_curve(policy: Policy, setting: Setting) -> tuple[tuple[float, float], ...]:
    """The chance that each factor on the first error rate is caught; never falling, as more harm is not harder to see."""
    errors = first_error_rate(policy)
    if errors is None:
        return ()
    each = max(setting.rollouts // len(FACTORS), 20)
    effect = Effect({errors: np.repeat(np.array(FACTORS), each)})
    several = replace(setting, rollouts=each * len(FACTORS))
    outcomes = rollouts(policy, several, WhatIf("increase", effect, True))
    taken = np.isin(outcomes.ended, (Ended.SOFT, Ended.RAIL)).reshape(len(FACTORS), each).mean(axis=1)
    return tuple(zip(FACTORS, map(float, np.maximum.accumulate(taken)), strict=True))


def first_caught(curve: Sequence[tuple[float, float]]) -> float | None:
    """Where the curve reaches 90 %: linear in the logarithm of the factor. None when not even the last factor is caught."""
    if not curve:
        return None
    for (low, below), (high, above) in zip((curve[0], *curve), curve, strict=False):
        if above >= CAUGHT:
            part = (CAUGHT - below) / (above - below) if above > below else 1.0
            return float(low * (high / low) ** max(0.0, part))
    return None


def _quantile(values: Floats, p: float) -> float | None:
    return float(np.quantile(values, p)) if len(values) else None


def base_of(policy: Policy, rps: float, rates: Mapping[str, float]) -> Base:
    """Good times of the policy's metrics. Rates not given are 0.2 % of trouble, 10 % of outcomes; of a mean, observations per request.

    A mean's observations scatter as much as they are large; a level stands at 60 % of its limit, or as far above it where low is bad.
    """
    found = {}
    for rule in rules_of(policy).metrics:
        if not rule.is_latency:
            usual = 0.002 if rule.bad_high else _OFTEN
            outcome = not rule.bad_high
            found[rule.name] = RateBase(
                rates.get(rule.name, usual), cluster=1.0 if outcome else None, is_outcome=outcome
            )
    rules = rules_of(policy)
    means = {rule.name: MeanBase(rates.get(rule.name, _OFTEN)) for rule in rules.means}
    return Base(rps, found, means=means, levels={rule.name: _USUAL_LEVEL[rule.bad_high] for rule in rules.levels})
