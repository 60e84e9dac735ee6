"""The reference of what is sent: each message with its fields and an example, from the types it is made of."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_type_hints

from sluice.core.messages import DETAIL_TYPES, Happened
from sluice.core.standing import Standing
from sluice.schema.event_schema import example_document, examples, file_name
from tools.pages.blocks import table
from tools.pages.exports import docstrings

_NAMED = {Happened: "`event`", Standing: "`rollout`"}


def messages() -> str:
    """Every `detail-type`: when it is sent, its schema, its fields, an example."""
    sections = []
    for example in examples():
        kind = type(example)
        document = json.dumps(example_document(example), indent=2)
        schema = f"[{file_name(kind)}](../schemas/events/{file_name(kind)})"
        sections.append(
            f"### {DETAIL_TYPES[kind]}\n\n{kind.__doc__}\n\nSchema: {schema}.\n\n{_fields(kind)}\n```json\n{document}\n```\n"
        )
    return "\n".join(sections)


def parts() -> str:
    """What the messages have in common."""
    return "\n".join(f"**{_NAMED[kind]}**: {kind.__doc__}\n\n{_fields(kind)}" for kind in (Happened, Standing))


def _fields(kind: type) -> str:
    meanings, types = dict(docstrings(kind)), get_type_hints(kind)
    rows = [(f"`{field.name}`", _type(types[field.name]), meanings[field.name]) for field in dataclasses.fields(kind)]
    return table(("key", "type", "meaning"), rows)


def _type(kind: Any) -> str:
    options = [option for option in getattr(kind, "__args__", (kind,)) if option is not type(None)]
    shown = " or ".join(_NAMED[option] if option in _NAMED else _word(option) for option in options)
    return f"{shown} or null" if len(options) < len(getattr(kind, "__args__", (kind,))) else shown


def _word(kind: Any) -> str:
    words = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    if kind in words:
        return words[kind]
    return ", ".join(f"`{member.value}`" for member in kind)
