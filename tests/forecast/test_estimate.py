"""The estimate that `up` prints against the simulation: never much bolder, and not out by more than a factor of two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sluice.core.estimate import estimate
from sluice.forecast.forecast import Setting, WhatIf, base_of, error_curve, fate, first_caught, rollouts
from sluice.forecast.world import Effect
from sluice.schema import read_policy

POLICIES = Path(__file__).resolve().parents[2] / "policies" / "rollouts"
GOOD = WhatIf("good", Effect(), harmful=False)


@pytest.mark.parametrize(
    ("name", "rps", "runs"),
    [
        ("standard", 50.0, 240),
        ("standard", 500.0, 240),
        ("emergency", 20.0, 720),
        ("emergency", 100.0, 720),
        ("demo", 25.0, 720),
    ],
)
def test_the_estimate_is_near_the_simulation(name: str, rps: float, runs: int) -> None:
    """A twelfth of the runs on each factor: more of them where rollouts are short, and the curve less steep."""
    policy = read_policy(POLICIES / f"{name}.yaml")
    setting = Setting(base_of(policy, rps, {}), rollouts=runs, seed=4)
    estimated = estimate(policy, rps)
    simulated = fate(GOOD, rollouts(policy, replace(setting, rollouts=60), GOOD)).promoted_median
    caught = first_caught(error_curve(policy, setting))

    assert estimated is not None
    assert simulated is not None
    assert caught is not None
    assert estimated.smallest_increase is not None
    assert simulated / 1.3 <= estimated.minutes <= 2 * simulated
    assert caught / 1.25 <= estimated.smallest_increase <= 2 * caught
