"""The provider plugin over gRPC, as an engine speaks to it: what it says of a resource is what the tables say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from moto import mock_aws
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sluice.sandbox.engine.plugin.server import PluginServer
from sluice.sandbox.engine.resources import sagemaker
from sluice.sandbox.engine.wire import ARCHIVE, ASSET, SIGNATURE, UNKNOWN, decode, encode
from tests.sandbox.stacks import client

NAMES = provider_pb2.DiffResponse.DIFF_SOME


class Engine:
    """What Pulumi's engine says to a provider, for one resource of a type."""

    def __init__(self, port: int) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def configure(self, **config: Any) -> None:
        self.stub.Configure(provider_pb2.ConfigureRequest(args=encode(config), acceptSecrets=True))

    def check(self, urn: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> Any:
        return self.stub.Check(
            provider_pb2.CheckRequest(urn=urn, news=encode(news), olds=encode(olds or {}), randomSeed=b"1")
        )

    def checked(self, urn: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.check(urn, news, olds)
        assert not answer.failures, answer.failures
        return decode(answer.inputs)

    def create(self, urn: str, inputs: dict[str, Any], *, preview: bool = False) -> tuple[str, dict[str, Any]]:
        made = self.stub.Create(provider_pb2.CreateRequest(urn=urn, properties=encode(inputs), preview=preview))
        return made.id, decode(made.properties)

    def diff(self, urn: str, identity: str, old: dict[str, Any], new: dict[str, Any], *ignored: str) -> Any:
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                urn=urn, id=identity, old_inputs=encode(old), olds=encode(old), news=encode(new), ignoreChanges=ignored
            )
        )

    def update(self, urn: str, identity: str, old: dict[str, Any], outputs: dict[str, Any], new: dict[str, Any]) -> Any:
        request = provider_pb2.UpdateRequest(
            urn=urn, id=identity, old_inputs=encode(old), olds=encode(outputs), news=encode(new)
        )
        return decode(self.stub.Update(request).properties)

    def read(self, urn: str, identity: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
        request = provider_pb2.ReadRequest(urn=urn, id=identity, inputs=encode(inputs), properties=encode(outputs))
        return self.stub.Read(request)


def urn(type_: str, name: str = "it") -> str:
    return f"urn:pulumi:test::shop::sluice:infra:ControlPlane${type_}::{name}"


QUEUE = urn("aws:sqs/queue:Queue", "orders")
FUNCTION = urn("aws:lambda/function:Function", "tick")


@pytest.fixture
def engine() -> Iterator[Engine]:
    with mock_aws(), PluginServer() as server:
        made = Engine(server.port)
        made.configure(region="us-east-1")
        yield made


def test_a_resource_below_a_component_is_made_read_changed_and_removed(engine: Engine) -> None:
    inputs = engine.checked(QUEUE, {"visibilityTimeoutSeconds": 12})
    identity, outputs = engine.create(QUEUE, inputs)
    assert inputs["name"].startswith("orders-")
    assert client("sqs").list_queues()["QueueUrls"] == [identity]

    changed = engine.checked(QUEUE, {"visibilityTimeoutSeconds": 30}, inputs)
    answer = engine.diff(QUEUE, identity, inputs, changed)
    assert changed["name"] == inputs["name"], "the drawn name is kept"
    assert (answer.changes, list(answer.diffs), list(answer.replaces)) == (NAMES, ["visibilityTimeoutSeconds"], [])
    engine.update(QUEUE, identity, inputs, outputs, changed)

    attributes = client("sqs").get_queue_attributes(QueueUrl=identity, AttributeNames=["VisibilityTimeout"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "30"
    engine.stub.Delete(
        provider_pb2.DeleteRequest(urn=QUEUE, id=identity, old_inputs=encode(changed), properties=encode(outputs))
    )
    assert "QueueUrls" not in client("sqs").list_queues()


def test_a_change_that_replaces_says_so_and_a_fixed_name_is_freed_first(engine: Engine) -> None:
    role = urn("aws:iam/role:Role")
    trust = {"Version": "2012-10-17", "Statement": []}
    old = engine.checked(role, {"name": "fixed", "path": "/a/", "assumeRolePolicy": trust})
    new = engine.checked(role, {"name": "fixed", "path": "/b/", "assumeRolePolicy": trust}, old)

    answer = engine.diff(role, "fixed", old, new)

    assert (list(answer.replaces), answer.deleteBeforeReplace) == (["path"], True)
    assert answer.detailedDiff["path"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE


def test_ignored_changes_are_no_difference(engine: Engine) -> None:
    old = engine.checked(QUEUE, {"visibilityTimeoutSeconds": 12})
    engine.configure(region="us-east-1", defaultTags='{"tags": {"team": "one"}}')
    new = engine.checked(QUEUE, {"visibilityTimeoutSeconds": 30}, old)
    assert new["tagsAll"] == {"team": "one"}

    assert list(engine.diff(QUEUE, "q", old, new).diffs) == ["tagsAll", "visibilityTimeoutSeconds"]
    assert list(engine.diff(QUEUE, "q", old, new, "*").diffs) == []


def test_a_drawn_name_that_comes_back_as_a_given_one_stays_drawn(engine: Engine) -> None:
    """With `ignore_changes=["*"]` the engine puts all old inputs into the new ones."""
    old = engine.checked(QUEUE, {})
    back = engine.checked(QUEUE, {"name": old["name"]}, old)

    assert engine.checked(QUEUE, {}, back)["name"] == old["name"]


def test_what_is_not_known_yet_stays_so_in_a_preview(engine: Engine) -> None:
    inputs = engine.checked(QUEUE, {"visibilityTimeoutSeconds": 12, "kmsMasterKeyId": UNKNOWN})

    identity, outputs = engine.create(QUEUE, inputs, preview=True)

    assert identity == ""
    assert outputs["visibilityTimeoutSeconds"] == 12
    assert "url" not in outputs, "what an answer leaves out is unknown to the SDK"
    assert outputs["kmsMasterKeyId"] == UNKNOWN, "given, but not known: a policy pack must not take it for missing"
    assert "QueueUrls" not in client("sqs").list_queues()


def test_all_faults_of_the_inputs_come_at_once(engine: Engine) -> None:
    answer = engine.check(FUNCTION, {"handlr": "a.b", "runtine": "python3.13"})

    said = " ".join(failure.reason for failure in answer.failures)
    assert "'role' is required" in said
    assert "'handlr'" in said
    assert "'runtine'" in said


def test_an_unknown_type_is_refused_with_a_sentence(engine: Engine) -> None:
    with pytest.raises(grpc.RpcError, match="the sandbox has no table for aws:ec2/vpc:Vpc") as refused:
        engine.check(urn("aws:ec2/vpc:Vpc"), {})

    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION, "so that nothing stays pending"


def test_other_code_is_seen_though_files_come_as_hashes(engine: Engine, tmp_path: Path) -> None:
    """The engine leaves contents out of what it sends for a diff."""

    def code(text: str) -> dict[str, Any]:
        (tmp_path / "a.py").write_text(text)
        member = {SIGNATURE: ASSET, "path": str(tmp_path / "a.py")}
        return {"role": "arn:aws:iam::123456789012:role/r", "code": {SIGNATURE: ARCHIVE, "assets": {"a.py": member}}}

    old = engine.checked(FUNCTION, code("one"))
    same = engine.checked(FUNCTION, code("one"), old)
    new = engine.checked(FUNCTION, code("two"), old)
    for inputs in (old, same, new):
        inputs["code"] = {SIGNATURE: ARCHIVE, "hash": inputs["code"]["hash"]}

    assert list(engine.diff(FUNCTION, "tick", old, same).diffs) == []
    assert list(engine.diff(FUNCTION, "tick", old, new).diffs) == ["code"]


def test_a_refresh_sees_what_was_changed_by_hand_and_what_is_gone(engine: Engine) -> None:
    parameter = urn("aws:ssm/parameter:Parameter")
    inputs = engine.checked(parameter, {"name": "/a", "type": "String", "value": "one"})
    identity, outputs = engine.create(parameter, inputs)
    unchanged = engine.read(parameter, identity, inputs, outputs)
    assert decode(unchanged.inputs) == inputs

    client("ssm").put_parameter(Name="/a", Value="two", Overwrite=True)
    seen = engine.read(parameter, identity, inputs, outputs)

    assert decode(seen.inputs)["value"] == "two"
    assert decode(seen.properties)["value"] == "two"
    client("ssm").delete_parameter(Name="/a")
    assert engine.read(parameter, identity, inputs, outputs).id == ""


def test_what_is_not_ours_is_looked_up_by_its_id(engine: Engine) -> None:
    client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")

    seen = engine.read(urn("aws:iam/role:Role"), "theirs", {}, {})

    assert decode(seen.properties)["arn"] == "arn:aws:iam::123456789012:role/theirs"


def test_functions_are_answered(engine: Engine) -> None:
    request = provider_pb2.InvokeRequest(tok="aws:index/getCallerIdentity:getCallerIdentity", args=struct_pb2.Struct())

    assert decode(getattr(engine.stub.Invoke(request), "return"))["accountId"] == "123456789012"


def test_a_resource_that_is_made_but_not_finished_is_told_with_its_id(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise sagemaker.Refused("the fleet did not come up")

    endpoint = urn("aws:sagemaker/endpoint:Endpoint")
    monkeypatch.setattr(sagemaker, "_wait", fails)
    client("sagemaker").create_model(ModelName="m", ExecutionRoleArn="arn:aws:iam::123456789012:role/r")
    only = {"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client("sagemaker").create_endpoint_config(EndpointConfigName="c", ProductionVariants=[only])
    inputs = engine.checked(endpoint, {"name": "e", "endpointConfigName": "c"})

    with pytest.raises(grpc.RpcError) as refused:
        engine.create(endpoint, inputs)

    details = dict(refused.value.trailing_metadata())["grpc-status-details-bin"]
    told = provider_pb2.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(details).details[0].Unpack(told)
    assert (told.id, list(told.reasons)) == ("e", ["it was made, but not finished: the fleet did not come up"])
