"""A second release, and the way back to an older one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.actions import Notify
from sluice.core.begin import back_to, begin, begin_queued
from sluice.core.conditions import DatedFreeze, OnNewRelease
from sluice.core.decide import decide
from sluice.core.errors import Refused
from sluice.core.head import Champion, Head, Quarantine, Standby
from sluice.core.outlook import between_rollouts
from sluice.core.rollout import Latch, Phase, Prepared
from tests.builders import NOW, head, policy, release, submission
from tests.core.facts import CONFIGURED, endpoint, seen
from tests.core.test_decide import baking, phase, preparing, soaking, weights

V3 = submission(release=release("v3"), nonce="3", submitted_by="arn:ci")


def wishing(wish: OnNewRelease, made: Head | None = None) -> Head:
    found = made or baking()
    assert found.live is not None
    return replace(found, live=replace(found.live, policy=policy(on_new_release=wish)))


def test_a_second_release_is_refused_unless_the_policy_of_the_first_says_otherwise() -> None:
    with pytest.raises(Refused, match=r"is live \(baking\)\. Wait for it to end or abort it before submitting v3"):
        begin(baking(), V3, NOW)


def test_queued_it_waits_and_then_begins() -> None:
    queued = begin(wishing(OnNewRelease.QUEUE), V3, NOW)
    again = begin(queued.next, V3, NOW)
    ended = replace(queued.next, live=None)

    assert (queued.kind, queued.next.queued, queued.actions) == ("queued", V3, ())
    assert (again.kind, again.because[:15]) == (None, "v3 waits alread")
    assert ended.is_unfinished, "the sweep has to find it"
    assert between_rollouts(ended, NOW) == "the sweep starts v3, which was waiting, within a minute"
    begun = begin_queued(ended, NOW)
    assert (begun.next.live.release.name, begun.next.live.submitted_by, begun.next.queued) == ("v3", "arn:ci", None)


def test_superseded_the_first_goes_back_unharmed_and_the_second_waits_for_that() -> None:
    taken = begin(wishing(OnNewRelease.SUPERSEDE), V3, NOW)

    assert (phase(taken), taken.next.queued, taken.next.quarantine) == (Phase.ROLLING_BACK, V3, ())
    assert weights(taken) == [{"blue": 10_000, "green": 0}]
    assert "superseded by v3" in taken.because


def test_what_is_promoted_is_not_taken_back_for_a_newer_release() -> None:
    waits = begin(wishing(OnNewRelease.SUPERSEDE, soaking()), V3, NOW)

    assert (phase(waits), waits.kind, waits.next.queued) == (Phase.SOAKING, "queued", V3)


def test_a_harmful_release_is_not_even_queued() -> None:
    bad = Quarantine(V3.release.content, "v3", NOW + 60, "errors")

    with pytest.raises(Refused, match="is quarantined"):
        begin(replace(wishing(OnNewRelease.QUEUE), quarantine=(bad,)), V3, NOW)


def test_what_must_not_begin_any_more_is_dropped_and_told() -> None:
    bad = Quarantine(V3.release.content, "v3", NOW + 60, "errors")
    dropped = begin_queued(replace(head(), queued=V3, quarantine=(bad,)), NOW)
    serves = begin_queued(replace(head(), queued=replace(V3, release=release("v1"))), NOW)

    assert (dropped.kind, dropped.next.queued, dropped.next.live) == ("queue_dropped", None, None)
    assert any(isinstance(action, Notify) for action in dropped.actions)
    assert (serves.kind, serves.next.queued) == ("queue_dropped", None)
    assert begin_queued(head(), NOW).kind is None


class TestBackTo:
    LAST = submission(policy=policy(freeze=(DatedFreeze("dates", "x", NOW, NOW + 60),)))

    def settled(self, **changes: Any) -> Head:
        serving = replace(head(), champion=Champion("green", release("v2")), previous=(release("v1"), release("v0")))
        serving = replace(serving, snapshot=self.LAST)
        return replace(serving, **changes)

    def test_a_kept_release_comes_back_in_one_step_with_nothing_in_its_way(self) -> None:
        wanted = back_to(self.settled(), "v0", "arn:ann")

        assert (wanted.release.name, wanted.is_emergency, wanted.submitted_by) == ("v0", True, "arn:ann")
        assert [step.weight_parts for step in wanted.policy.steps] == [10_000]
        assert (wanted.policy.freeze, wanted.policy.metrics) == ((), self.LAST.policy.metrics)
        begun = begin(self.settled(), wanted, NOW).next.live
        assert (begun.from_slot, begun.to_slot, begun.is_emergency) == ("green", "blue", True)

    def test_it_is_found_by_its_digest_too(self) -> None:
        assert back_to(self.settled(), release("v1").digest[:10], "x").release.name == "v1"

    @pytest.mark.parametrize("wanted", ["v2", "v9", ""])
    def test_what_serves_and_what_is_not_kept_is_refused(self, wanted: str) -> None:
        with pytest.raises(Refused, match=r"kept release is called .*\(kept: v1 \("):
            back_to(self.settled(), wanted, "x")

    def test_where_nothing_was_ever_rolled_out_the_way_is_not_known(self) -> None:
        with pytest.raises(Refused, match="nothing was ever rolled out here"):
            back_to(self.settled(snapshot=None), "v1", "x")

    def test_during_a_rollout_stable_is_kept_too(self) -> None:
        assert back_to(replace(soaking(), snapshot=self.LAST), "v1", "x").release.name == "v1"

    def test_a_way_back_is_not_what_the_next_submission_is_like(self) -> None:
        begun = begin(self.settled(), back_to(self.settled(), "v0", "x"), NOW).next

        assert begun.snapshot == self.LAST
        assert begin(head(), V3, NOW).next.snapshot == V3

    def test_during_a_rollout_that_goes_back_first_as_harmful(self) -> None:
        older = replace(submission(release=release("v0"), nonce="back"), is_emergency=True, submitted_by="arn:ann")
        for live in (baking(), soaking()):
            taken = begin(live, older, NOW)
            assert (phase(taken), taken.next.queued) == (Phase.ROLLING_BACK, older)
            assert [bad.release_name for bad in taken.next.quarantine] == ["v2"]
        latched = begin(baking(phase=Phase.ROLLING_BACK, latch=Latch(NOW, "x", "y", True, None)), older, NOW)
        assert latched.kind == "queued"

    def test_a_slot_that_kept_the_release_is_not_built_again(self) -> None:
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
    def test_any_other_slot_is(self, other: Standby | None) -> None:
        head = replace(preparing(is_emergency=True), standby=other)

        assert decide(head, seen(endpoint(), configured=CONFIGURED), NOW).kind == "slot_asked"

    def test_what_stays_warm_is_remembered_when_it_settles(self) -> None:
        soaked = soaking(prepared=Prepared("m", "c", NOW, NOW, "model-v1"), since=NOW - 4000)
        old = soaking(prepared=None, since=NOW - 4000)

        assert decide(soaked, seen(endpoint(0, 10_000)), NOW).next.standby == Standby("blue", release("v1"), "model-v1")
        assert decide(old, seen(endpoint(0, 10_000)), NOW).next.standby is None
