"""`sluice watch`: until it ends, one line for each change."""

from __future__ import annotations

import pytest

from sluice.cli.invoke import CommandFailed
from sluice.cli.text import phase_cell
from sluice.core.rollout import Phase
from tests.cli.conftest import NOW, Desk, baking, outcome, status

ENDED = {"rollout_id": "dev-triage-22222222-2", "release_name": "v2"}


@pytest.mark.parametrize(
    ("phase", "because", "code"),
    [
        ("settled", "v2 is settled after 24 h", 0),
        ("rolled_back", "v2 was rolled back: alarm", 1),
        ("failed", "v2 is stuck", 1),
    ],
)
def test_it_ends_with_the_rollout_and_says_how(desk: Desk, phase: str, because: str, code: int) -> None:
    desk.width = None
    later = baking(said="holding 25 %: 5 min of 5 min passed", said_at=NOW + 5)
    desk.answers = [baking(), baking(), later, status(last_outcome=outcome(phase, because=because, **ENDED))]

    ran = desk.run("watch", "dev-triage", "--no-color")

    lines = ran.out.splitlines()
    assert ran.exit_code == code
    assert len(lines) == 3, "what did not change is not said again"
    assert lines[0].startswith("2026-01-05 09:22:00  ◑ baking           25 %     25 %  holding 25 %: 4 min")
    assert lines[-1].endswith(because)
    assert desk.clock == 15


def test_nothing_to_watch_shows_how_things_stand(desk: Desk) -> None:
    desk.width = None
    desk.answers = [status(last_outcome=outcome("rolled_back"))]

    ran = desk.run("watch", "dev-triage")

    assert ran.exit_code == 0, "an older rollout's end is not what was watched"
    assert "no rollout is live" in ran.out


def test_a_look_that_fails_is_said_and_tried_again(desk: Desk) -> None:
    desk.width = None
    lost = ConnectionError("no route")
    desk.answers = [
        baking(),
        CommandFailed(str(lost)),
        status(last_outcome=outcome("settled", because="v2 settled", **ENDED)),
    ]

    ran = desk.run("watch", "dev-triage")

    assert ran.exit_code == 0
    assert "no route" in ran.out


def test_its_time_runs_out(desk: Desk) -> None:
    desk.width = None
    desk.answers = [baking()]

    assert desk.run("watch", "dev-triage", "--within", "20").exit_code == 3
    assert desk.clock == 20


def test_on_a_terminal_everything_is_drawn_and_the_last_picture_stays(desk: Desk) -> None:
    desk.answers = [baking(), status(last_outcome=outcome("settled", because="v2 is settled", **ENDED))]

    ran = desk.run("watch", "dev-triage", "--no-color")

    assert ran.exit_code == 0
    assert "no rollout is live" in ran.out
    assert ran.out.rstrip().endswith("v2 is settled")


def test_every_phase_fits_its_column() -> None:
    assert {len(phase_cell(phase.value)) for phase in Phase} == {12}
