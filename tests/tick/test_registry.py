"""The model registry in a rollout's life: asked before it and in every look, and never in the way of going back."""

from __future__ import annotations

import pytest

from sluice.core.errors import Refused
from sluice.core.head import Outcome
from sluice.core.observation import ModelPackage
from sluice.core.record import encode
from sluice.core.rollout import Phase
from sluice.sim.world import World
from sluice.submit import submit
from sluice.tell import Caller, Order, submit_release
from tests.builders import release, submission
from tests.worlds import adopted_world, at_weight, ended, head_of

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/triage/3"
GREEN_ERRORS = "sluice/sluice/test/shop/green/errors"
ANN = Caller("arn:aws:iam::123456789012:user/ann", proven=True)


@pytest.fixture
def world() -> World:
    return adopted_world()


def registered() -> dict[str, object]:
    return {"release": release("v2", model_package=ARN)}


def outcome(world: World) -> Outcome:
    found = head_of(world).outcome
    assert found is not None
    return found


def test_an_unapproved_release_is_refused_and_nothing_is_recorded(world: World) -> None:
    world.package = ModelPackage("PendingManualApproval")
    before = head_of(world)

    with pytest.raises(Refused, match="is PendingManualApproval, not Approved"):
        submit(world.ports, submission(**registered()))

    assert head_of(world) == before


def test_by_command_it_is_refused_as_well(world: World) -> None:
    submit(world.ports, submission())
    world.run(ended(world))
    world.package = ModelPackage("Rejected", "biased")
    order = Order("submit", "shop", ANN, "the fix", None)

    with pytest.raises(Refused, match=r"is Rejected \(biased\), not Approved"):
        submit_release(world.ports, order, encode(release("v3", model_package=ARN)), "1")


def test_approved_all_along_it_goes_out(world: World) -> None:
    submit(world.ports, submission(**registered()))
    world.run(ended(world))

    assert outcome(world).phase is Phase.SETTLED


@pytest.mark.parametrize("parts", [1000, 5000])
def test_a_rejection_in_mid_rollout_takes_it_back_within_a_minute(world: World, parts: int) -> None:
    submit(world.ports, submission(**registered()))
    world.run(at_weight(world, parts))
    world.package, rejected_at = ModelPackage("Rejected", "biased"), world.now

    world.run(lambda: world.canary_parts() == 0, 300)

    assert world.canary_parts() == 0
    assert world.now - rejected_at <= 60 + 30
    world.run(ended(world))
    assert outcome(world).phase is Phase.ROLLED_BACK
    assert "rejected in the model registry: biased" in outcome(world).because
    assert [entry.release_name for entry in head_of(world).quarantine] == ["v2"]


def test_a_registry_that_does_not_answer_keeps_the_next_step_waiting_and_no_alarm_from_being_heeded(
    world: World,
) -> None:
    submit(world.ports, submission(**registered()))
    world.run(at_weight(world, 1000))

    def refuse(name: str) -> None:
        if name == "describe_model_package":
            raise TimeoutError("the registry hangs")

    world.before_call = refuse
    said = world.run(lambda: False, 1800)

    assert at_weight(world, 1000)(), said[-1]
    assert any("50 % waits" in sentence and "the registry hangs" in sentence for sentence in said)
    world.set_alarm(GREEN_ERRORS, "ALARM")
    world.run(ended(world))
    assert outcome(world).phase is Phase.ROLLED_BACK


def test_a_registry_that_answers_again_lets_it_go_on(world: World) -> None:
    submit(world.ports, submission(**registered()))
    world.run(at_weight(world, 1000))
    world.package = ModelPackage(None, "throttled")
    world.run(lambda: False, 1200)
    world.package = ModelPackage("Approved")

    world.run(ended(world))

    assert outcome(world).phase is Phase.SETTLED


def test_a_rejection_needs_no_metrics_to_take_it_back(world: World) -> None:
    submit(world.ports, submission(**registered()))
    world.run(at_weight(world, 1000))

    class Silent:
        def rows(self, reading: object) -> None:
            raise TimeoutError("no metrics")

    world.metrics, world.package = Silent(), ModelPackage("Rejected")
    world.run(lambda: world.canary_parts() == 0, 300)

    assert world.canary_parts() == 0


def test_a_way_back_does_not_wait_for_the_registry(world: World) -> None:
    submit(world.ports, submission(**registered()))
    world.run(at_weight(world, 1000))
    world.set_alarm(GREEN_ERRORS, "ALARM")
    world.deliver()
    calls: list[str] = []
    world.before_call = calls.append

    world.run(ended(world))

    assert outcome(world).phase is Phase.ROLLED_BACK
    assert "describe_model_package" not in calls
