"""Runs of Pulumi programs in process: loading, failing, previewing, destroying, one independent of the other."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest
import time_machine

from sluice.sandbox.engine.program import Engine, ProgramFailed
from sluice.sandbox.engine.state import State
from sluice.sandbox.engine.wire import Secret
from tests.sandbox.stacks import Stack, client, function, model, ops


def queues(*names: str) -> None:
    for name in names:
        aws.sqs.Queue(name)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


# loading


def test_a_program_folder_is_its_working_directory_and_first_on_the_path(stack, tmp_path):
    main = "import os, pulumi, naming\npulumi.export('seen', [os.getcwd(), naming.PREFIX, __name__])\n"
    folder = write(tmp_path / "infra", __main__=main, naming="PREFIX = 'sluice'\n")
    before = Path.cwd()

    result = stack.up(folder)

    assert result.outputs["seen"] == [str(folder), "sluice", "__main__"]
    assert Path.cwd() == before
    assert str(folder) not in sys.path
    assert "naming" not in sys.modules


def test_a_module_changed_between_runs_is_read_again(stack, tmp_path):
    folder = write(
        tmp_path / "infra", __main__="import pulumi, naming\npulumi.export('p', naming.P)\n", naming="P = 1\n"
    )
    assert stack.up(folder).outputs == {"p": 1}

    write(folder, naming="P = 2\n")

    assert stack.up(folder).outputs == {"p": 2}


def test_a_program_s_module_does_not_take_the_place_of_one_already_imported(stack, tmp_path):
    """In a process of its own a module named like ours would simply be the program's: here both live on."""
    ours = sys.modules["tests.sandbox.stacks"]
    sys.modules["names"] = ours
    folder = write(tmp_path / "infra", __main__="import pulumi, names\npulumi.export('p', names.P)\n", names="P = 1\n")

    assert stack.up(folder).outputs == {"p": 1}
    assert sys.modules.pop("names") is ours


def test_a_folder_without_a_program_is_refused(stack, tmp_path):
    with pytest.raises(ProgramFailed, match="there is no Pulumi program here"):
        stack.up(tmp_path)


def test_configuration_reaches_the_program_and_secrets_in_it_are_secrets(stack):
    def program():
        config = pulumi.Config()
        pulumi.export("size", config.require_int("size"))
        pulumi.export("token", config.require_secret("token"))
        pulumi.export("who", [pulumi.get_project(), pulumi.get_stack(), pulumi.get_organization()])

    values = {"shop:size": "3", "shop:token": "t"}
    outputs = stack.engine.up(program, "shop", "test", values, secret_keys=["shop:token"]).outputs

    assert outputs["size"] == 3
    assert (repr(outputs["token"]), outputs["token"].value) == ("[secret]", "t")
    assert outputs["who"] == ["shop", "test", "organization"]
    with pytest.raises(ProgramFailed, match="Missing required configuration variable 'shop:size'"):
        stack.up(program)


def test_what_a_program_says_is_in_the_result(stack):
    def program():
        pulumi.log.warn("desired and live differ", resource=aws.sqs.Queue("q"))
        pulumi.log.info("hello")
        pulumi.log.debug("not this")

    messages = stack.up(program).messages

    assert sorted(messages) == [
        ("info", "hello", ""),
        ("warning", "desired and live differ", "urn:pulumi:test::shop::aws:sqs/queue:Queue::q"),
    ]


# failing


def test_an_unknown_property_is_an_error_that_names_it_and_all_are_named_at_once(stack):
    def program():
        pulumi.CustomResource("aws:sqs/queue:Queue", "q", {"delaySecond": 1, "colour": "red"})

    with pytest.raises(ProgramFailed) as raised:
        stack.up(program)

    assert len(raised.value.messages) == 2
    first = raised.value.messages[0]
    assert first.startswith("aws:sqs/queue:Queue 'q': property 'colour' is not known to the sandbox (CreateQueue")
    assert first.endswith("Correct its name, or add it to the type's table in sluice/sandbox/engine/resources")
    assert stack.writes == []


def test_an_unknown_property_deep_inside_is_found_by_its_path(stack):
    def program():
        variant = {"modelName": "m", "instanceKind": "x"}
        pulumi.CustomResource(
            "aws:sagemaker/endpointConfiguration:EndpointConfiguration", "c", {"productionVariants": [variant]}
        )

    with pytest.raises(ProgramFailed, match="property 'productionVariants.instanceKind' is not known"):
        stack.up(program)


def test_a_missing_property_and_an_unknown_type_are_errors(stack):
    with pytest.raises(ProgramFailed, match="Model 'm': property 'executionRoleArn' is required and missing"):
        stack.up(lambda: pulumi.CustomResource("aws:sagemaker/model:Model", "m", {}))
    with pytest.raises(ProgramFailed, match="the sandbox has no table for aws:ec2/vpc:Vpc. Add one"):
        stack.up(lambda: aws.ec2.Vpc("v"))


def test_a_name_used_twice_is_an_error(stack):
    with pytest.raises(ProgramFailed, match="registered twice .* Give one of the two another name"):
        stack.up(lambda: queues("q", "q"))


def test_a_program_s_own_exception_comes_out_with_its_message_and_nothing_is_deleted(stack):
    stack.up(lambda: queues("q"))

    def broken():
        raise ValueError("slots: at least two are needed")

    with pytest.raises(ProgramFailed, match="the program raised ValueError: slots: at least two are needed"):
        stack.up(broken)
    assert stack.writes == []


def test_what_the_program_says_is_wrong_with_its_input_is_all_that_is_said(stack):
    def refusing():
        raise pulumi.RunError("Pulumi.dev.yaml: sluice:endpoints: missing")

    with pytest.raises(ProgramFailed) as stopped:
        stack.up(refusing)

    assert str(stopped.value) == "Pulumi.dev.yaml: sluice:endpoints: missing"


def test_an_exception_inside_an_apply_fails_the_run(stack):
    with pytest.raises(ProgramFailed, match="ZeroDivisionError"):
        stack.up(lambda: pulumi.export("x", aws.sqs.Queue("q").url.apply(lambda _: 1 / 0)))


def test_what_succeeded_before_a_failure_is_kept_and_the_next_run_goes_on_from_there(stack):
    def program(attributes):
        table = aws.dynamodb.Table("t", attributes=attributes, hash_key="pk", billing_mode="PAY_PER_REQUEST")
        first = aws.sqs.Queue("first", opts=pulumi.ResourceOptions(depends_on=[]))
        aws.ssm.Parameter("last", type="String", value=pulumi.Output.concat(table.arn, first.url))

    with pytest.raises(ProgramFailed) as raised:
        stack.up(lambda: program([{"name": "other", "type": "S"}]))

    (message,) = raised.value.messages
    assert message.startswith("aws:dynamodb/table:Table 't': CreateTable was refused: ")
    good = [{"name": "pk", "type": "S"}]
    done = [step.name for step in raised.value.steps]
    assert ops(stack.up(lambda: program(good))) == [
        f"create:{name}" for name in ("t", "first", "last") if name not in done
    ]


def test_a_thing_half_made_is_finished_by_the_next_run(stack):
    fails = {"yes": True}

    def refuse(parameters):
        if fails["yes"]:
            raise KeyError("no answer")
        return {}

    stack.answers["PutFunctionConcurrency"] = refuse
    with pytest.raises(ProgramFailed, match="'f': it was made, but not finished"):
        stack.up(lambda: function("f", reserved_concurrent_executions=2))
    fails["yes"] = False

    result = stack.up(lambda: function("f", reserved_concurrent_executions=2))

    assert ops(result) == ["update:f"]
    assert "CreateFunction" not in stack.writes
    assert stack.sent("PutFunctionConcurrency")["ReservedConcurrentExecutions"] == 2


def test_a_program_that_waits_for_nothing_is_told_so_instead_of_hanging(stack):
    import asyncio

    with pytest.raises(ProgramFailed, match="waits for an output that nothing will ever set"):
        stack.up(lambda: pulumi.export("never", pulumi.Output.from_input(asyncio.Future())))


# state


def test_state_survives_being_written_to_json(stack):
    def program():
        queues("q")
        pulumi.export("s", pulumi.Output.secret("x"))

    stack.up(program)
    again = Engine(State.load(json.loads(json.dumps(stack.engine.state.dump()))), stack.session)
    stack.calls.clear()

    result = again.up(program, "shop", "test", {})

    assert result.changes == ()
    assert stack.calls == []
    assert again.state.dump() == stack.engine.state.dump()


def test_state_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version 7 is not known"):
        State.load({"version": 7})


def test_names_are_the_same_in_every_world_and_new_ones_are_drawn_for_replacements(stack):
    stack.up(model)
    first = stack.sent("CreateModel")["ModelName"]
    stack.up(lambda: model(enable_network_isolation=True))
    second = stack.sent("CreateModel")["ModelName"]
    stack.destroy()
    other = Stack()
    other.up(model)

    assert other.sent("CreateModel")["ModelName"] == first
    assert first != second
    assert first.startswith("model-")
    assert len(first) == len("model-") + 7


# preview and destroy


def test_a_preview_plans_and_changes_nothing(stack):
    known = []

    def program(attribute: str):
        table = aws.dynamodb.Table(
            "t", attributes=[{"name": attribute, "type": "S"}], hash_key=attribute, billing_mode="PAY_PER_REQUEST"
        )
        table.arn.apply(known.append)
        aws.ssm.Parameter("p", type="String", value=table.arn)
        queues("left")

    planned = stack.preview(lambda: program("a"))

    assert sorted(ops(planned)) == ["create:left", "create:p", "create:t"]
    assert (stack.writes, known) == ([], []), "an output that is not there yet is unknown, and applies wait"
    assert stack.engine.state.resources == {}

    stack.up(lambda: program("a"))
    dump = stack.engine.state.dump()
    again = stack.preview(lambda: program("b"))

    assert sorted(ops(again)) == ["replace:t", "update:p"]
    assert stack.engine.state.dump() == dump
    assert stack.calls == []
    assert sorted(ops(stack.preview(lambda: None))) == ["delete:left", "delete:p", "delete:t"]


def test_a_preview_of_an_update_knows_what_stays(stack):
    arns = []

    def program(seconds: int):
        aws.sqs.Queue("q", visibility_timeout_seconds=seconds).arn.apply(arns.append)

    stack.up(lambda: program(30))
    stack.preview(lambda: program(60))

    assert len(set(arns)) == 1
    assert len(arns) == 2


def test_destroying_removes_everything_in_reverse_and_a_second_time_does_nothing(stack):
    def program():
        aws.cloudwatch.LogGroup("logs", name=function("f").name.apply(lambda name: f"/aws/lambda/{name}"))

    stack.up(program)

    assert ops(stack.destroy()) == ["delete:logs", "delete:f", "delete:f-role"]
    assert (stack.destroy().steps, stack.engine.state.resources) == ((), {})


def test_what_is_already_gone_is_no_obstacle(stack):
    stack.up(lambda: queues("q"))
    client("sqs").delete_queue(QueueUrl=client("sqs").list_queues()["QueueUrls"][0])

    assert ops(stack.destroy()) == ["delete:q"]


def test_a_deletion_that_fails_leaves_the_rest_and_the_next_run_goes_on(stack):
    def program():
        bucket = aws.s3.Bucket("b")
        aws.ssm.Parameter("p", type="String", value=bucket.id)

    stack.up(program)
    bucket = client("s3").list_buckets()["Buckets"][0]["Name"]
    client("s3").put_object(Bucket=bucket, Key="k", Body=b"")

    with pytest.raises(ProgramFailed, match="Bucket 'b': DeleteBucket was refused: BucketNotEmpty") as raised:
        stack.destroy()
    assert [step.name for step in raised.value.steps] == ["p"]

    client("s3").delete_object(Bucket=bucket, Key="k")
    assert ops(stack.destroy()) == ["delete:b"]


# other stacks


def read_from(name: str) -> None:
    theirs = pulumi.StackReference(name)
    for key in ("plain", "hidden"):
        pulumi.export(key, theirs.require_output(key))


def test_a_stack_reads_the_outputs_of_another_and_its_secrets_stay_secret(stack):
    def theirs() -> None:
        pulumi.export("plain", {"endpoint": "triage"})
        pulumi.export("hidden", pulumi.Output.secret("token"))

    stack.up(theirs)
    consumer = Engine(session=stack.session, neighbours=stack.engine.neighbours)

    read = consumer.up(lambda: read_from("organization/shop/test"), "front", "test", {})

    assert read.outputs == {"plain": {"endpoint": "triage"}, "hidden": Secret("token")}
    assert read.steps == (), "nothing happens on AWS"
    assert consumer.destroy().steps == ()


def test_a_reference_to_a_stack_that_is_not_there_names_those_that_are(stack):
    stack.up(lambda: queues("one"))

    with pytest.raises(
        ProgramFailed, match=r"'organization/shop/prod': there is no such stack \(.*organization/shop/test"
    ):
        stack.up(lambda: read_from("organization/shop/prod"))


# independence, determinism, time


def test_a_failed_run_leaves_nothing_behind_for_the_next(stack):
    with pytest.raises(ProgramFailed):
        stack.up(lambda: pulumi.CustomResource("aws:sqs/queue:Queue", "q", {"colour": "red"}))

    assert ops(stack.up(lambda: queues("q"))) == ["create:q"]


def test_time_that_stands_still_does_not_hold_up_a_run(stack):
    with time_machine.travel(datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC), tick=False):
        assert ops(stack.up(lambda: queues("q"))) == ["create:q"]


PROGRAM = """
import json
from moto import mock_aws
import pulumi, pulumi_aws as aws
from tests.sandbox.stacks import Stack, function

def program():
    table = aws.dynamodb.Table("t", attributes=[{"name": "pk", "type": "S"}], hash_key="pk", billing_mode="PAY_PER_REQUEST")
    made = [function(f"f{n}", environment={"variables": {"T": table.name, "N": str(n)}}) for n in range(5)]
    urls = [aws.sqs.Queue(f"q{n}", tags={"f": f.name}).url for n, f in enumerate(made)]
    every = pulumi.ResourceOptions(depends_on=[table, *made])
    aws.ssm.Parameter("all", type="String", value=pulumi.Output.all(*urls).apply(json.dumps), opts=every)

with mock_aws():
    stack = Stack()
    stack.up(program)
    calls = [[name, repr(sorted(parameters.items()))] for name, parameters in stack.calls]
    stack.destroy()
    print(json.dumps([calls, stack.calls], default=repr))
"""


def test_the_same_program_makes_the_same_calls_in_the_same_order_whatever_the_hash_seed():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env={**os.environ, "PYTHONHASHSEED": seed}, text=True, check=True,
            stdout=subprocess.PIPE,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip

    assert len(outputs) == 1
    assert "CreateFunction" in outputs.pop()
