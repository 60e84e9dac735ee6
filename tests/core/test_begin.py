"""Taking an endpoint over, and starting a rollout on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.actions import StartClock
from sluice.core.begin import adopted, begin
from sluice.core.errors import BadInput
from tests.builders import NOW, SETTINGS, head, release, submission


def test_a_submission_becomes_a_pending_rollout_with_a_clock() -> None:
    decided = begin(head(), submission(), NOW)

    rollout = decided.next.live
    assert rollout is not None
    assert (rollout.from_slot, rollout.to_slot, rollout.canary_parts) == ("blue", "green", 0)
    assert StartClock("shop", rollout.id, f"{rollout.id}-g1") in decided.actions


def test_the_slot_that_does_not_serve_is_the_canarys() -> None:
    serving_green = replace(head(), champion=replace(head().champion, slot="green"))

    rollout = begin(serving_green, submission(), NOW).next.live

    assert rollout is not None
    assert (rollout.from_slot, rollout.to_slot) == ("green", "blue")


def test_a_release_that_serves_already_starts_nothing() -> None:
    decided = begin(head(), submission(release=release("v1")), NOW)

    assert decided.kind is None
    assert decided.because == "v1 serves already in blue"


def test_an_endpoint_that_serves_from_an_undeclared_variant_is_not_taken_over() -> None:
    with pytest.raises(BadInput, match="serves from variant 'AllTraffic', which is not one of its slots .blue, green"):
        adopted("shop", ("blue", "green"), SETTINGS, release("v1"), "AllTraffic")
