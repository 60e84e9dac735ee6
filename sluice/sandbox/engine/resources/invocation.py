"""`aws.lambda_.Invocation`: a function called while `pulumi up` runs.

CREATE_ONLY calls it once per set of arguments; CRUD calls it on create, update and delete and tells it which.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sluice.sandbox.engine.kinds import Aws, Change, Kind, Refused
from sluice.sandbox.engine.wire import Properties

CREATE_ONLY = "CREATE_ONLY"


def invoke(aws: Aws, function: str, qualifier: str, payload: str, tenant: str | None = None) -> str:
    """The function's answer as text. Raises Refused with its error message when it failed."""
    who = {"TenantId": tenant} if tenant else {}
    answer = aws.call(
        "lambda", "Invoke", FunctionName=function, Qualifier=qualifier, InvocationType="RequestResponse",
        Payload=payload.encode(), **who,
    )  # fmt: skip
    text: str = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise Refused(f"function '{function}' failed: {_message(text)}")
    return text


def _message(text: str) -> str:
    try:
        told = json.loads(text)
    except ValueError:
        return text
    return str(told.get("errorMessage", text)) if isinstance(told, dict) else text


def _call(aws: Aws, inputs: Properties, action: str, previous: Any) -> dict[str, Any]:
    payload = inputs["input"]
    if inputs["lifecycleScope"] != CREATE_ONLY:
        extended = {**json.loads(payload), inputs["terraformKey"]: {"action": action, "prev_input": previous}}
        payload = json.dumps(extended)
    function, qualifier = inputs["functionName"], inputs["qualifier"]
    result = invoke(aws, function, qualifier, payload, inputs.get("tenantId"))
    mark = hashlib.md5(payload.encode(), usedforsecurity=False).hexdigest()
    return {"result": result, "id": f"{function}_{qualifier}_{mark}"}


def _create(aws: Aws, change: Change) -> dict[str, Any]:
    return _call(aws, change.new, "create", None)


def _update(aws: Aws, change: Change) -> dict[str, Any]:
    return _call(aws, change.new, "update", json.loads(change.old["input"]))


def _delete(aws: Aws, change: Change) -> dict[str, Any]:
    if change.old["lifecycleScope"] == CREATE_ONLY:
        return {}
    return _call(aws, change.old, "delete", json.loads(change.old["input"]))


def _replaces(new: Properties, name: str) -> bool:
    """A new input invokes anew: as a new resource when there is only create, else by the update."""
    return name == "input" and new["lifecycleScope"] == CREATE_ONLY


INVOCATION = Kind(
    type="aws:lambda/invocation:Invocation",
    service="lambda",
    create=_create,
    update=_update,
    delete=_delete,
    id="@id",
    computed={"result": "result"},
    volatile=("result",),
    force_new=("functionName", "qualifier", "triggers", "tenantId"),
    replaces=_replaces,
    required=("functionName", "input"),
    defaults={"lifecycleScope": CREATE_ONLY, "qualifier": "$LATEST", "terraformKey": "tf"},
    documents=("input",),
    known=("functionName", "input", "lifecycleScope", "qualifier", "terraformKey", "triggers", "tenantId"),
)

KINDS = (INVOCATION,)
