"""The one function that decides what a tick does. Pure: same head, same facts, same time, same answer."""

from __future__ import annotations

from collections.abc import Callable

from sluice.core.decision import Decision, live
from sluice.core.head import Head
from sluice.core.observation import Observation
from sluice.core.prepare import pending, preparing, rehearsing
from sluice.core.registry import rejection
from sluice.core.revert import lost, roll_back, rolling_back, verifying
from sluice.core.rollout import Phase
from sluice.core.soak import soaking
from sluice.core.steps import awaiting_approval, baking, paused, shifting

_BY_PHASE: dict[Phase, Callable[[Head, Observation, int], Decision]] = {
    Phase.PENDING: pending,
    Phase.PREPARING: preparing,
    Phase.REHEARSING: rehearsing,
    Phase.SHIFTING: shifting,
    Phase.BAKING: baking,
    Phase.AWAITING_APPROVAL: awaiting_approval,
    Phase.PAUSED: paused,
    Phase.SOAKING: soaking,
    Phase.ROLLING_BACK: rolling_back,
    Phase.VERIFYING: verifying,
}


def decide(head: Head, seen: Observation, now: int) -> Decision:
    """What to do about the endpoint's live rollout, from the facts at `now` (seconds since the epoch)."""
    if seen.endpoint.is_lost:
        return lost(head, seen, now)
    rejected = rejection(live(head).release, seen.package)
    if rejected is not None:
        return roll_back(head, now, "tick", rejected, harmful=True)
    return _BY_PHASE[live(head).phase](head, seen, now)
