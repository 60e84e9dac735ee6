"""A slot that stays warm with the release before: remembered when a rollout settles, and not built again for the way back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.decide import decide
from sluice.core.head import Standby
from sluice.core.rollout import Prepared
from tests.builders import NOW, release
from tests.core.facts import CONFIGURED, endpoint, seen
from tests.core.rollouts import preparing, soaking


def test_a_slot_that_kept_the_release_is_not_built_again() -> None:
    warm = seen(endpoint(), configured=CONFIGURED)
    kept = Standby("green", release("v2"), "model-v2")
    decision = decide(replace(preparing(is_emergency=True), standby=kept), warm, NOW)

    assert (decision.kind, decision.actions) == ("slot_warm", ())
    assert decision.next.live.prepared == Prepared("model-v2", "bootstrap", NOW, None, "model-v1")
    ordinary = decide(replace(preparing(), standby=kept), warm, NOW)
    assert (ordinary.kind, ordinary.next.standby) == ("slot_asked", None), "it also brings new settings"


@pytest.mark.parametrize(
    "other",
    [
        Standby("green", release("v0"), "model-v2"),
        Standby("green", release("v2"), "model-vX"),
        Standby("third", release("v2"), "model-v2"),
        None,
    ],
)
def test_any_other_slot_is(other: Standby | None) -> None:
    head = replace(preparing(is_emergency=True), standby=other)

    assert decide(head, seen(endpoint(), configured=CONFIGURED), NOW).kind == "slot_asked"


def test_what_stays_warm_is_remembered_when_it_settles() -> None:
    soaked = soaking(prepared=Prepared("m", "c", NOW, NOW, "model-v1"), since=NOW - 4000)
    old = soaking(prepared=None, since=NOW - 4000)

    assert decide(soaked, seen(endpoint(0, 10_000)), NOW).next.standby == Standby("blue", release("v1"), "model-v1")
    assert decide(old, seen(endpoint(0, 10_000)), NOW).next.standby is None
