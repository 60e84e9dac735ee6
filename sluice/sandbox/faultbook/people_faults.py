"""What people do meanwhile, in the console or in the repository: nothing of it may move traffic by surprise."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from sluice.aws.clients import client
from sluice.sandbox.cloud.faults import Raise
from sluice.sandbox.engine.program import RunResult
from sluice.sandbox.faultbook.fault import (
    BEFORE,
    FIRST_BAKE,
    PENDING,
    SECOND_BAKE,
    SOAKING,
    Fault,
    refused,
    settled,
    taken_back,
)
from sluice.sandbox.faultbook.scene import Scene
from sluice.sandbox.sandbox import PROJECT, STACK


def _changes_and_puts_back(scene: Scene) -> None:
    scene.note("somebody sets the canary to 30 % in the console")
    scene.in_console(blue=7000, green=3000)
    scene.wait(600)
    if round(100 * scene.share("green")) != 30:
        scene.wrong.append(f"a person's 30 % became {100 * scene.share('green'):g} %")
    scene.note("and puts it back to 50 % ten minutes later")
    scene.in_console(blue=5000, green=5000)


def _changes_and_leaves(scene: Scene) -> None:
    scene.note("somebody sets the canary to 30 % in the console and goes home")
    scene.in_console(blue=7000, green=3000)


def _changes_in_soak(scene: Scene) -> None:
    scene.note("somebody gives the old release 20 % in the console, for five minutes")
    scene.in_console(blue=2000, green=8000)
    scene.wait(300)
    scene.in_console(blue=0, green=10_000)


def _aborts_while_busy(scene: Scene) -> None:
    scene.note("the endpoint is busy for 5 minutes; somebody aborts the rollout")
    scene.endpoints.occupy(scene.endpoint, 300)
    scene.note(f"the control plane answers: {scene.command('abort', 'wrong week')}")


def _deletes_archive(scene: Scene) -> None:
    scene.note("somebody deletes the release's archive from S3")
    client("s3").delete_object(**_archive(scene, "v2"))


def _replaces_archive(scene: Scene) -> None:
    scene.note("somebody overwrites the release's archive with another one")
    client("s3").put_object(**_archive(scene, "v2"), Body=b"another model", ChecksumAlgorithm="SHA256")


def _archive(scene: Scene, release: str) -> dict[str, str]:
    location = urlsplit(scene.example.document(release)["artifact"]["url"])
    return {"Bucket": location.netloc, "Key": location.path.lstrip("/")}


def _denies_weights(scene: Scene) -> None:
    """From the tick only: the alarm function's and the sweep's roles are their own."""
    scene.note("somebody takes the permission to shift weights from the tick's role")
    denial = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "sagemaker:UpdateEndpointWeightsAndCapacities", "Resource": "*"}],
    }
    client("iam").put_role_policy(
        RoleName=f"{PROJECT}-{STACK}-tick", PolicyName="freeze", PolicyDocument=json.dumps(denial)
    )


def _changes(result: RunResult) -> str:
    return ", ".join(f"{step.op} {step.name}" for step in result.changes) or "0 changes"


def _up_again(scene: Scene, what: str, release: str = "v2", **more: object) -> None:
    """`pulumi up` must move nothing."""
    before, share = scene.endpoint_calls, scene.share("green")
    scene.note(f"pulumi up with {what}: {_changes(scene.up(release, **more))}")
    if scene.endpoint_calls != before or scene.share("green") != share:
        scene.wrong.append(f"pulumi up with {what} touched the endpoint")


def _changes_policy(scene: Scene) -> None:
    _up_again(scene, "another rollout policy", policy="standard")
    if scene.rollout.policy.soak_seconds != 900:
        scene.wrong.append("the rollout does not run on the policy it was submitted with")


def _changes_code(scene: Scene) -> None:
    import infra.bundle

    files = infra.bundle.bundled_files()
    bundled, infra.bundle.bundled_files = (
        infra.bundle.bundled_files,
        lambda: {**files, "note.py": files["sluice/tick.py"]},
    )
    try:
        _up_again(scene, "other code for the functions")
    finally:
        infra.bundle.bundled_files = bundled


def _changes_roles(scene: Scene) -> None:
    scene.sandbox.config["artifact_buckets"] = ["sluice-example-models", "one-bucket-more"]
    _up_again(scene, "another bucket in the roles' policies")


def _refreshes(scene: Scene) -> None:
    found = scene.sandbox.refresh()
    scene.note(f"pulumi refresh, after the endpoint moved to another configuration: {_changes(found)}")
    _up_again(scene, "what the refresh found")


def _destroys(scene: Scene) -> None:
    scene.note("pulumi destroy")
    scene.refused(scene.sandbox.destroy)
    scene.note(f"refused: {scene.said}")


def _submits_another(scene: Scene) -> None:
    scene.note("pulumi up with v3 while v2 is being rolled out")
    scene.refused(lambda: scene.up("v3"))
    scene.note(f"refused: {scene.said}")


def _first_up_fails(scene: Scene) -> None:
    """The endpoint stands and serves v1, but the control plane has no record of it."""
    scene.note("the first pulumi up ever, with v1; the table cannot be written")
    throttled = scene.strike(Raise("ThrottlingException", "too fast"), "submit", "TransactWriteItems")
    scene.refused(lambda: scene.up("v1"))
    scene.note(f"it fails: {scene.said}")
    scene.said = None
    scene.over(throttled)
    scene.send()
    scene.note("pulumi up with v2")
    scene.up("v2")


def _first_archive_missing(scene: Scene) -> None:
    """An endpoint that failed to start can only be deleted, and `pulumi up` will not do that by itself."""
    client("s3").delete_object(**_archive(scene, "v1"))
    scene.note("the first pulumi up ever, with a release whose archive is not there")
    scene.refused(lambda: scene.up("v1"))
    failed = scene.said
    scene.note(f"it fails: {failed}")
    scene.note("pulumi destroy, then pulumi up with v2")
    scene.sandbox.destroy()
    scene.up("v2")
    scene.send()
    scene.wait(120)
    scene.said = failed


FAULTS = (
    Fault(
        "console-change",
        "somebody changes the weights in the console, and back",
        SECOND_BAKE,
        _changes_and_puts_back,
        settled(),
    ),
    Fault(
        "console-change-left",
        "somebody changes the weights in the console and leaves them",
        SECOND_BAKE,
        _changes_and_leaves,
        taken_back("and nobody decided"),
    ),
    Fault(
        "console-change-in-soak",
        "somebody gives the old release traffic again during the soak, and takes it back",
        SOAKING,
        _changes_in_soak,
        settled(),
    ),
    Fault(
        "abort-while-busy",
        "somebody aborts the rollout while SageMaker refuses every change",
        SECOND_BAKE,
        _aborts_while_busy,
        taken_back("aborted by unproven:operator: wrong week"),
    ),
    Fault(
        "archive-deleted",
        "somebody deletes the model archive while its slot is prepared",
        PENDING,
        _deletes_archive,
        taken_back("the artifact of v2 is gone"),
    ),
    Fault(
        "archive-replaced",
        "somebody overwrites the model archive while its slot is prepared",
        PENDING,
        _replaces_archive,
        taken_back("the artifact of v2 was changed"),
    ),
    Fault(
        "permission-lost",
        "somebody takes the permission to shift weights from the tick",
        FIRST_BAKE,
        _denies_weights,
        taken_back("50 % was not applied within 10 min: endpoint is InService"),
        denied=True,
    ),
    Fault(
        "policy-changed",
        "`pulumi up` with another rollout policy in mid-rollout",
        FIRST_BAKE,
        _changes_policy,
        settled(),
    ),
    Fault(
        "code-changed",
        "`pulumi up` with other code for the functions in mid-rollout",
        FIRST_BAKE,
        _changes_code,
        settled(),
    ),
    Fault("role-changed", "`pulumi up` with other IAM policies in mid-rollout", FIRST_BAKE, _changes_roles, settled()),
    Fault(
        "refresh",
        "`pulumi refresh`, then `up`, when the endpoint's configuration has moved",
        FIRST_BAKE,
        _refreshes,
        settled(),
    ),
    Fault(
        "destroy-in-mid-rollout",
        "`pulumi destroy` while a rollout is live",
        FIRST_BAKE,
        _destroys,
        refused("cannot be destroyed while rollouts are live", "v2"),
        stack={"protect": False},
    ),
    Fault(
        "second-release",
        "another release is submitted while one is being rolled out",
        FIRST_BAKE,
        _submits_another,
        refused("Wait for it to end or abort it before submitting v3", "v2"),
    ),
    Fault(
        "first-up-fails",
        "the very first `pulumi up` fails half-way, and the next one has another release",
        BEFORE,
        _first_up_fails,
        settled(),
        from_nothing=True,
    ),
    Fault(
        "first-archive-missing",
        "the very first `pulumi up` finds no archive; the stack is destroyed and made anew with another release",
        BEFORE,
        _first_archive_missing,
        refused("cannot read s3://", "v2"),
        stack={"protect": False},
        from_nothing=True,
    ),
)
