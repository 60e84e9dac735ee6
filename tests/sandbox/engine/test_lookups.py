"""What a program asks its provider for: default tags, resources that are only read, functions that answer."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import ResourceOptions

from sluice.sandbox.engine.program import ProgramFailed
from tests.sandbox.stacks import TAGS, Stack, client, configuration, ops, record


def test_default_tags_come_from_configuration_and_changing_them_changes_tags_only(stack):
    def program():
        pulumi.export("tags", aws.sqs.Queue("q", tags={"own": "1"}).tags_all)

    result = stack.up(program, aws__defaultTags=TAGS)
    assert result.outputs["tags"] == {"team": "ml", "own": "1"}

    changed = stack.up(program, aws__defaultTags=json.dumps({"tags": {"squad": "ml"}}))
    assert [(step.op, step.changed) for step in changed.changes] == [("update", ("tagsAll",))]
    assert stack.writes == ["UntagQueue", "TagQueue"]
    assert stack.sent("UntagQueue")["TagKeys"] == ["team"]


def test_an_explicit_provider_brings_its_region_and_default_tags(stack):
    def program():
        west = aws.Provider("west", region="us-west-2", default_tags={"tags": {"team": "ml"}})
        made = aws.sqs.Queue("q", opts=ResourceOptions(provider=west))
        region = aws.get_region(opts=pulumi.InvokeOptions(provider=west)).region
        pulumi.export("seen", [made.url, made.tags_all, region])

    url, tags, region = stack.up(program).outputs["seen"]

    assert url.startswith("https://sqs.us-west-2.")
    assert (tags, region) == ({"team": "ml"}, "us-west-2")
    assert ops(stack.up(program)) == []
    assert ops(stack.destroy()) == ["delete:q"]


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
