"""Functions of a program and their invocations: what is called, when again, and what a failure does to the run."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import ResourceOptions

from sluice.sandbox.engine.program import ProgramFailed
from tests.sandbox.stacks import answer, client, code, function, ops


def test_code_and_settings_of_a_function_have_a_call_each(stack):
    stack.up(lambda: function("f"))

    stack.up(lambda: function("f", code=code("changed = 1")))
    assert stack.writes == ["UpdateFunctionCode"]

    stack.up(lambda: function("f", code=code("changed = 1"), environment={"variables": {"A": "1"}}))
    assert stack.writes == ["UpdateFunctionConfiguration"]

    stack.up(lambda: function("f", code=code("changed = 1")))
    assert stack.sent("UpdateFunctionConfiguration")["Environment"] == {"Variables": {}}, "what is gone is cleared"


def test_code_from_a_folder_changes_with_its_content_not_its_path(stack, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text("def handler(event, context): return 1")

    stack.up(lambda: function("f", code=pulumi.FileArchive(str(tmp_path / "one"))))
    assert stack.up(lambda: function("f", code=pulumi.FileArchive(str(tmp_path / "two")))).changes == ()

    (tmp_path / "two" / "app.py").write_text("def handler(event, context): return 2")
    assert ops(stack.up(lambda: function("f", code=pulumi.FileArchive(str(tmp_path / "two"))))) == ["update:f"]


def submit(digest: str = "d1", scope: str | None = None, options: ResourceOptions | None = None, **more):
    made = function("f")
    given = {"input": json.dumps({"release": digest}), "triggers": {"digest": "d1"}, **more}
    result = aws.lambda_.Invocation("i", function_name=made.name, lifecycle_scope=scope, opts=options, **given)
    pulumi.export("result", result.result)


def test_an_invocation_calls_its_function_once_and_its_answer_is_an_output(stack):
    stack.answers["Invoke"] = lambda parameters: answer({"started": json.loads(parameters["Payload"])["release"]})

    result = stack.up(submit)

    assert json.loads(result.outputs["result"]) == {"started": "d1"}
    assert stack.up(submit).changes == ()
    assert stack.calls == []


def test_a_new_input_invokes_again_by_replacement_and_an_ignored_one_does_not(stack):
    stack.answers["Invoke"] = lambda parameters: answer("ok")
    ignoring = ResourceOptions(ignore_changes=["input"])
    stack.up(submit)

    assert ops(stack.up(lambda: submit("d2"))) == ["replace:i"]
    assert stack.writes == ["Invoke"], "CREATE_ONLY: deleting the old one calls nothing"
    assert ops(stack.up(lambda: submit("d3", options=ignoring))) == []
    assert ops(stack.up(lambda: submit("d3", options=ignoring, triggers={"digest": "d3"}))) == ["replace:i"]
    assert json.loads(stack.sent("Invoke")["Payload"]) == {"release": "d3"}
    assert ops(stack.destroy())[0] == "delete:i"
    assert "Invoke" not in stack.writes


def test_an_invocation_with_crud_tells_what_is_happening_and_what_was_before(stack):
    told = []
    stack.answers["Invoke"] = lambda parameters: told.append(json.loads(parameters["Payload"])) or answer("ok")

    stack.up(lambda: submit("d1", scope="CRUD"))
    assert ops(stack.up(lambda: submit("d2", scope="CRUD"))) == ["update:i"]
    stack.destroy()

    assert told == [
        {"release": "d1", "tf": {"action": "create", "prev_input": None}},
        {"release": "d2", "tf": {"action": "update", "prev_input": {"release": "d1"}}},
        {"release": "d2", "tf": {"action": "delete", "prev_input": {"release": "d2"}}},
    ]


def test_a_function_that_fails_fails_the_run_with_its_own_words(stack):
    fault = {"errorMessage": "release d1 is quarantined. Submit another", "errorType": "Refused"}
    stack.answers["Invoke"] = lambda parameters: answer(fault, failed=True)

    with pytest.raises(ProgramFailed) as raised:
        stack.up(submit)

    (message,) = raised.value.messages
    assert message.startswith("aws:lambda/invocation:Invocation 'i': function 'f-")
    assert message.endswith("failed: release d1 is quarantined. Submit another")
    assert "i" not in [record.name for record in stack.engine.state.resources.values()]

    stack.answers["Invoke"] = lambda parameters: answer("ok")
    assert ops(stack.up(submit)) == ["create:i"], "the next run carries on where this one stopped"


def test_a_guard_that_refuses_stops_the_destruction_before_anything_is_gone(stack):
    stack.answers["Invoke"] = lambda parameters: answer("ok")
    stack.up(lambda: submit(scope="CRUD"))
    stack.answers["Invoke"] = lambda parameters: answer({"errorMessage": "a rollout is live"}, failed=True)

    with pytest.raises(ProgramFailed, match="a rollout is live"):
        stack.destroy()

    assert stack.writes == ["Invoke"]
    assert client("lambda").list_functions()["Functions"] != []


def test_the_data_source_invokes_on_every_run(stack):
    stack.answers["Invoke"] = lambda parameters: answer({"live": "d1"})

    def program():
        found = aws.lambda_.get_invocation_output(function_name=function("f").name, input="{}")
        pulumi.export("live", found.result)

    for _ in range(2):
        assert json.loads(stack.up(program).outputs["live"]) == {"live": "d1"}
        assert "Invoke" in stack.writes
