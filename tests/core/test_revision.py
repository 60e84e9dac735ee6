"""Counts and settings without a release: recorded by `up`, carried out between rollouts, given up with a page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.actions import Notify, SetInstances
from sluice.core.begin import begin
from sluice.core.errors import BadInput
from sluice.core.head import Head, Revision
from sluice.core.observation import Variant
from sluice.core.outlook import between_rollouts
from sluice.core.revision import CAPACITY_SECONDS, carry_out, revise
from tests.builders import NOW, SETTINGS, head, started, submission
from tests.core.facts import endpoint, seen

KEY = replace(SETTINGS, kms_key_arn="key")


def asked(instances: int = 3, called_at: int | None = None) -> Head:
    return replace(head(), instances=instances, revision=Revision(instances, called_at))


def carried(at: Head, current: int = 1, desired: int = 1, now: int = NOW, **facts: Any):
    assert at.revision is not None
    variants = {"blue": Variant(1, 1, current, desired)}
    return carry_out(at, at.revision, seen(endpoint(variants=variants, **facts)), now)


def test_what_was_asked_for_before_changes_nothing():
    decision = revise(head(), 1, SETTINGS, NOW)

    assert decision.kind is None
    assert decision.next == head()


def test_a_count_is_recorded_and_no_call_is_made():
    decision = revise(head(), 3, SETTINGS, NOW)

    assert decision.because == "endpoint 'shop' was revised: 3 instances instead of 1, within minutes"
    assert (decision.kind, decision.actions) == ("revised", ())
    assert (decision.next.instances, decision.next.revision) == (3, Revision(3, None))
    assert between_rollouts(decision.next, NOW).endswith("; slot blue goes to 3 instances")


def test_settings_wait_for_the_next_configuration_and_move_nothing():
    decision = revise(head(), 1, KEY, NOW)

    assert "new endpoint settings, used by the next configuration" in decision.because
    assert (decision.next.settings, decision.next.revision) == (KEY, None)


def test_during_a_rollout_it_is_recorded_for_afterwards():
    rolling = started()
    decision = revise(rolling, 3, SETTINGS, NOW)

    assert "once rollout shop-" in decision.because
    assert decision.next.live == rolling.live, "the rollout runs on its snapshot"


def test_a_count_below_one_is_refused():
    with pytest.raises(BadInput, match="instances: must be at least 1, got 0"):
        revise(head(), 0, SETTINGS, NOW)


def test_the_call_is_for_the_champions_count_and_its_intent_is_recorded_first():
    decision = carried(asked())

    assert decision.actions == (SetInstances("shop", "blue", 3),)
    assert (decision.kind, decision.next.revision) == ("revising", Revision(3, NOW))


def test_a_lost_call_is_made_again_and_a_busy_endpoint_is_waited_for():
    again = carried(asked(called_at=NOW - 60))
    busy = carried(asked(called_at=NOW - 60), desired=3, status="Updating")

    assert (again.kind, again.actions) == (None, (SetInstances("shop", "blue", 3),))
    assert (busy.actions, busy.because) == ((), "slot blue has 1 of 3 instances: endpoint is Updating")


def test_it_is_done_when_the_instances_are_there():
    decision = carried(asked(called_at=NOW - 60), current=3, desired=3)

    assert (decision.kind, decision.next.revision) == ("revision_done", None)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({}, "slot blue has 1 of 3 instances after 90 min: no reason given"),
        ({"failure_reason": "no capacity"}, "slot blue has 1 of 3 instances after 90 min: no capacity"),
    ],
)
def test_instances_that_never_come_are_told_and_not_asked_for_for_ever(facts: dict[str, str], sentence: str):
    decision = carried(asked(called_at=NOW - CAPACITY_SECONDS - 1), desired=3, **facts)

    assert (decision.kind, decision.because, decision.next.revision) == ("revision_failed", sentence, None)
    assert isinstance(decision.actions[0], Notify)


def test_a_slot_that_is_gone_is_told():
    at = asked()
    assert at.revision is not None
    decision = carry_out(at, at.revision, seen(endpoint(variants={})), NOW)

    assert decision.because == "slot blue is not on the endpoint, so it cannot have 3 instances"


def test_a_rollout_in_between_gives_it_its_whole_time_again():
    begun = begin(asked(called_at=NOW - 60), submission(), NOW).next

    assert begun.revision == Revision(3, None)
