"""What people say of a release in the model registry, before its rollout and during it, and a registry that does not answer."""

from __future__ import annotations

from typing import Any

from sluice.aws.clients import client
from sluice.sandbox.cloud.faults import Raise
from sluice.sandbox.faultbook.fault import BEFORE, FIRST_BAKE, Fault, refused, settled, taken_back
from sluice.sandbox.faultbook.scene import Scene

_GROUP = "triage"


def register(document: dict[str, Any], status: str) -> str:
    """A version of the example's group for a release document: what a training pipeline does. Its ARN."""
    sagemaker = client("sagemaker")
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    if _GROUP not in [group["ModelPackageGroupName"] for group in groups]:
        sagemaker.create_model_package_group(ModelPackageGroupName=_GROUP)
    container = {"Image": document["image"], "ModelDataUrl": document["artifact"]["url"]}
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    made = sagemaker.create_model_package(
        ModelPackageGroupName=_GROUP,
        InferenceSpecification={"Containers": [container], **types},
        ModelApprovalStatus=status,
    )
    arn: str = made["ModelPackageArn"]
    return arn


def _submit(scene: Scene, status: str) -> str:
    document = dict(scene.example.document("v2"))
    arn = register(document, status)
    scene.up_with({**document, "model_package": arn})
    return arn


def _is_rejected(scene: Scene) -> None:
    arn = _submit(scene, "Approved")
    scene.until(FIRST_BAKE)
    scene.note("somebody rejects the model in the registry: it is unfair to some")
    client("sagemaker").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="unfair to some"
    )


def _is_not_approved(scene: Scene) -> None:
    scene.note("pulumi up with v2, which nobody has approved in the registry yet")
    scene.refused(lambda: _submit(scene, "PendingManualApproval"))
    scene.note(f"refused: {scene.said}")


def _does_not_answer(scene: Scene) -> None:
    _submit(scene, "Approved")
    scene.until(FIRST_BAKE)
    scene.note("the model registry refuses every question for 20 minutes")
    refusing = scene.strike(Raise("ThrottlingException", "Rate exceeded"), "tick", "DescribeModelPackage")
    scene.wait(20 * 60)
    if round(100 * scene.share("green")) != 10:
        scene.wrong.append(f"the canary is at {100 * scene.share('green'):g} %, and should have waited at 10 %")
    scene.over(refusing)
    scene.note("the registry answers again")


def _falls_short(scene: Scene) -> None:
    scene.note("pulumi up with v3, whose accuracy is below v2's, on a policy that requires at least v2's")
    scene.up("v2")
    scene.until_ended()
    scene.refused(lambda: scene.up("v3", nonce="2"))
    scene.note(f"refused: {scene.said}")


FAULTS = (
    Fault(
        "registry-rejected",
        "somebody rejects the release in the model registry in mid-rollout",
        BEFORE,
        _is_rejected,
        taken_back("was rejected in the model registry: unfair to some"),
    ),
    Fault(
        "registry-unapproved",
        "a release is submitted that nobody has approved in the model registry",
        BEFORE,
        _is_not_approved,
        refused("is PendingManualApproval, not Approved"),
    ),
    Fault(
        "registry-down",
        "the model registry does not answer for 20 minutes of a bake: no step begins, and nothing is taken back",
        BEFORE,
        _does_not_answer,
        settled(),
    ),
    Fault(
        "evaluation-short",
        "a release whose offline evaluation is worse than that of the one that serves",
        BEFORE,
        _falls_short,
        refused("metadata.evaluation.accuracy is 0.9736", "v2"),
        policy={"required": {"evaluation": {"accuracy": {"bad": "low", "limit": 0.9, "versus_stable": 1}}}},
    ),
)
