"""The configuration reference, from the models that read it: every key, what it may be, its default and its meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from sluice.schema.json_schema import Untitled
from sluice.schema.values import DURATION, PERCENTAGE, Matching, NotBelow
from tools.pages.blocks import table

_HEAD = ("key", "what it may be", "default", "meaning")
_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
}
_PATTERNS = {f"^({DURATION})$": "duration (90s, 7m, 24h, 2d)", f"^({PERCENTAGE})$": "percentage (5%, 0.5%)"}
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "above {}",
    "exclusiveMaximum": "below {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "maxProperties": "at most {} of them",
    "maxLength": "at most {} characters",
}


def reference(model: type[BaseModel], name: str, intro: str = "", level: int = 3) -> str:
    """A section for the model, and one for every model inside it, in the order in which they are met."""
    document = model.model_json_schema(schema_generator=Untitled)
    models = {each.__name__: each for each in _inside(model)}
    sections = []
    for title, schema in _sections(name, document, document.get("$defs", {})):
        owner = models.get(title, model)
        rows = [_row(key, value, schema, owner, models) for key, value in schema["properties"].items()]
        said = intro if intro and owner is model else schema.get("description", "")
        sections.append(f"{'#' * level} {title}\n\n{said}\n\n{table(_HEAD, rows)}")
    return "\n".join(sections)


def _inside(kind: Any) -> Iterator[type[BaseModel]]:
    """The model and every model its fields lead to."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from _inside(field.annotation)
    for part in get_args(kind):
        yield from _inside(part)


def _sections(name: str, schema: Any, known: Any) -> Iterator[tuple[str, Any]]:
    waiting, seen = [(name, schema)], {name}
    while waiting:
        title, current = waiting.pop(0)
        yield title, current
        for ref in _refs(current["properties"]):
            if ref not in seen:
                seen.add(ref)
                waiting.append((ref, known[ref]))


def _refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for key, value in schema.items():
            if key != "discriminator":
                yield from _refs(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _refs(value)


def _row(
    key: str, schema: Any, owner_schema: Any, owner: type[BaseModel], models: Mapping[str, type[BaseModel]]
) -> tuple[str, str, str, str]:
    field = next(field for name, field in owner.model_fields.items() if key in (name, field.alias))
    rules = [rule.removeprefix("must ").removeprefix("be ") for rule in _rules([*field.metadata, field.annotation])]
    kind = _kind(schema)
    told = (
        f"{kind}{'; names: ' if kind.startswith('mapping') else ': '}{'; '.join(dict.fromkeys(rules))}"
        if rules
        else kind
    )
    example = f"**required**, such as `{_plain(schema['examples'][0])}`" if "examples" in schema else "**required**"
    default = example if key in owner_schema.get("required", []) else _default(schema, field)
    inner = models.get(str(schema.get("$ref", "")).rpartition("/")[2])
    # pydantic leaves out a key's own words where they are those of its model.
    return f"`{key}`", told, default, schema.get("description") or (inner.__doc__ if inner else None) or ""


def _rules(parts: Any) -> Iterator[str]:
    """What is demanded beyond the JSON Schema, wherever in the type it stands."""
    for part in parts:
        if isinstance(part, AfterValidator) and isinstance(part.func, Matching | NotBelow):
            yield part.func.rule
        if get_origin(part) is Annotated or get_args(part):
            yield from _rules(get_args(part))


def _kind(schema: Any) -> str:
    """One schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{_plain(schema['const'])}`"
    if "enum" in schema:
        return _or([f"`{word}`" for word in schema["enum"]])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _or([_kind(option) for option in schema[several] if option.get("type") != "null"])
    return ", ".join(
        [_base(schema), *(text.format(_plain(schema[key])) for key, text in _LIMITS.items() if key in schema)]
    )


def _base(schema: Any) -> str:
    if schema.get("pattern") in _PATTERNS:
        return _PATTERNS[schema["pattern"]]
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if "items" in schema else "list"
    entries = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
    if isinstance(entries, dict) and entries:
        return f"mapping of names to {_kind(entries)}"
    return _KINDS.get(schema.get("type", ""), "see the meaning")


def _or(words: list[str]) -> str:
    distinct = list(dict.fromkeys(words))
    return distinct[0] if len(distinct) == 1 else f"{', '.join(distinct[:-1])} or {distinct[-1]}"


def _default(schema: Any, field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "its own defaults" if isinstance(field.default_factory, type) else f"`{_plain(schema['examples'][0])}`"
    if schema.get("default") in (None, {}, []):
        return "none"
    return f"`{_plain(schema['default'])}`"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
