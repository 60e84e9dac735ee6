"""Starting a rollout, and every reason not to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.actions import StartClock
from sluice.core.begin import adopted, back_to, begin
from sluice.core.errors import BadInput, Refused
from sluice.core.head import Outcome, Quarantine
from sluice.core.rollout import Phase
from tests.builders import NOW, SETTINGS, head, release, started, submission


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


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"schema": 7}, "submission.schema: this control plane reads version 1, got 7"),
        ({"nonce": "a b"}, "submission.nonce: must be 1 to 40 letters"),
        ({"instances": 0}, "submission.instances: must be at least 1, got 0"),
        ({"slots": ("blue", "green"), "alarms": {}}, "submission.alarms: no alarms for slot 'green'"),
    ],
)
def test_a_malformed_submission_is_refused_with_every_fault(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        begin(head(), submission(**change), NOW)


def test_a_quarantined_model_is_refused_until_its_time_is_over() -> None:
    bad = release("v2")
    quarantined = replace(head(), quarantine=(Quarantine(bad.content, "v2", NOW + 3600, "alarm went off"),))
    twin = replace(release("v2"), name="v2-again", instance_type="ml.c5.large")

    with pytest.raises(Refused, match="v2-again has the model of v2, which was rolled back .alarm went off"):
        begin(quarantined, submission(release=twin), NOW)
    assert begin(quarantined, submission(), NOW + 3601).kind == "submitted"
    assert begin(quarantined, submission(release=release("v3")), NOW).kind == "submitted"


@pytest.mark.parametrize(
    ("phase", "refused"), [(Phase.ROLLED_BACK, True), (Phase.FAILED, True), (Phase.SETTLED, False)]
)
def test_what_failed_is_not_tried_again_by_accident(phase: Phase, refused: bool) -> None:
    failed = Outcome("id", "v2", release("v2").digest, "1", phase, "smoke test failed", NOW)
    after = replace(head(), outcome=failed)

    assert begin(replace(after, outcome=replace(failed, nonce="0")), submission(), NOW).kind == "submitted"
    if refused:
        with pytest.raises(Refused, match="To try it again on purpose, change `nonce` .now '1'"):
            begin(after, submission(), NOW)
    else:
        assert begin(after, submission(), NOW).kind == "submitted"
    assert begin(after, submission(nonce="2"), NOW).kind == "submitted"


class TestBackToAnUnknownRelease:
    def test_with_nothing_live_the_kept_ones_are_named(self) -> None:
        settled = replace(head(), previous=(release("v0"),))

        with pytest.raises(Refused, match=r"no kept release is called 'v7' \(kept: v0 \(\w{12}\)\)\.$"):
            back_to(settled, "v7", "ann")

    def test_with_something_live_it_is_said_that_none_need_be_named(self) -> None:
        with pytest.raises(
            Refused, match=r"\(kept: none\)\. v2 is live: without `--to` it is taken back, and v1 serves\.$"
        ):
            back_to(started(), "v7", "ann")
