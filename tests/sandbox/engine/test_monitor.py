"""Resource options as Pulumi honours them, asserted on the calls made to AWS."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws
import pytest
from moto import mock_aws
from pulumi import ResourceOptions

from sluice.sandbox.engine.program import ProgramFailed
from sluice.sandbox.engine.resources import sagemaker
from tests.sandbox.stacks import Stack, answer, client, code, configuration, function, model, ops, policy, trust


@pytest.fixture
def stack():
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield Stack()


def queue(seconds: int = 30, name: str = "q", options: ResourceOptions | None = None, **more) -> aws.sqs.Queue:
    return aws.sqs.Queue(name, visibility_timeout_seconds=seconds, opts=options, **more)


def record(stack: Stack, name: str):
    (found,) = [record for record in stack.engine.state.resources.values() if record.name == name]
    return found


# ignore_changes


def test_an_ignored_property_keeps_its_old_value_while_others_change(stack):
    options = ResourceOptions(ignore_changes=["visibilityTimeoutSeconds"])
    stack.up(lambda: queue(30, options=options))

    assert stack.up(lambda: queue(60, options=options)).changes == ()
    assert stack.calls == []

    stack.up(lambda: queue(60, options=options, delay_seconds=5))
    sent = stack.sent("SetQueueAttributes")["Attributes"]
    assert (sent["VisibilityTimeout"], sent["DelaySeconds"]) == ("30", "5")


def test_a_star_ignores_everything_even_what_would_replace_and_tags(stack):
    options = ResourceOptions(ignore_changes=["*"])
    stack.up(lambda: model(opts=options))

    result = stack.up(
        lambda: model(opts=options, enable_network_isolation=True, tags={"a": "1"}), aws__defaultTags=TAGS
    )

    assert [step for step in result.changes if step.name == "model"] == []
    assert "CreateModel" not in stack.writes


def test_a_path_into_a_list_is_ignored_and_the_rest_of_the_list_is_not(stack):
    def program(weight: int, instances: int):
        options = ResourceOptions(ignore_changes=["productionVariants[0].initialVariantWeight"])
        variant = {"variant_name": "blue", "model_name": model().name, "instance_type": "ml.m5.large"}
        variant |= {"initial_variant_weight": weight, "initial_instance_count": instances}
        aws.sagemaker.EndpointConfiguration("c", production_variants=[variant], opts=options)

    stack.up(lambda: program(1, 1))

    assert stack.up(lambda: program(9, 1)).changes == ()
    assert ops(stack.up(lambda: program(9, 2))) == ["replace:c"]


def test_a_replacement_takes_the_program_s_values_also_for_ignored_properties(stack):
    """Why the bootstrap pair ignores everything: this is what Pulumi does."""
    options = ResourceOptions(ignore_changes=["description"])

    def program(description: str, path: str):
        aws.iam.Policy("p", policy=policy("a"), description=description, path=path, opts=options)

    stack.up(lambda: program("old", "/"))

    stack.up(lambda: program("new", "/other/"))

    assert stack.sent("CreatePolicy")["Description"] == "new"


# protect and retain


def test_a_protected_resource_is_not_deleted_and_nothing_else_is_either(stack):
    def program():
        queue(name="plain")
        queue(name="kept", options=ResourceOptions(protect=True))

    stack.up(program)

    with pytest.raises(ProgramFailed, match="'kept' is protected and it would be deleted. Remove `protect`"):
        stack.up(lambda: None)
    assert stack.writes == []
    with pytest.raises(ProgramFailed, match="'kept' is protected"):
        stack.destroy()
    assert stack.writes == []
    assert len(client("sqs").list_queues()["QueueUrls"]) == 2


def test_a_protected_resource_is_not_replaced_unless_the_same_run_unprotects_it(stack):
    stack.up(lambda: model(opts=ResourceOptions(protect=True)))

    with pytest.raises(ProgramFailed, match="the change of enableNetworkIsolation would replace it. Undo the change"):
        stack.up(lambda: model(enable_network_isolation=True, opts=ResourceOptions(protect=True)))
    assert stack.writes == []

    assert ops(stack.up(lambda: model(enable_network_isolation=True))) == ["replace:model"]


def test_a_retained_resource_is_forgotten_and_stays_in_aws(stack):
    stack.up(lambda: queue(options=ResourceOptions(retain_on_delete=True)))

    assert ops(stack.up(lambda: None)) == ["retain:q"]
    assert stack.writes == []
    assert len(client("sqs").list_queues()["QueueUrls"]) == 1
    assert ops(stack.up(lambda: None)) == []


def test_a_retained_resource_that_is_replaced_leaves_the_old_thing(stack):
    options = ResourceOptions(retain_on_delete=True)
    stack.up(lambda: model(opts=options))

    result = stack.up(lambda: model(enable_network_isolation=True, opts=options))

    assert ops(result) == ["replace:model", "retain:model"]
    assert len(client("sagemaker").list_models()["Models"]) == 2


# replacement


def test_a_drawn_name_is_replaced_by_making_the_new_before_deleting_the_old_at_the_end(stack):
    def program(**more):
        made = model(**more)
        variant = {"variant_name": "blue", "model_name": made.name, "instance_type": "ml.m5.large"}
        aws.sagemaker.EndpointConfiguration("c", production_variants=[{**variant, "initial_instance_count": 1}])

    stack.up(program)
    old = record(stack, "model").id

    result = stack.up(lambda: program(enable_network_isolation=True))

    assert ops(result) == ["replace:model", "replace:c"]
    assert stack.writes == ["CreateModel", "CreateEndpointConfig", "DeleteEndpointConfig", "DeleteModel"]
    assert stack.sent("DeleteModel") == {"ModelName": old}
    assert record(stack, "model").id != old


def test_a_fixed_name_is_deleted_first_together_with_what_must_follow_it(stack):
    """Bridged providers ask for it when a name that was given would be taken twice."""

    def program(key: str):
        attributes = [{"name": key, "type": "S"}]
        table = aws.dynamodb.Table(
            "t", name="fixed", attributes=attributes, hash_key=key, billing_mode="PAY_PER_REQUEST"
        )
        aws.appautoscaling.Target(
            "follows", resource_id=table.name.apply(lambda name: f"table/{name}"), min_capacity=1, max_capacity=2,
            scalable_dimension="dynamodb:table:ReadCapacityUnits", service_namespace="dynamodb",
        )  # fmt: skip
        aws.ssm.Parameter("updates", type="String", value=table.arn)

    stack.up(lambda: program("a"))

    result = stack.up(lambda: program("b"))

    assert stack.writes == ["DeregisterScalableTarget", "DeleteTable", "CreateTable", "RegisterScalableTarget"]
    assert ops(result) == ["replace:t", "replace:follows"], (
        "the parameter only mentions the name: its value is the same"
    )


def test_delete_before_replace_overrules_the_provider_both_ways(stack):
    stack.up(lambda: model())
    stack.up(lambda: model(enable_network_isolation=True, opts=ResourceOptions(delete_before_replace=True)))
    assert stack.writes == ["DeleteModel", "CreateModel"]

    never = ResourceOptions(delete_before_replace=False)
    stack.up(lambda: aws.iam.Role("r", name="fixed", assume_role_policy=trust()))
    with pytest.raises(ProgramFailed, match="CreateRole was refused: EntityAlreadyExists"):
        stack.up(lambda: aws.iam.Role("r", name="fixed", path="/p/", assume_role_policy=trust(), opts=never))
    assert client("iam").get_role(RoleName="fixed")["Role"]["Path"] == "/", "the old one was not touched"


def test_replace_on_changes_turns_an_update_into_a_replacement(stack):
    stack.up(lambda: queue(30))

    result = stack.up(lambda: queue(31, options=ResourceOptions(replace_on_changes=["visibilityTimeoutSeconds"])))

    assert ops(result) == ["replace:q"]


def test_a_replacement_trigger_replaces_when_its_value_changes(stack):
    stack.up(lambda: queue(options=ResourceOptions(replacement_trigger="1")))

    assert ops(stack.up(lambda: queue(options=ResourceOptions(replacement_trigger="1")))) == []
    assert ops(stack.up(lambda: queue(options=ResourceOptions(replacement_trigger="2")))) == ["replace:q"]


def test_replace_with_follows_the_other_resource(stack):
    def program(**more):
        queue(name="follower", options=ResourceOptions(replace_with=[model(**more)]))

    stack.up(program)

    assert ops(stack.up(lambda: program(enable_network_isolation=True))) == ["replace:model", "replace:follower"]


# order


def test_deletions_go_against_depends_on(stack):
    def program():
        first = queue(name="zz-first")
        second = queue(name="aa-second", options=ResourceOptions(depends_on=[first]))
        queue(name="mm-third", options=ResourceOptions(depends_on=[second]))

    assert ops(stack.up(program)) == ["create:zz-first", "create:aa-second", "create:mm-third"]
    assert ops(stack.destroy()) == ["delete:mm-third", "delete:aa-second", "delete:zz-first"]


def test_what_goes_down_with_another_resource_is_not_deleted_by_a_call(stack):
    def program():
        bucket = aws.s3.Bucket("b")
        block = ResourceOptions(deleted_with=bucket)
        aws.s3.BucketPublicAccessBlock("block", bucket=bucket.id, block_public_acls=True, opts=block)

    stack.up(program)

    stack.destroy()

    assert stack.writes == ["DeleteBucket"]


# components, aliases, secrets


class Pair(pulumi.ComponentResource):
    def __init__(self, name: str, opts: ResourceOptions | None = None):
        super().__init__("shop:index:Pair", name, None, opts)
        self.left = queue(name=f"{name}-left", options=ResourceOptions(parent=self))
        self.register_outputs({"url": self.left.url})


def test_children_of_components_have_qualified_urns_and_components_have_no_steps(stack):
    result = stack.up(lambda: Pair("pair"))

    assert [step.urn for step in result.steps] == [
        "urn:pulumi:test::shop::shop:index:Pair$aws:sqs/queue:Queue::pair-left"
    ]
    component = stack.engine.state.resources["urn:pulumi:test::shop::shop:index:Pair::pair"]
    assert component.outputs == {"url": record(stack, "pair-left").id}
    assert stack.up(lambda: None).count("delete") == 1
    assert list(stack.engine.state.resources) == ["urn:pulumi:test::shop::pulumi:pulumi:Stack::shop-test"]


def test_depending_on_a_component_means_depending_on_its_children(stack):
    def program():
        queue(name="aa", options=ResourceOptions(depends_on=[Pair("pair")]))

    assert ops(stack.up(program)) == ["create:pair-left", "create:aa"]
    assert ops(stack.destroy()) == ["delete:aa", "delete:pair-left"]


def test_an_alias_keeps_the_thing_under_its_new_name_and_parent(stack):
    stack.up(lambda: queue(name="old"))

    def program():
        pair = Pair("pair")
        alias = pulumi.Alias(name="old", parent=pulumi.ROOT_STACK_RESOURCE)
        queue(name="new", options=ResourceOptions(parent=pair, aliases=[alias]))

    assert ops(stack.up(program)) == ["create:pair-left"]
    assert record(stack, "new").id.rpartition("/")[2].startswith("old-")
    assert ops(stack.up(program)) == []


def test_secrets_stay_secret_in_state_and_in_outputs(stack):
    def program():
        hidden = pulumi.Output.secret("hunter2")
        made = aws.ssm.Parameter("p", type="SecureString", value=hidden)
        options = ResourceOptions(additional_secret_outputs=["url"])
        pulumi.export("value", made.value)
        pulumi.export("url", queue(options=options).url)
        pulumi.export("arn", made.arn)

    result = stack.up(program)

    assert repr(result.outputs["value"]) == repr(result.outputs["url"]) == "[secret]"
    assert result.outputs["value"].value == "hunter2"
    assert result.outputs["arn"].startswith("arn:aws:ssm:"), "the rest is plain"
    assert (
        client("ssm").get_parameter(Name=record(stack, "p").id, WithDecryption=True)["Parameter"]["Value"] == "hunter2"
    )
    assert record(stack, "p").inputs["value"] == {"4dabf18193072939515e22adb298388d": SECRET_MARK, "value": "hunter2"}
    assert stack.up(program).changes == ()


SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270"
TAGS = json.dumps({"tags": {"team": "ml"}})


# providers


def test_default_tags_come_from_configuration_and_changing_them_changes_tags_only(stack):
    def program():
        pulumi.export("tags", queue(tags={"own": "1"}).tags_all)

    result = stack.up(program, aws__defaultTags=TAGS)
    assert result.outputs["tags"] == {"team": "ml", "own": "1"}

    changed = stack.up(program, aws__defaultTags=json.dumps({"tags": {"squad": "ml"}}))
    assert [(step.op, step.changed) for step in changed.changes] == [("update", ("tagsAll",))]
    assert stack.writes == ["UntagQueue", "TagQueue"]
    assert stack.sent("UntagQueue")["TagKeys"] == ["team"]


def test_an_explicit_provider_brings_its_region_and_default_tags(stack):
    def program():
        west = aws.Provider("west", region="us-west-2", default_tags={"tags": {"team": "ml"}})
        made = queue(options=ResourceOptions(provider=west))
        region = aws.get_region(opts=pulumi.InvokeOptions(provider=west)).region
        pulumi.export("seen", [made.url, made.tags_all, region])

    url, tags, region = stack.up(program).outputs["seen"]

    assert url.startswith("https://sqs.us-west-2.")
    assert (tags, region) == ({"team": "ml"}, "us-west-2")
    assert ops(stack.up(program)) == []
    assert ops(stack.destroy()) == ["delete:q"]


# reading


def test_a_resource_that_is_read_is_looked_up_each_time_and_never_deleted(stack):
    url = client("sqs").create_queue(QueueName="theirs")["QueueUrl"]

    def program():
        pulumi.export("arn", aws.sqs.Queue.get("theirs", url).arn)

    result = stack.up(program)

    assert result.outputs["arn"] == "arn:aws:sqs:us-east-1:123456789012:theirs"
    assert ops(result) == ["read:theirs"]
    assert stack.up(lambda: None).changes == ()
    assert client("sqs").list_queues()["QueueUrls"] == [url]


def test_reading_what_is_not_there_fails_with_a_sentence(stack):
    with pytest.raises(ProgramFailed, match="Endpoint 'e': DescribeEndpoint was refused: .*Could not find endpoint"):
        stack.up(lambda: aws.sagemaker.Endpoint.get("e", "absent"))


def test_an_endpoint_that_is_read_shows_its_settings(stack):
    stack.up(lambda: aws.sagemaker.Endpoint("e", name="shop", endpoint_config_name=configuration().name))
    live = record(stack, "configuration").id

    def program():
        pulumi.export("live", aws.sagemaker.Endpoint.get("other", "shop").endpoint_config_name)

    assert Stack().up(program).outputs == {"live": live}


def test_functions_of_the_provider_answer(stack):
    def program():
        pulumi.export("account", aws.get_caller_identity().account_id)
        pulumi.export("partition", aws.get_partition().partition)
        pulumi.export("region", aws.get_region_output().region)
        statement = {"actions": ["s3:GetObject"], "resources": ["*"], "sid": "Read"}
        pulumi.export("document", aws.iam.get_policy_document(statements=[statement]).minified_json)

    outputs = stack.up(program).outputs

    assert (outputs["account"], outputs["partition"], outputs["region"]) == ("123456789012", "aws", "us-east-1")
    assert json.loads(outputs["document"])["Statement"] == [
        {"Effect": "Allow", "Sid": "Read", "Action": "s3:GetObject", "Resource": "*"}
    ]


def test_an_unknown_function_is_named(stack):
    with pytest.raises(ProgramFailed, match="the sandbox has no function aws:index/getArn:getArn"):
        stack.up(lambda: aws.get_arn(arn="arn:aws:s3:::b"))


# functions and their invocations


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


# endpoints wait


@pytest.fixture
def slept(monkeypatch):
    seconds: list[float] = []
    monkeypatch.setattr(sagemaker.time, "sleep", seconds.append)
    return seconds


def endpoint(**more):
    pulumi.export("arn", aws.sagemaker.Endpoint("e", endpoint_config_name=configuration(**more).name).arn)


def statuses(*words: str):
    """DescribeEndpoint answers these in turn and stays with the last."""
    left = list(words)

    def describe(parameters):
        status = left.pop(0) if len(left) > 1 else left[0]
        arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"
        return {"EndpointArn": arn, "EndpointStatus": status, "FailureReason": "no capacity"}

    return describe


def test_an_endpoint_is_waited_for_on_create_and_on_update(stack, slept):
    stack.answers["DescribeEndpoint"] = statuses("Creating", "Creating", "InService")
    stack.answers["UpdateEndpoint"] = lambda parameters: {}
    stack.up(endpoint)
    assert slept == [sagemaker.POLL_SECONDS] * 2

    stack.answers["DescribeEndpoint"] = statuses("Updating", "InService")
    result = stack.up(lambda: endpoint(kms_key_arn="key"))

    assert ops(result) == ["replace:configuration", "update:e"]
    new = record(stack, "configuration").id
    assert stack.sent("UpdateEndpoint") == {"EndpointName": record(stack, "e").id, "EndpointConfigName": new}
    assert len(slept) == 3
    assert stack.writes[-1] == "DeleteEndpointConfig", "the old configuration goes only after the endpoint has left it"


def test_an_endpoint_that_fails_fails_the_run_and_is_known_to_exist(stack, slept):
    stack.answers["DescribeEndpoint"] = statuses("Creating", "Failed")

    with pytest.raises(
        ProgramFailed, match="made, but not finished: endpoint 'e-.*' ended create as Failed: no capacity"
    ):
        stack.up(endpoint)

    assert record(stack, "e").unfinished
    stack.answers["DescribeEndpoint"] = statuses("InService")
    assert ops(stack.up(endpoint)) == ["update:e"], "the next run looks again"
    assert stack.writes == []
    assert stack.up(endpoint).changes == ()


def test_destroying_waits_until_the_endpoint_is_gone(stack, slept):
    stack.up(endpoint)

    stack.destroy()

    assert stack.calls[1][0] == "DescribeEndpoint"
    assert stack.writes == ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel", "DeleteRole"]


def test_a_role_with_managed_policies_is_emptied_before_it_goes(stack):
    arn = client("iam").create_policy(PolicyName="p", PolicyDocument=policy("a"))["Policy"]["Arn"]

    def program(arns):
        aws.iam.Role("managed", assume_role_policy=trust(), managed_policy_arns=arns)

    stack.up(lambda: program([arn]))
    stack.up(lambda: program([]))
    assert stack.writes == ["DetachRolePolicy"]

    stack.up(lambda: program([arn]))
    stack.destroy()
    assert stack.writes.count("DetachRolePolicy") == 1
