"""A second release while one is being tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.actions import Notify
from sluice.core.begin import begin, begin_queued
from sluice.core.conditions import OnNewRelease
from sluice.core.errors import Refused
from sluice.core.head import Head, Quarantine
from sluice.core.outlook import between_rollouts
from sluice.core.rollout import Latch, Phase
from tests.builders import NOW, head, policy, release, submission
from tests.core.rollouts import baking, phase, soaking, weights

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


def test_one_that_is_wanted_back_waits_until_the_live_one_went_back_as_harmful() -> None:
    older = replace(submission(release=release("v0"), nonce="back"), is_emergency=True, submitted_by="arn:ann")
    for live in (baking(), soaking()):
        taken = begin(live, older, NOW)
        assert (phase(taken), taken.next.queued) == (Phase.ROLLING_BACK, older)
        assert [bad.release_name for bad in taken.next.quarantine] == ["v2"]
    latched = begin(baking(phase=Phase.ROLLING_BACK, latch=Latch(NOW, "x", "y", True, None)), older, NOW)
    assert latched.kind == "queued"
