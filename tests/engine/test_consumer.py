"""The example of an application team, beside the platform's stack on the same backend, under either engine."""

from __future__ import annotations

from tests.acceptance.conftest import Stage
from tests.acceptance.ward import CONFIG, PROGRAM
from tests.engine.test_state import beside


def test_an_application_teams_stack_is_made_from_the_exports_and_a_second_run_is_silent(stage: Stage) -> None:
    engine = beside(stage.sandbox.engine)

    made = engine.up(PROGRAM, "ward", "app", CONFIG)

    assert made.outputs == {"function": "ward-app", "asks": "dev-triage"}
    assert {(step.op, step.type.rpartition(":")[2], step.name) for step in made.changes} == {
        ("create", "Role", "ward"),
        ("create", "RolePolicy", "log"),
        ("create", "RolePolicyAttachment", "ask"),
        ("create", "LogGroup", "ward"),
        ("create", "Function", "ward"),
    }
    assert engine.up(PROGRAM, "ward", "app", CONFIG).changes == ()
