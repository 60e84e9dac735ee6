"""boto3 sees the sandbox's endpoints, and not moto's."""

import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.clock import Clock
from tests.sandbox.releases import Account


def test_an_endpoint_lives_its_own_life(account: Account, clock: Clock) -> None:
    account.model("v1")
    account.config("one", {"blue": ("v1", 1.0), "green": ("v1", 0.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")

    assert account.status() == "Creating"

    clock.run_for(300)
    account.shift(blue=3, green=1)
    clock.run_for(15)

    assert account.weights() == {"blue": 3.0, "green": 1.0}


def test_update_endpoint_exists(account: Account, clock: Clock) -> None:
    account.model("v1")
    account.config("one", {"blue": ("v1", 1.0)})
    account.config("two", {"blue": ("v1", 1.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")
    clock.run_for(300)

    arn = account.sagemaker.update_endpoint(EndpointName="fraud", EndpointConfigName="two")["EndpointArn"]

    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:endpoint/fraud"

    clock.run_for(480)

    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        account.sagemaker.update_endpoint(EndpointName="fraud", EndpointConfigName="three")


def test_an_endpoint_that_would_serve_nothing_is_not_created(account: Account) -> None:
    account.model("v1")
    account.config("none", {"blue": ("v1", 0.0)})

    with pytest.raises(ClientError, match="weights of all variants are zero"):
        account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="none")

    assert account.sagemaker.list_endpoints()["Endpoints"] == []


def test_what_is_live_is_not_deleted(account: Account) -> None:
    account.model("v1")
    account.config("one", {"blue": ("v1", 1.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")

    with pytest.raises(ClientError, match="is live"):
        account.sagemaker.delete_endpoint_config(EndpointConfigName="one")


def test_any_instance_type_that_is_spelled_like_one_is_taken(account: Account) -> None:
    account.model("v1")
    variant = {"VariantName": "blue", "ModelName": "v1", "InitialInstanceCount": 1}

    for name, instance_type in (("new", "ml.m9g.2xlarge"), ("bad", "m5.large")):
        production = [{**variant, "InstanceType": instance_type}]
        if name == "bad":
            with pytest.raises(ClientError, match=r"ml\.<family>\.<size>"):
                account.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=production)
        else:
            account.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=production)


def test_tags_of_models_and_configurations_can_be_read_and_overwritten(account: Account) -> None:
    account.model("v1")
    account.config("one", {"blue": ("v1", 1.0)})
    place = "arn:aws:sagemaker:us-east-1:123456789012"

    for arn in (f"{place}:model/v1", f"{place}:endpoint-config/one"):
        account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "release", "Value": "1"}, {"Key": "a", "Value": "b"}])
        account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "release", "Value": "2"}])
        found = account.sagemaker.list_tags(ResourceArn=arn)["Tags"]

        assert {tag["Key"]: tag["Value"] for tag in found} == {"release": "2", "a": "b"}

    with pytest.raises(ClientError, match="Could not find resource"):
        account.sagemaker.list_tags(ResourceArn=f"{place}:model/nothing")
