"""What people ask for: status, history, explain, abort, rollback. Answers carry their schema version."""

from __future__ import annotations

from typing import Any

from lambdas.reporting import report
from sluice.aws.wiring import ports
from sluice.command import abort, explain, history, rollback, status, taken_back
from sluice.core.errors import BadInput
from sluice.fallback import fall_back

_EVENTS = 20


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`action` and `endpoint`; for history `limit` and `before`; for abort and rollback a `reason`.

    Who asks is what the caller says, and marked as such.
    """
    action, endpoint = event.get("action"), event.get("endpoint")
    if not isinstance(endpoint, str) or not endpoint:
        raise BadInput((f"endpoint: must be an endpoint's name, got {endpoint!r}",))
    by, reason = f"unproven:{event.get('by', 'unknown')}", str(event.get("reason", ""))
    match action:
        case "status":
            return status(ports(), endpoint)
        case "history":
            limit, before = _number(event, "limit"), _number(event, "before")
            return history(ports(), endpoint, _EVENTS if limit is None else limit, before)
        case "explain":
            return explain(ports(), endpoint)
        case "abort":
            sentence = abort(ports(), endpoint, by, reason)
        case "rollback":
            sentence = rollback(ports(), endpoint, by, reason)
        case "fall_back":
            sentence = fall_back(ports(), endpoint, by, reason)
        case _:
            raise BadInput((f"action: must be status, history, explain, abort, rollback or fall_back, got {action!r}",))
    report(sentence, {"Commands": ("Count", 1)}, endpoint=endpoint)
    return taken_back(endpoint, sentence)


def _number(event: dict[str, Any], key: str) -> int | None:
    value = event.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise BadInput((f"{key}: must be a whole number, got {value!r}",))
    return value
