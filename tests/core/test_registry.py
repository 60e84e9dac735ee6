"""What the model registry's word comes to: refusals before a rollout, a wait before a step, the way back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.decide import decide
from sluice.core.decision import Decision
from sluice.core.head import Head
from sluice.core.observation import ModelPackage
from sluice.core.orders import WaitFor
from sluice.core.registry import entry_asked, group_arn, missing_approval, package_faults, rejection, version_arns
from sluice.core.release import Release
from sluice.core.rollout import Latch, Phase
from tests.builders import NOW, release, started
from tests.core.facts import endpoint, seen
from tests.core.rollouts import HEALTHY, baking, phase, weights

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/triage/3"
APPROVED = ModelPackage("Approved")
PENDING = ModelPackage("PendingManualApproval")
REJECTED = ModelPackage("Rejected", "biased against night shifts")


def registered() -> Release:
    return release("v2", model_package=ARN)


def with_package(found: ModelPackage, **changes: object) -> Decision:
    facts = replace(seen(endpoint(9000, 1000), rows=HEALTHY), package=found)
    return decide(baking(release=registered(), **changes), facts, NOW)


def test_an_approved_entry_of_this_archive_and_image_has_no_faults() -> None:
    entry = replace(APPROVED, archive="s3://models/v2.tar.gz", image="other-account/repo@sha256:" + "a" * 64)

    assert package_faults(registered(), entry) == ()


def test_what_the_registry_does_not_say_is_not_compared() -> None:
    assert package_faults(registered(), replace(APPROVED, image="repo:latest")) == ()


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (PENDING, f"model package {ARN} of v2 is PendingManualApproval, not Approved: have it approved"),
        (REJECTED, f"model package {ARN} of v2 is Rejected (biased against night shifts), not Approved"),
        (ModelPackage(None, "it does not exist"), f"model package {ARN} of v2 cannot be read: it does not exist"),
        (replace(APPROVED, containers=2), f"model package {ARN} has 2 containers, v2 is one"),
        (replace(APPROVED, archive="s3://x/y.tar.gz"), "is about s3://x/y.tar.gz, v2 is s3://models/v2.tar.gz"),
        (replace(APPROVED, image="repo@sha256:" + "b" * 64), "is about image sha256:bbbb"),
    ],
)
def test_an_entry_that_is_not_approved_or_of_another_model_is_a_fault(entry: ModelPackage, fault: str) -> None:
    (found,) = package_faults(registered(), entry)

    assert fault in found


def test_only_a_rejection_is_one() -> None:
    assert rejection(registered(), None) is None
    assert rejection(registered(), PENDING) is None
    assert (
        rejection(registered(), ModelPackage("Rejected")) == f"model package {ARN} was rejected in the model registry"
    )
    assert missing_approval(registered(), APPROVED) is None


def test_the_registry_has_no_say_in_a_release_without_an_entry_nor_in_an_emergency() -> None:
    def asked(head: Head) -> str | None:
        assert head.live is not None
        return entry_asked(head.live)

    assert asked(started(release=registered())) == ARN
    assert asked(started()) is None
    assert asked(started(release=registered(), is_emergency=True)) is None


def test_a_rejection_takes_the_canary_back_and_keeps_the_model_out() -> None:
    back = with_package(REJECTED)

    assert phase(back) is Phase.ROLLING_BACK
    assert weights(back) == [{"blue": 10_000, "green": 0}]
    assert back.because.endswith(f"model package {ARN} was rejected in the model registry: biased against night shifts")
    assert [entry.release_name for entry in back.next.quarantine] == ["v2"]


@pytest.mark.parametrize("moment", [Phase.PREPARING, Phase.REHEARSING, Phase.PAUSED, Phase.SOAKING])
def test_a_rejection_counts_in_every_phase(moment: Phase) -> None:
    head = started(release=registered(), phase=moment)

    assert phase(decide(head, replace(seen(), package=REJECTED), NOW)) is Phase.ROLLING_BACK


def test_a_rejection_after_the_latch_changes_nothing_of_it() -> None:
    latch = Latch(NOW - 60, "ann", "slow", False, None)
    head = started(release=registered(), phase=Phase.ROLLING_BACK, latch=latch)
    decided = decide(head, replace(seen(), package=REJECTED), NOW)

    assert decided.next.live is not None
    assert decided.next.live.latch == latch


@pytest.mark.parametrize("entry", [PENDING, ModelPackage(None, "ThrottlingException: slow down")])
def test_without_an_approval_no_step_begins(entry: ModelPackage) -> None:
    waiting = with_package(entry)

    assert (waiting.kind, weights(waiting)) == ("waiting", [])
    assert waiting.next.live is not None
    assert waiting.next.live.orders.wait is not None
    assert waiting.next.live.orders.wait.what is WaitFor.REGISTRY


def test_with_it_the_step_begins() -> None:
    assert phase(with_package(APPROVED)) is Phase.SHIFTING


def test_versions_are_read_by_their_group() -> None:
    group = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/triage"

    assert group_arn(ARN) == group
    assert version_arns(group) == "arn:aws:sagemaker:eu-west-1:123456789012:model-package/triage/*"
