"""SageMaker endpoints through boto3: what takes time, what is refused, what fails and how."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from sluice.sandbox.cloud.clock import Clock
from sluice.sandbox.hosting.endpoints import Endpoints
from sluice.sandbox.meters import Meters
from tests.sandbox.releases import IMAGE, Account

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class World:
    clock: Clock
    account: Account
    endpoints: Endpoints

    def update(self, config: str, **settings: Any) -> None:
        self.account.sagemaker.update_endpoint(EndpointName="fraud", EndpointConfigName=config, **settings)


@pytest.fixture
def world() -> Iterator[World]:
    """Endpoint fraud in service on configuration one: blue alone, weight 1, two instances."""
    with Clock(NOON) as clock, mock_aws():
        meters = Meters(clock, lambda event: None)
        account = Account()
        account.model("v1")
        account.model("v2")
        account.config("one", {"blue": ("v1", 1.0)}, count=2)
        account.config("two", {"blue": ("v1", 1.0), "green": ("v2", 0.0)})
        account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")
        clock.run_for(300)
        yield World(clock, account, meters.endpoints)
        meters.close()


def refused(code: str = "ValidationException", match: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"{code}.*{match}")


def test_a_new_endpoint_is_creating_before_it_is_in_service(world: World) -> None:
    world.account.sagemaker.create_endpoint(EndpointName="other", EndpointConfigName="one")

    assert world.account.status("other") == "Creating"
    assert "ProductionVariants" not in world.account.described("other")

    world.clock.run_for(300)

    assert world.account.status("other") == "InService"


def test_describe_shows_what_was_deployed(world: World) -> None:
    found = world.account.described()
    blue = found["ProductionVariants"][0]

    assert found["EndpointConfigName"] == "one"
    assert (blue["CurrentWeight"], blue["DesiredWeight"]) == (1.0, 1.0)
    assert (blue["CurrentInstanceCount"], blue["DesiredInstanceCount"]) == (2, 2)
    assert blue["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert blue["DeployedImages"][0]["ResolvedImage"].startswith(IMAGE.removesuffix(":1.4") + "@sha256:")
    assert found["CreationTime"] == NOON


def test_an_update_moves_to_the_new_configuration_and_a_new_slot_starts_at_weight_zero(world: World) -> None:
    world.update("two", RetainAllVariantProperties=True)

    assert world.account.status() == "Updating"
    assert world.account.described()["EndpointConfigName"] == "one", "the old fleet serves until the new one is ready"
    assert world.account.described()["PendingDeploymentSummary"]["EndpointConfigName"] == "two"

    world.clock.run_for(480)

    assert world.account.described()["EndpointConfigName"] == "two"
    assert world.account.weights() == {"blue": 1.0, "green": 0.0}


def test_retention_keeps_weights_and_counts_by_variant_name(world: World) -> None:
    world.update("two", RetainAllVariantProperties=True)
    world.clock.run_for(480)
    world.account.shift(blue=9000, green=1000)
    world.clock.run_for(15)
    world.account.config("three", {"green": ("v2", 5.0), "blue": ("v1", 5.0)}, count=7)

    world.update("three", RetainAllVariantProperties=True)
    world.clock.run_for(480)

    assert world.account.weights() == {"green": 1000.0, "blue": 9000.0}
    assert world.account.slots()["blue"]["CurrentInstanceCount"] == 2
    assert world.account.slots()["green"]["CurrentInstanceCount"] == 1


def test_without_retention_an_update_resets_live_weights_and_counts(world: World) -> None:
    world.account.config("three", {"blue": ("v1", 5.0)}, count=7)

    world.update("three")
    world.clock.run_for(480)

    assert world.account.weights() == {"blue": 5.0}
    assert world.account.slots()["blue"]["CurrentInstanceCount"] == 7


def test_a_property_can_be_excluded_from_retention(world: World) -> None:
    world.account.config("three", {"blue": ("v1", 5.0)}, count=7)
    excluded = [{"VariantPropertyType": "DesiredInstanceCount"}]

    world.update("three", RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=excluded)
    world.clock.run_for(480)

    assert world.account.weights() == {"blue": 1.0}
    assert world.account.slots()["blue"]["CurrentInstanceCount"] == 7


def test_a_deployment_config_is_refused_unless_the_variant_names_are_equal(world: World) -> None:
    guardrail = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
        }
    }

    with refused(match="equal variant names"):
        world.update("two", DeploymentConfig=guardrail)

    world.account.config("three", {"blue": ("v2", 1.0)})
    world.update("three", DeploymentConfig=guardrail)

    assert world.account.status() == "Updating"


@pytest.fixture
def split(world: World) -> World:
    """The endpoint on configuration two, blue 100 and green 0."""
    world.update("two", RetainAllVariantProperties=True)
    world.clock.run_for(480)
    return world


def test_weights_alone_change_within_seconds_and_traffic_follows_the_current_ones(split: World) -> None:
    split.account.shift(blue=99, green=1)
    green = split.account.slots()["green"]

    assert split.account.status() == "Updating"
    assert (green["CurrentWeight"], green["DesiredWeight"]) == (0.0, 1.0)
    assert [route.weight for route in split.endpoints.routes("fraud")] == [1.0, 0.0]

    split.clock.run_for(15)

    assert split.account.status() == "InService"
    assert [route.weight for route in split.endpoints.routes("fraud")] == [99.0, 1.0]


def test_counts_take_minutes_and_those_left_out_are_kept(split: World) -> None:
    wish = [{"VariantName": "green", "DesiredWeight": 0.0, "DesiredInstanceCount": 3}]
    split.account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="fraud", DesiredWeightsAndCapacities=wish
    )
    split.clock.run_for(359)

    assert split.account.slots()["green"]["DesiredInstanceCount"] == 3
    assert split.account.slots()["green"]["CurrentInstanceCount"] == 1

    split.clock.run_for(1)

    assert split.account.slots()["green"]["CurrentInstanceCount"] == 3
    assert split.account.slots()["blue"]["CurrentInstanceCount"] == 2


def test_weights_come_back_as_32_bit_floats(split: World) -> None:
    split.account.shift(blue=0.9, green=0.1)
    split.clock.run_for(15)

    assert split.account.weights()["green"] == pytest.approx(0.1, abs=1e-7)
    assert split.account.weights()["green"] != 0.1


def test_a_busy_endpoint_refuses_every_update(split: World) -> None:
    split.account.shift(blue=99, green=1)
    busy = 'Cannot update in-progress endpoint "arn:aws:sagemaker:us-east-1:123456789012:endpoint/fraud"'

    with refused(match=busy):
        split.account.shift(blue=1, green=0)
    with refused(match=busy):
        split.update("one")
    with refused(match=busy):
        split.account.sagemaker.delete_endpoint(EndpointName="fraud")


def test_all_weights_at_zero_are_refused(split: World) -> None:
    with refused(match="weights of all variants are zero"):
        split.account.shift(blue=0, green=0)

    assert split.account.status() == "InService"


def test_an_unknown_variant_is_refused(split: World) -> None:
    with refused(match='"red" is/are not present within endpoint configuration "two"'):
        split.account.shift(red=1)


def test_an_endpoint_that_does_not_exist_is_refused(world: World) -> None:
    with refused(match='Could not find endpoint "arn:.*endpoint/nowhere"'):
        world.account.shift("nowhere", blue=1)


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating"])
def test_scaling_or_maintenance_keeps_an_endpoint_busy(split: World, status: str) -> None:
    split.endpoints.occupy("fraud", 600, status)

    assert split.account.status() == status
    with refused(match="Cannot update in-progress"):
        split.account.shift(blue=1, green=0)

    split.clock.run_for(600)
    split.account.shift(blue=1, green=0)


@pytest.mark.parametrize("reason", [None, "The primary container did not pass the ping health check."])
def test_an_update_can_fall_back_to_the_old_configuration_silently(world: World, reason: str | None) -> None:
    world.endpoints.fall_back_next("fraud", reason)
    world.update("two", RetainAllVariantProperties=True)
    world.clock.run_for(480)

    found = world.account.described()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "one")
    assert found.get("FailureReason") == reason


def test_an_artifact_that_does_not_load_makes_the_update_fall_back(world: World) -> None:
    world.account.model("broken", b"this is no tar.gz")
    world.account.config("three", {"blue": ("v1", 1.0), "green": ("broken", 0.0)})
    world.update("three", RetainAllVariantProperties=True)
    world.clock.run_for(480)

    found = world.account.described()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "one")
    assert "no readable model.tar.gz" in found["FailureReason"]


def test_an_endpoint_created_on_a_broken_artifact_fails(world: World) -> None:
    world.account.model("broken", "def model_fn(model_dir):\n    raise OSError('no weights')\n")
    world.account.config("three", {"blue": ("broken", 1.0)})
    world.account.sagemaker.create_endpoint(EndpointName="other", EndpointConfigName="three")
    world.clock.run_for(300)

    found = world.account.described("other")
    assert found["EndpointStatus"] == "Failed"
    assert "no weights" in found["FailureReason"]

    world.account.sagemaker.delete_endpoint(EndpointName="other")


def test_an_update_can_be_stuck_until_somebody_frees_it(world: World) -> None:
    world.endpoints.stick_next("fraud")
    world.update("two", RetainAllVariantProperties=True)
    world.clock.run_for(86_400)

    assert world.account.status() == "Updating"

    world.endpoints.unstick("fraud")

    assert world.account.described()["EndpointConfigName"] == "two"


def test_capacity_that_does_not_come_leaves_the_count_as_it_was(split: World) -> None:
    split.endpoints.starve("fraud")
    wish = [{"VariantName": "green", "DesiredWeight": 0.0, "DesiredInstanceCount": 3}]
    split.account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="fraud", DesiredWeightsAndCapacities=wish
    )
    split.clock.run_for(360)

    green = split.account.slots()["green"]
    assert (green["CurrentInstanceCount"], green["DesiredInstanceCount"]) == (1, 3)
    assert "InsufficientInstanceCapacity" in split.account.described()["FailureReason"]


def test_a_person_may_change_weights_in_the_console(split: World) -> None:
    split.endpoints.change_in_console("fraud", {"blue": 50, "green": 50})
    split.clock.run_for(15)

    assert split.account.weights() == {"blue": 50.0, "green": 50.0}


def test_nothing_that_exists_is_created_again(world: World) -> None:
    with refused(match='Cannot create already existing endpoint "arn'):
        world.account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")
    with refused(match='Cannot create already existing endpoint configuration "arn'):
        world.account.config("one", {"blue": ("v1", 1.0)})
    with refused(match='Cannot create already existing model "arn'):
        world.account.model("v1")


def test_what_is_live_or_on_its_way_to_be_is_not_deleted(world: World) -> None:
    world.update("two", RetainAllVariantProperties=True)

    for config in ("one", "two"):
        with refused(match="deleting it would break"):
            world.account.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    with refused(match="in the configuration of a live endpoint"):
        world.account.sagemaker.delete_model(ModelName="v2")

    world.clock.run_for(480)
    world.account.sagemaker.delete_endpoint_config(EndpointConfigName="one")


def test_a_deleted_endpoint_frees_its_configuration_and_models(world: World) -> None:
    world.account.sagemaker.delete_endpoint(EndpointName="fraud")
    world.account.sagemaker.delete_endpoint_config(EndpointConfigName="one")
    world.account.sagemaker.delete_endpoint_config(EndpointConfigName="two")
    world.account.sagemaker.delete_model(ModelName="v1")

    with refused(match="Could not find endpoint"):
        world.account.described()


def test_lists_show_the_status_too(split: World) -> None:
    split.account.shift(blue=99, green=1)
    listed = split.account.sagemaker.list_endpoints()["Endpoints"]

    assert [(item["EndpointName"], item["EndpointStatus"]) for item in listed] == [("fraud", "Updating")]
