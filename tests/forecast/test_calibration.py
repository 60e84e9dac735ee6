"""`calibrate` on a rollout of nothing new: it names the worlds in which the defaults would not hold, and no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.judge.cases import WORLDS
from sluice.core.judge import judge
from sluice.core.observation import Row
from sluice.core.policy import Policy
from sluice.forecast.calibration import Calibration, calibrate
from sluice.forecast.forecast import Setting, WhatIf, base_of, fate, rollouts
from sluice.forecast.rows import row_of
from sluice.forecast.world import Effect, Nature, World
from tests.forecast.policies import with_kpi
from tests.forecast.test_agreement import ROLLOUTS, START, recorded

STEPS = np.repeat(np.array([0, 1, 2]), [10, 15, 40])[None, :].repeat(ROLLOUTS, axis=0)
RPS = 500.0


def no_ops(nature: Nature, policy: Policy, seed: int = 8) -> list[list[Row]]:
    """The same model again, four times."""
    world = World(base_of(policy, RPS, {}), nature, ROLLOUTS, np.random.default_rng(seed))
    minutes = recorded(policy, world, STEPS)
    return [[row_of(policy, minute, i, START + 60 * at) for at, minute in enumerate(minutes)] for i in range(ROLLOUTS)]


def calibrations(world: str) -> list[Calibration]:
    policy = with_kpi()
    return [calibrate(policy, rows) for rows in no_ops(WORLDS[world], policy)]


@pytest.mark.parametrize(
    "world",
    ["as tuned", "traffic swings by 80 %", "slower noise (0.95 a minute)"],
)
def test_worlds_in_which_the_defaults_hold_are_not_refused(world: str) -> None:
    assert [found.refusals for found in calibrations(world)] == [()] * ROLLOUTS


def test_bursts_of_errors_ask_for_a_dispersion() -> None:
    for found in calibrations("errors in bursts of 3"):
        assert any(refusal.startswith("errors: counts scatter ") for refusal in found.refusals), found.refusals
        assert found.dispersion is not None
        assert 3.5 <= found.dispersion <= 8, "bursts of 3 scatter 5 times as much as coins"


def test_a_long_cold_start_asks_for_a_settle_time() -> None:
    refusals = [
        refusal for found in calibrations("cold start of 3 minutes, twice as slow") for refusal in found.refusals
    ]

    assert refusals
    assert all(refusal.startswith("judge.settle: 5 min, but the canary was cold for 6 min") for refusal in refusals)


def test_identical_variants_that_differ_by_more_than_is_tolerated_ask_for_a_tolerance() -> None:
    found = calibrations("identical variants differ by 5 %")
    refused = [measured for each in found for measured in each.metrics if measured.refused]

    assert {measured.metric for measured in refused} == {"conversion"}, "errors have 10 % of room"
    assert len(refused) >= ROLLOUTS / 4, "one rollout is one draw of the difference"
    assert all(measured.proposed is not None and measured.proposed < 0.97 for measured in refused)


def test_what_is_proposed_for_bursts_keeps_the_promise_and_still_sees_harm() -> None:
    policy = with_kpi()
    noisy = replace(policy, judge=replace(policy.judge, dispersion=5.0))
    setting = Setting(base_of(policy, RPS, {}), WORLDS["errors in bursts of 3"], rollouts=200, seed=6)
    good, bad = WhatIf("good", Effect(), False), WhatIf("errors x2", Effect({"errors": 2.0}), True)

    assert fate(good, rollouts(noisy, setting, good)).rolled_back <= 0.005
    assert fate(bad, rollouts(noisy, replace(setting, rollouts=60), bad)).rolled_back >= 0.9


def test_a_cold_canary_in_an_incident_that_slows_stable_crosses_no_rail() -> None:
    """What was 26 % of rollouts: the canary cold, and both sides two and a half times as slow as they were in the hour before."""
    policy = with_kpi()
    setting = Setting(base_of(policy, RPS, {}), WORLDS["cold start of 3 minutes, twice as slow"], rollouts=200, seed=2)
    incident = WhatIf("incident", Effect(), False, incident=True)

    assert fate(incident, rollouts(policy, setting, incident)).rolled_back <= 0.005


def test_the_rows_of_a_no_op_are_no_harm() -> None:
    policy = with_kpi()

    assert all(judge(policy, rows).verdict != "roll_back" for rows in no_ops(Nature(), policy))
