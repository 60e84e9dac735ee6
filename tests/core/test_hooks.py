"""What other people's code is sent: the keys are a contract with it."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.classes import CLASS_OF, PIPELINE, CommandClass, takes
from sluice.core.hooks import gate_call, rollback_call
from sluice.core.rollout import Latch, Phase
from tests.builders import NOW, release
from tests.core.rollouts import baking


def test_a_gate_is_asked_about_one_step() -> None:
    rollout = baking().live

    assert gate_call(rollout, 1, NOW) == {
        "schema": 1,
        "id": f"{rollout.id}/1/baking",
        "at": NOW,
        "endpoint": "shop",
        "rollout": rollout.id,
        "release": {"name": "v2", "digest": release("v2").digest},
        "stable": {"name": "v1", "digest": release("v1").digest},
        "kind": "gate",
        "step": 2,
        "steps": 3,
        "weight_percent": 50.0,
    }


def test_a_rollback_is_told_with_its_cause_and_when_the_weights_were_back() -> None:
    rollout = baking(phase=Phase.VERIFYING, latch=Latch(NOW - 60, "alarm:x", "errors", True, NOW - 30)).live
    told = rollback_call(rollout, NOW)

    assert (told["kind"], told["cause"], told["weights_back_at"]) == ("rolled_back", "errors", NOW - 30)
    assert told["first_exposure_at"] == rollout.first_exposure_at
    assert rollback_call(replace(rollout, latch=None), NOW)["cause"] == rollout.because


def test_every_command_comes_by_the_alias_of_its_class_and_pipelines_neither_approve_nor_force() -> None:
    for action, word in CLASS_OF.items():
        assert [alias for alias in CommandClass if takes(alias, action)] == [word]
        assert takes(PIPELINE, action) == (word in (CommandClass.OBSERVE, CommandClass.OPERATE))
    assert not any(takes(alias, "destroy") for alias in (*CommandClass, PIPELINE))
