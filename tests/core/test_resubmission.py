"""The way back to an older release, and what the next submission is like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.begin import begin
from sluice.core.conditions import DatedFreeze
from sluice.core.errors import Refused
from sluice.core.head import Champion, Head
from sluice.core.resubmission import back_to
from tests.builders import NOW, head, policy, release, started, submission
from tests.core.rollouts import soaking

LAST = submission(policy=policy(freeze=(DatedFreeze("dates", "x", NOW, NOW + 60),)))


def settled(**changes: Any) -> Head:
    serving = replace(head(), champion=Champion("green", release("v2")), previous=(release("v1"), release("v0")))
    serving = replace(serving, snapshot=LAST)
    return replace(serving, **changes)


def test_a_kept_release_comes_back_in_one_step_with_nothing_in_its_way() -> None:
    wanted = back_to(settled(), "v0", "arn:ann")

    assert (wanted.release.name, wanted.is_emergency, wanted.submitted_by) == ("v0", True, "arn:ann")
    assert [step.weight_parts for step in wanted.policy.steps] == [10_000]
    assert (wanted.policy.freeze, wanted.policy.metrics) == ((), LAST.policy.metrics)
    begun = begin(settled(), wanted, NOW).next.live
    assert (begun.from_slot, begun.to_slot, begun.is_emergency) == ("green", "blue", True)


def test_it_is_found_by_its_digest_too() -> None:
    assert back_to(settled(), release("v1").digest[:10], "x").release.name == "v1"


@pytest.mark.parametrize(
    ("wanted", "why"),
    [("v2", "v2 serves already"), ("v9", "no kept release is called 'v9'"), ("", "no kept release is called ''")],
)
def test_what_serves_and_what_is_not_kept_is_refused(wanted: str, why: str) -> None:
    with pytest.raises(Refused, match=rf": {why} \(kept: v1 \("):
        back_to(settled(), wanted, "x")


def test_where_nothing_was_ever_rolled_out_the_way_is_not_known() -> None:
    with pytest.raises(Refused, match="nothing was ever rolled out here"):
        back_to(settled(snapshot=None), "v1", "x")


def test_during_a_rollout_stable_is_kept_too() -> None:
    assert back_to(replace(soaking(), snapshot=LAST), "v1", "x").release.name == "v1"


def test_a_way_back_is_not_what_the_next_submission_is_like() -> None:
    other, begun = submission(release=release("v3")), begin(settled(), back_to(settled(), "v0", "x"), NOW).next

    assert begun.snapshot == LAST
    assert begin(head(), other, NOW).next.snapshot == other


def test_with_nothing_live_the_kept_ones_are_named() -> None:
    settled = replace(head(), previous=(release("v0"),))

    with pytest.raises(Refused, match=r"no kept release is called 'v7' \(kept: v0 \(\w{12}\)\)\.$"):
        back_to(settled, "v7", "ann")


def test_with_something_live_it_is_said_that_none_need_be_named() -> None:
    with pytest.raises(
        Refused, match=r"\(kept: none\)\. v2 is live: without `--to` it is taken back, and v1 serves\.$"
    ):
        back_to(started(), "v7", "ann")
