"""`harm_budget` over arrays begins each step with the weight that the tick would begin it with, from the same rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sluice.core.harm_budget import limit
from sluice.core.policy import Policy
from sluice.forecast.budget import Budget
from sluice.forecast.forecast import Setting, WhatIf, base_of, rollouts
from sluice.forecast.from_policy import judged, rules_of
from sluice.forecast.rollouts import Ended
from sluice.forecast.rows import row_of
from sluice.forecast.vector_judge import VectorJudge
from sluice.forecast.world import Effect, Nature, World
from tests.forecast.policies import with_everything, with_kpi
from tests.forecast.test_agreement import START, lagging, random_steps, recorded

ROLLOUTS = 4
RPS = 100.0
ALL = np.ones(ROLLOUTS, dtype=bool)


def budgeted(policy: Policy, requests: int) -> Policy:
    return replace(policy, harm_budget=requests)


@pytest.mark.parametrize(
    ("policy", "effect", "requests"),
    [
        (with_kpi(), Effect(), 300),
        (with_kpi(), Effect({"errors": 3.0}), 2000),
        (with_everything(), Effect({"errors": 1.5}), 800),
        (lagging(), Effect(), 50),
    ],
    ids=["good", "worse", "two rates", "next to nothing"],
)
def test_arrays_and_the_tick_limit_a_step_to_the_same_weight(policy: Policy, effect: Effect, requests: int) -> None:
    policy, chance = budgeted(policy, requests), np.random.default_rng(requests)
    world = World(base_of(policy, RPS, {"errors": 0.01}), Nature(), ROLLOUTS, chance, effect)
    judge, budget = VectorJudge(rules_of(policy), ROLLOUTS), Budget(policy, RPS, ROLLOUTS)
    rows: list[list] = [[] for _ in range(ROLLOUTS)]
    limited = set()
    for at, minute in enumerate(recorded(policy, world, random_steps(policy, 30, chance))):
        was = budget.before(judge)
        judge.minute(minute)
        knew = budget.note(minute, was, judge)
        for i in range(ROLLOUTS):
            rows[i].append(row_of(policy, minute, i, START + 60 * at))
        if at % 7 == 0:
            for index, step in enumerate(judged(policy)):
                shares = budget.shares(index, knew, ALL)
                for i in range(ROLLOUTS):
                    found = limit(policy, step, tuple(rows[i]), RPS)
                    assert found is not None
                    assert round(shares[i] * 10_000) == found.parts, f"rollout {i}, minute {at}, step {index}"
                    limited.add(found.parts < step.weight_parts)

    assert True in limited, "nothing was limited: the comparison would compare the schedule with itself"


def test_before_the_first_row_the_expected_traffic_limits_the_first_step() -> None:
    policy = budgeted(with_kpi(), 20)
    found = limit(policy, policy.steps[0], (), RPS)
    budget = Budget(policy, RPS, ROLLOUTS)

    assert found is not None
    assert 1 <= found.parts < policy.steps[0].weight_parts
    assert [round(share * 10_000) for share in budget.shares(0, budget.first(), ALL)] == [found.parts] * ROLLOUTS


def test_a_budget_costs_time_and_spares_requests() -> None:
    policy = replace(with_kpi(), min_samples=20)
    case = WhatIf("errors x5", Effect({"errors": 5.0}), harmful=True)
    setting = Setting(base_of(policy, RPS, {"errors": 0.01}), rollouts=60, seed=3)
    free, kept = rollouts(policy, setting, case), rollouts(budgeted(policy, 60), setting, case)

    assert np.median(kept.harmed) < 0.8 * np.median(free.harmed)
    assert np.isin(kept.ended, (Ended.SOFT, Ended.RAIL)).mean() > 0.9
    assert np.median(kept.minutes) > np.median(free.minutes)
