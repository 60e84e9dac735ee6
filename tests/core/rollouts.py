"""Records of a rollout in each phase, and what is read of a decision about one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sluice.core.actions import SetWeights
from sluice.core.decision import Decision
from sluice.core.head import Head
from sluice.core.rollout import Latch, Phase, Prepared
from tests.builders import NOW, policy, started
from tests.core.facts import endpoint, minutes, row

GREEN = "sluice/sluice/test/shop/green/errors"
HEALTHY = minutes(*[row((500, 0), (500, 0))] * 5)


def weights(decision: Decision) -> list[dict[str, int]]:
    return [dict(action.parts) for action in decision.actions if isinstance(action, SetWeights)]


def phase(decision: Decision) -> Phase | None:
    return decision.next.live.phase if decision.next.live else None


def preparing(**changes: Any) -> Head:
    return started(phase=Phase.PREPARING, **changes)


PREPARED = Prepared("model", "wanted", NOW - 60, None)
ON_WANTED = endpoint(config_name="wanted")


def baking(step_index: int = 0, since: int = NOW - 400, **changes: Any) -> Head:
    parts = policy().steps[step_index].weight_parts
    fields = {
        "phase": Phase.BAKING,
        "step": step_index,
        "canary_parts": parts,
        "applied_at": since,
        "phase_since": since,
        "first_exposure_at": since - 20,
        "call_before": since - 10,
        **changes,
    }
    return started(**fields)


def soaking(**changes: Any) -> Head:
    made = baking(2, phase=Phase.SOAKING, **changes)
    assert made.live is not None
    return replace(made, champion=replace(made.champion, slot="green", release=made.live.release))


def rolling_back(**changes: Any) -> Head:
    latch = Latch(NOW - 30, "alarm:x", "alarm went off", True, None)
    fields = {"phase": Phase.ROLLING_BACK, "phase_since": NOW - 30, "canary_parts": 0, "latch": latch, **changes}
    return baking(1, **fields)
