"""What people ask for and tell, each class of commands on an alias of its own. Who calls is what AWS proved, or is marked as unproven."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from lambdas.reporting import report
from sluice.aws.wiring import ports
from sluice.command import explain, history, status, taken_back
from sluice.core.classes import PIPELINE, CommandClass, takes
from sluice.core.errors import BadInput, Forbidden, Refused
from sluice.core.record import Document
from sluice.ports import Ports
from sluice.tell import Caller, Order, forbid, roll_back_to, submit_release, tell

_EVENTS = 20
_LONGEST_TEXT = 1000
"""Of a reason, an id or a name: it becomes part of the record."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A function URL's request, answered with a status code; on the pipeline's alias a plain document, answered or raised."""
    alias = _alias(context.invoked_function_arn)
    if alias == PIPELINE:
        return _do(ports(), alias, event, Caller(_text(event, "by", "unknown"), proven=False))
    if alias not in list(CommandClass):
        names = ", ".join((*CommandClass, PIPELINE))
        raise Forbidden(f"this function is called by one of its aliases ({names}), got {context.invoked_function_arn}")
    try:
        return _answer(200, _do(ports(), alias, _body(event), _caller(event)))
    except BadInput as fault:
        return _answer(400, {"error": "BadInput", "message": str(fault)})
    except Forbidden as fault:
        return _answer(403, {"error": "Forbidden", "message": str(fault)})
    except Refused as fault:
        return _answer(409, {"error": "Refused", "message": str(fault)})


def _do(ports: Ports, alias: str, asked: dict[str, Any], caller: Caller) -> Document:
    action, endpoint = _text(asked, "action"), _text(asked, "endpoint")
    order = Order(
        action, endpoint, caller, _text(asked, "reason", ""), asked.get("request") and _text(asked, "request")
    )
    if not takes(alias, action):
        forbid(ports, order, f"{action!r} is not a command of alias {alias!r}")
    match action:
        case "status":
            return status(ports, endpoint)
        case "history":
            limit, before = _number(asked, "limit"), _number(asked, "before")
            return history(ports, endpoint, _EVENTS if limit is None else limit, before)
        case "explain":
            return explain(ports, endpoint)
        case "submit":
            sentence = submit_release(ports, order, asked.get("release"), _text(asked, "nonce"))
        case "rollback" if asked.get("to") is not None:
            sentence = roll_back_to(ports, order, _text(asked, "to"))
        case _:
            sentence = tell(ports, order)
    report(sentence, {"Commands": ("Count", 1)}, endpoint=endpoint)
    return taken_back(endpoint, sentence)


def _alias(arn: str) -> str | None:
    """`arn:aws:lambda:<region>:<account>:function:<name>:<alias>`; None where none was asked for."""
    parts = arn.split(":")
    return parts[7] if len(parts) > 7 else None


def _caller(event: dict[str, Any]) -> Caller:
    """Only AWS writes this part of a request, after it checked the signature."""
    iam = ((event.get("requestContext") or {}).get("authorizer") or {}).get("iam") or {}
    arn = iam.get("userArn")
    if not isinstance(arn, str) or not arn:
        raise Forbidden("the request names no caller: it must come through the function URL, signed (SigV4).")
    return Caller(arn, proven=True)


def _body(event: dict[str, Any]) -> dict[str, Any]:
    """The request's document; raises BadInput for anything else."""
    method = ((event.get("requestContext") or {}).get("http") or {}).get("method")
    if method != "POST":
        raise BadInput((f"method: commands are sent by POST, got {method}",))
    text = event.get("body") or ""
    try:
        document = json.loads(base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text)
    except (ValueError, binascii.Error, RecursionError):
        raise BadInput(("body: must be a JSON document",)) from None
    if not isinstance(document, dict):
        raise BadInput((f"body: must be a JSON document with keys, got {type(document).__name__}",))
    return document


def _answer(code: int, document: Document) -> dict[str, Any]:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return {"statusCode": code, "headers": headers, "body": json.dumps(document, sort_keys=True)}


def _text(asked: dict[str, Any], key: str, default: str | None = None) -> str:
    value = asked.get(key, default)
    if not isinstance(value, str) or (not value and default is None):
        raise BadInput((f"{key}: must be text, got {value!r}",))
    if len(value) > _LONGEST_TEXT:
        raise BadInput((f"{key}: must have at most {_LONGEST_TEXT} characters, got {len(value)}",))
    return value


def _number(asked: dict[str, Any], key: str) -> int | None:
    value = asked.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise BadInput((f"{key}: must be a whole number, got {value!r}",))
    return value
