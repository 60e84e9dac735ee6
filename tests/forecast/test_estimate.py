"""The estimate that `up` prints against the simulation: cautious, and never out by more than a factor of two and a half."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.core.estimate import estimate
from sluice.forecast.forecast import Setting, WhatIf, base_of, error_curve, fate, first_caught, rollouts
from sluice.forecast.world import Effect
from sluice.schema import read_policy

POLICIES = Path(__file__).resolve().parents[2] / "policies" / "rollouts"
GOOD = WhatIf("good", Effect(), harmful=False)


@pytest.mark.parametrize(
    ("name", "rps"), [("standard", 50.0), ("standard", 500.0), ("emergency", 100.0), ("demo", 25.0)]
)
def test_the_estimate_is_near_the_simulation(name: str, rps: float) -> None:
    policy = read_policy(POLICIES / f"{name}.yaml")
    setting = Setting(base_of(policy, rps, {}), rollouts=60, seed=4)
    estimated, simulated = estimate(policy, rps), fate(GOOD, rollouts(policy, setting, GOOD)).promoted_median
    caught = first_caught(error_curve(policy, setting))

    assert estimated is not None
    assert simulated is not None
    assert caught is not None
    assert estimated.smallest_increase is not None
    assert simulated / 1.3 <= estimated.minutes <= 2 * simulated
    assert caught / 1.5 <= estimated.smallest_increase <= 2.5 * caught
