"""What `pulumi up` and `pulumi destroy` invoke: adopt, submit, revise, guard, clean. A fault fails the run with its sentence."""

from __future__ import annotations

from typing import Any

from lambdas.reporting import report
from sluice.aws.patience import while_permissions_arrive
from sluice.aws.remains import remove_what_the_control_plane_made
from sluice.aws.wiring import ports
from sluice.core.errors import BadInput
from sluice.core.head import Submission
from sluice.core.ownership import Owner
from sluice.core.record import decode
from sluice.core.release import Release
from sluice.core.rollout import EndpointSettings
from sluice.submit import adopt, guard, leave, made_for, revise, submit


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """`action` says what; for CRUD invocations `tf.action` says when."""
    sentence = while_permissions_arrive(lambda: _act(event))
    endpoint = event.get("endpoint") or event.get("submission", {}).get("endpoint")
    report(sentence, {"Submissions": ("Count", 1)}, endpoint=endpoint)
    return {"result": sentence}


def _act(event: dict[str, Any]) -> str:
    deleting = event.get("tf", {}).get("action") == "delete"
    match event.get("action"):
        case "adopt":
            return adopt(
                ports(),
                event["endpoint"],
                tuple(event["slots"]),
                decode(EndpointSettings, event["settings"], "settings"),
                event["instances"],
                decode(Release, event["release"], "release") if event["release"] else None,
                capture_said=event["capture_said"],
            )
        case "submit":
            return submit(ports(), decode(Submission, event["submission"], "submission"))
        case "revise":
            settings = decode(EndpointSettings, event["settings"], "settings")
            return revise(ports(), event["endpoint"], event["instances"], settings)
        case "guard":
            if not deleting:
                return "armed: a stack with a live rollout is not destroyed"
            return guard(ports(), _owner(event), control_plane=event["control_plane"])
        case "clean":
            return _clean(_owner(event)) if deleting else "nothing to clean yet"
        case other:
            raise BadInput((f"action: must be adopt, submit, revise, guard or clean, got {other!r}",))


def _clean(owner: Owner) -> str:
    """First what SageMaker holds: should that fail, the records still say whose it is and the next try finds it."""
    removed = remove_what_the_control_plane_made(made_for(ports(), owner))
    leave(ports(), owner)
    return removed


def _owner(event: dict[str, Any]) -> Owner:
    return Owner(event["project"], event["stack"])
