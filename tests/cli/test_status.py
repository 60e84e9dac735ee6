"""`sluice status`: five answers on one screen."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sluice.cli.text import ICONS
from sluice.core.rollout import Phase
from tests.cli.conftest import NOW, Desk, baking, outcome, status

Golden = Callable[[str], None]


@pytest.mark.golden
def test_status_baking(desk: Desk, golden: Golden) -> None:
    desk.answers = [baking()]

    golden(desk.run("status", "dev-triage").transcript)


@pytest.mark.golden
def test_status_idle(desk: Desk, golden: Golden) -> None:
    answer = status(
        last_outcome=outcome(),
        next="nothing until `pulumi up` submits a release; slot green is given up in 2 h",
        drilled_at=NOW - 3 * 86_400,
    )
    desk.answers = [answer]

    golden(desk.run("status", "dev-triage").transcript)


@pytest.mark.golden
def test_status_rolling_back(desk: Desk, golden: Golden) -> None:
    said = "rolling back v2 from 25 %: alarm shop/dev/dev-triage/green/errors went off"
    coming = {"sentence": "v1 is watched once it has all traffic; a person is paged in 29 min", "earliest": None}
    desk.answers = [
        baking(
            phase="rolling_back",
            phase_since=NOW - 8,
            canary_parts=0,
            said=said,
            said_at=NOW,
            next={**coming, "latest": NOW + 1792, "then": "page"},
            stop=None,
        )
    ]

    golden(desk.run("status", "dev-triage").transcript)


@pytest.mark.golden
def test_status_when_sagemaker_does_not_answer(desk: Desk, golden: Golden) -> None:
    answer = baking(actual_parts=None, desired_parts=None, step=0, phase="rehearsing", canary_parts=0)
    fault = "ClientError: Throttling: Rate exceeded"
    answer["seen"] = {"status": None, "parts": None, "desired_parts": None, "fault": fault}
    desk.answers = [answer]

    golden(desk.run("status", "dev-triage").transcript)


@pytest.mark.golden
def test_status_stopped_and_queued(desk: Desk, golden: Golden) -> None:
    answer = baking(said="50 % waits: ann stopped every step up (incident 4711) until it is lifted")
    answer["obstacles"] = [
        {"kind": "stopped", "sentence": "ann stopped every step up 20 min ago: incident 4711; `lift` ends it"},
        {
            "kind": "needs",
            "sentence": "`approve` for 50 % by arn:aws:sts::123456789012:assumed-role/oncall/*, "
            "but not by arn:aws:iam::123456789012:user/ci, who submitted it",
        },
        {
            "kind": "cooling",
            "sentence": "v3 is kept out for another 21 h 50 min: alarm shop/dev/dev-triage/green/errors went off",
        },
    ]
    answer["queued"] = {"release": "v4", "digest": "4" * 64, "submitted_by": "arn:aws:iam::123456789012:user/ci"}
    desk.answers, desk.width = [answer], 80

    golden(desk.run("status", "dev-triage").transcript)


@pytest.mark.parametrize(("phase", "kind"), [("paused", "paused"), ("awaiting_approval", "needs")])
def test_what_the_phase_says_is_not_said_twice(desk: Desk, phase: str, kind: str) -> None:
    answer = baking(phase=phase)
    answer["obstacles"] = [{"kind": kind, "sentence": "once"}, {"kind": "frozen", "sentence": "freeze 'sale'"}]
    desk.answers = [answer]

    out = desk.run("status", "dev-triage").out

    assert "once" not in out
    assert "  frozen   freeze 'sale'\n" in out


def test_what_is_queued_between_rollouts_begins_with_the_next_sweep(desk: Desk) -> None:
    desk.answers = [status(queued={"release": "v4", "digest": "4" * 64, "submitted_by": "ci"})]

    assert "queued   v4, submitted by ci, begins within a minute" in desk.run("status", "dev-triage").out


def test_a_slot_that_gets_requests_without_a_rollout_is_shown(desk: Desk) -> None:
    """Somebody set weights in the console."""
    parts = {"blue": 7000, "green": 3000}
    desk.answers = [status(seen={"status": "InService", "parts": parts, "desired_parts": parts, "fault": None})]

    assert "v1 (champion, slot blue) 70 %, something (slot green) 30 %;" in desk.run("status", "dev-triage").out


def test_an_end_whose_sentence_does_not_name_the_release_gets_its_name(desk: Desk) -> None:
    desk.answers = [
        status(last_outcome=outcome("failed", because="no weight call was accepted for 24 h: see the endpoint"))
    ]

    out = desk.run("status", "dev-triage").out

    assert "✖ v3 failed: no weight call was accepted for 24 h: see the endpoint (2 h 10 min" in out


def test_without_a_heartbeat_an_unseen_endpoint_is_only_said_to_be_unseen(desk: Desk) -> None:
    desk.answers = [status(seen={"status": None, "parts": None, "desired_parts": None, "fault": "Timeout: x"})]

    assert "traffic cannot be seen now (Timeout: x)\n" in desk.run("status", "dev-triage").out


def test_a_pipe_is_not_wrapped(desk: Desk) -> None:
    desk.answers, desk.width = [baking()], None

    lines = desk.run("status", "dev-triage").out.splitlines()

    assert len(lines) == 6
    assert any("requests of 100 needed (50 s ago)" in line for line in lines)


def test_json_is_the_answer_itself(desk: Desk) -> None:
    desk.answers = [baking()]

    assert json.loads(desk.run("status", "dev-triage", "--json").out) == baking()


def test_the_command_to_stop_repeats_the_options_given(desk: Desk) -> None:
    desk.answers = [baking(stop="rollback")]

    out = desk.run("status", "triage", "--project", "other", "--stack", "prod", "--region", "us-east-2").out

    assert "sluice rollback prod/triage --project other --region us-east-2 --reason WHY" in out
    assert desk.asked == [("other-prod-command", "us-east-2", {"action": "status", "endpoint": "triage"})]


def test_every_phase_has_an_icon_of_its_own() -> None:
    assert ICONS.keys() == set(Phase)
    assert len(set(ICONS.values())) == len(Phase)
    assert all(len(icon) == 1 for icon in ICONS.values())


def test_a_phase_this_version_does_not_know_is_shown_all_the_same(desk: Desk) -> None:
    desk.answers = [baking(phase="meditating")]

    assert "? v2 in slot green: meditating for 4 min 50 s" in desk.run("status", "dev-triage").out


@pytest.mark.parametrize(
    ("phase", "obstacles", "line"),
    [
        ("awaiting_approval", ["needs"], "go on    sluice approve dev/dev-triage --reason WHY"),
        ("paused", ["paused"], "go on    sluice resume dev/dev-triage --reason WHY"),
        ("baking", ["harm"], "go on    sluice resume dev/dev-triage --reason WHY"),
        ("paused", [], None),
        ("baking", ["frozen"], None),
    ],
)
def test_where_it_waits_for_a_persons_word_that_word_is_shown(
    desk: Desk, phase: str, obstacles: list[str], line: str | None
) -> None:
    stands = {**baking(phase=phase), "obstacles": [{"kind": kind, "sentence": "because"} for kind in obstacles]}
    desk.answers = [stands]

    shown = [found.strip() for found in desk.run("status", "dev-triage", "--no-color").out.splitlines()]

    assert [found for found in shown if found.startswith("go on")] == ([] if line is None else [line])
