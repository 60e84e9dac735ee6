"""Resource options as Pulumi honours them, asserted on the calls made to AWS."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import ResourceOptions

from sluice.sandbox.engine.program import ProgramFailed
from tests.sandbox.stacks import TAGS, client, model, ops, policy, record, trust

SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270"


def queue(seconds: int = 30, name: str = "q", options: ResourceOptions | None = None, **more) -> aws.sqs.Queue:
    return aws.sqs.Queue(name, visibility_timeout_seconds=seconds, opts=options, **more)


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
