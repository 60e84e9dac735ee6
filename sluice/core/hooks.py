"""What hooks are sent: the documents that gates and rollback hooks of a policy get. Their keys are a contract with their authors."""

from __future__ import annotations

from sluice.core.record import Document
from sluice.core.rollout import Rollout

CALL_SCHEMA = 1
"""Version of the documents. Adding a key is fine; changing or removing one raises it."""


def gate_call(rollout: Rollout, index: int, now: int) -> Document:
    """The question of a gate. It agrees with `{"agree": true}`; anything else, and no answer, is no."""
    return {
        **_about(rollout, now),
        "kind": "gate",
        "step": index + 1,
        "steps": len(rollout.policy.steps),
        "weight_percent": rollout.policy.steps[index].weight_parts / 100,
    }


def rollback_call(rollout: Rollout, now: int) -> Document:
    """What a hook is told once stable has everything back."""
    latch = rollout.latch
    return {
        **_about(rollout, now),
        "kind": "rolled_back",
        "cause": latch.cause if latch else rollout.because,
        "first_exposure_at": rollout.first_exposure_at,
        "weights_back_at": latch.weights_back_at if latch else None,
    }


def _about(rollout: Rollout, now: int) -> Document:
    """Equal calls carry an equal `id`, so that one that is repeated can be told from a new one."""
    return {
        "schema": CALL_SCHEMA,
        "id": f"{rollout.id}/{rollout.step + 1}/{rollout.phase.value}",
        "at": now,
        "endpoint": rollout.endpoint,
        "rollout": rollout.id,
        "release": {"name": rollout.release.name, "digest": rollout.release.digest},
        "stable": {"name": rollout.stable.name, "digest": rollout.stable.digest},
    }
