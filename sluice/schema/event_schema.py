"""JSON Schemas of what the event bus carries, from the types it is made of. Checked in under schemas/events, for other languages."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from sluice.core.actions import Severity
from sluice.core.messages import (
    DETAIL_TYPES,
    MESSAGE_SCHEMA,
    SOURCE,
    Activity,
    EndpointChange,
    Happened,
    Message,
    Notice,
    PhaseChange,
)
from sluice.core.record import encode
from sluice.core.rollout import Phase
from sluice.core.standing import Standing
from sluice.schema.json_schema import Untitled

_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in (*DETAIL_TYPES, Happened, Standing)}


def file_name(message: type) -> str:
    """`rollout-phase-change.v1.json`."""
    return f"{DETAIL_TYPES[message].removeprefix('Sluice ').lower().replace(' ', '-')}.v{MESSAGE_SCHEMA}.json"


def event_schema(message: type) -> str:
    """One event as EventBridge hands it over; of the envelope only what is ours. The same text every time."""
    detail = TypeAdapter(message).json_schema(schema_generator=Untitled)
    known = detail.pop("$defs", {})
    for name, schema in (*known.items(), (message.__name__, detail)):
        if name in _KINDS:
            _explain(schema, _KINDS[name])
    detail["properties"]["schema"] = {**detail["properties"]["schema"], "const": MESSAGE_SCHEMA}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": DETAIL_TYPES[message],
        "description": detail.pop("description", ""),
        "type": "object",
        "required": ["source", "detail-type", "detail"],
        "properties": {
            "source": {"const": SOURCE},
            "detail-type": {"const": DETAIL_TYPES[message]},
            "resources": {"description": "The endpoint's ARN.", "type": "array", "items": {"type": "string"}},
            "detail": detail,
        },
        "$defs": known,
    }
    return json.dumps(document, indent=2) + "\n"


def event_schemas() -> dict[str, str]:
    """Every schema by its file's name."""
    return {file_name(kind): event_schema(kind) for kind in DETAIL_TYPES}


def examples() -> Iterator[Message]:
    """One message of each kind."""
    stands = Standing(
        id="dev-triage-7f3a91c2",
        release="v3",
        digest="9d2c51aa",
        stable="v2",
        from_slot="green",
        to_slot="blue",
        phase=Phase.ROLLING_BACK,
        phase_since=1_795_170_322,
        entered=True,
        left_phase=Phase.BAKING,
        left_since=1_795_170_185,
        started_at=1_795_169_700,
        step=1,
        steps=5,
        canary_percent=0.0,
    )
    alarm = "alarm:sluice/sluice/dev/dev-triage/blue/errors"
    because = f"rolling back v3 from 5 %: {alarm.replace(':', ' ', 1)} went off"
    back = Happened(61, 1_795_170_322, "rolling_back", alarm, because)
    known = (MESSAGE_SCHEMA, "dev-triage/61", "dev-triage")
    yield PhaseChange(*known, back, stands)
    asked = Happened(
        58, 1_795_170_250, "pause_asked", "arn:aws:sts::123456789012:assumed-role/oncall/ann", "ann pauses v3"
    )
    yield Activity(MESSAGE_SCHEMA, "dev-triage/58", "dev-triage", asked, stands)
    retired = Happened(70, 1_795_180_000, "slot_retired", "sweep", "slot blue is gone")
    yield EndpointChange(MESSAGE_SCHEMA, "dev-triage/70", "dev-triage", retired)
    dedup = f"dev-triage/{stands.id}/rolling_back:61"
    subject = "dev-triage: rolling back v3"
    yield Notice(MESSAGE_SCHEMA, dedup, dedup, Severity.PAGE, "dev-triage", subject, because, back, stands)


def example_document(message: Message) -> dict[str, Any]:
    """An example as a rule's target gets it."""
    return {
        "source": SOURCE,
        "detail-type": DETAIL_TYPES[type(message)],
        "resources": [f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{message.endpoint}"],
        "detail": encode(message),
    }


def _explain(schema: dict[str, Any], kind: type) -> None:
    """The text below each field becomes its description."""
    (body,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            described = schema["properties"][field.target.id]
            described["description"] = str(ast.literal_eval(text.value))
    schema["description"] = inspect.cleandoc(kind.__doc__ or "")
