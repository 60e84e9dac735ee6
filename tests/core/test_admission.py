"""Every reason not to try a release. What a policy requires of it is in test_required."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.begin import begin
from sluice.core.errors import BadInput, Refused
from sluice.core.head import Outcome, Quarantine
from sluice.core.rollout import Phase
from tests.builders import NOW, head, release, submission


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
