"""What pydantic found wrong, as sentences: file, path, rule, what was given, what to do. Decides no rule itself."""

from __future__ import annotations

import re
import types
from collections.abc import Sized
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sluice.core.errors import BadInput
from sluice.schema.reading import document_faults, joined, shown
from sluice.schema.values import Wrong

_RULES = {
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "too_short": "must have at least {min_length} entry, got none",
    "too_long": "must have at most {max_length} entries, got {length}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
}
_UNQUOTED = frozenset({"int_type", "float_type", "bool_type"})
_STRUCTURED = frozenset({"dict_type", "model_type", "tuple_type"})
M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], document: object, where: str, prefix: str = "") -> M:
    """The document as `model`; raises BadInput with every fault. `where` is the file, `prefix` what stands before each path."""
    made, faults = checked(model, document, where, prefix)
    if made is None:
        raise BadInput(faults)
    return made


def checked(model: type[M], document: object, where: str, prefix: str = "") -> tuple[M | None, tuple[str, ...]]:
    """The document as `model` and no fault, or None and every fault: for callers that have more to check either way."""
    root = prefix.rstrip(".:")
    found = {joined(prefix, path) if path else root: fault for path, fault in document_faults(document)}
    made = None
    if not isinstance(document, dict):
        found[root] = "is empty" if document is None else f"must be a mapping of keys to values, got {shown(document)}"
    elif root not in found:
        try:
            made = model.model_validate(document)
        except ValidationError as fault:
            for error in fault.errors():
                if error["type"] == "invalid_key" or (error["type"] == "too_short" and error["input"]):
                    continue  # said above; or it has entries, and they are refused themselves
                path, sentence = _sentence(model, error, prefix)
                found.setdefault(path, sentence)
    if found:
        return None, tuple(": ".join(filter(None, (where, path, fault))) for path, fault in found.items())
    return made, ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an error's location leads: the path as people read it, the model there, its field, and the type of what lies there."""

    path: str
    owner: type[BaseModel] | None
    field: FieldInfo | None
    kind: Any


def _sentence(model: type[BaseModel], error: Any, prefix: str) -> tuple[str, str]:
    place = _place(model, error["loc"], prefix)
    given = error["input"]
    match error["type"]:
        case "extra_forbidden":
            return place.path, f"unknown key; {_meant(place.owner, str(error['loc'][-1]))}"
        case "missing":
            return place.path, "; ".join(filter(None, ("missing", _example(place))))
        case "union_tag_not_found":
            return joined(place.path, "kind"), f"missing; one of {', '.join(_options(place.kind))}"
        case "union_tag_invalid":
            words = ", ".join(_options(place.kind))
            return joined(place.path, "kind"), f"must be one of {words}, got {shown(given['kind'])}"
        case _:
            rule, advice = _rule(error, place)
    got = "" if re.search(r"[,;] got ", rule) else f", got {shown(given)}"
    return place.path, f"{rule}{got}{f'; {advice}' if advice else ''}"


def _rule(error: Any, place: _Place) -> tuple[str, str]:
    """The rule that was broken, and advice where there is any."""
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    own = context.get("error")
    if isinstance(own, Wrong):
        return own.rule, own.advice
    if own is not None:
        return str(own), ""
    length = len(given) if isinstance(given, Sized) else 0
    rule = _RULES[kind].format(**context, length=length) if kind in _RULES else error["msg"]
    if kind == "string_type" and isinstance(given, bool | int | float):
        return rule, "put it in quotes"
    if kind in _UNQUOTED and isinstance(given, str) and re.fullmatch(r"[-+.0-9]+|true|false", given):
        return rule, "leave out the quotes"
    return rule, _example(place) if kind in _STRUCTURED else ""


def _meant(owner: type[BaseModel] | None, key: str) -> str:
    known = [field.alias or name for name, field in owner.model_fields.items()] if owner else []
    close = get_close_matches(key, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"


def _example(place: _Place) -> str:
    """How it could be written, where the field knows."""
    if place.field is None or not place.field.examples:
        return ""
    key = place.path.rpartition(".")[2].rpartition(":")[2]
    written = yaml.safe_dump(place.field.examples[0], default_flow_style=True, sort_keys=False, width=500)
    return f"for example `{key}: {written.removesuffix('...' + chr(10)).strip()}`"


def _place(model: type[BaseModel], location: tuple[str | int, ...], prefix: str) -> _Place:
    """Follows the types along the location; the words pydantic puts in for the kinds of a union are no part of the path."""
    here = _Place(prefix, None, None, model)
    for part in location:
        if part == "[key]":  # pydantic's word for: the key itself, not what lies there
            continue
        kind = _bare(here.kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = next((f for name, f in kind.model_fields.items() if part in (f.alias, name)), None)
            said = field.alias if field and field.alias else part  # a default that is wrong is named by its field
            here = _Place(joined(here.path, said), kind, field, field.annotation if field else Any)
        elif options := _options(kind):
            here = replace(here, kind=options[str(part)])
        else:
            item = get_args(kind)[-1 if get_origin(kind) is dict else 0] if get_args(kind) else Any
            here = _Place(joined(here.path, part), here.owner, None, item)
    return here


def _bare(kind: Any) -> Any:
    """The type without what is said about it and without None."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        options = [option for option in get_args(kind) if option is not type(None)]
        return _bare(options[0]) if len(options) == 1 else kind
    return kind


def _options(kind: Any) -> dict[str, type[BaseModel]]:
    """The models of a union by their `kind`; nothing for anything else."""
    kind = _bare(kind)
    models = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ()
    return {word: model for model in models for word in get_args(model.model_fields["kind"].annotation)}
