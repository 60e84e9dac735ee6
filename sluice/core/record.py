"""Dataclasses to JSON documents and back, strictly, and the difference between two documents.

One codec for everything that is stored or sent: policy snapshots, the head record, audit events. It knows dataclasses,
tuples, string-keyed mappings, enums, optionals and JSON scalars. An unknown key, a missing key or a wrong type is an error
that names the path; nothing is dropped or guessed.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import sys
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

from sluice.core.errors import BadInput

Document = dict[str, Any]
T = TypeVar("T")


def encode(value: object) -> Any:
    """A JSON-ready document for a dataclass, tuple, mapping, enum or scalar."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: encode(getattr(value, name)) for name in _hints(type(value))}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], document: Any, where: str = "record") -> T:
    """The dataclass `kind` from a document made by `encode`; raises BadInput naming the path of the first fault."""
    return cast(T, _decode(kind, document, where))


def canonical(document: Any) -> str:
    """One text per document: sorted keys, no spaces. What digests and the audit chain are computed over."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(document: Any) -> str:
    """SHA-256 of the canonical text, in hex."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def difference(before: Document, after: Document) -> Document:
    """What turns `before` into `after`: {"set": {path: value}, "drop": [path]}, paths as lists of keys joined by a tab.

    Lists are replaced whole. `patched(before, difference(before, after)) == after` for all documents whose keys hold no tab.
    """
    changed: dict[str, Any] = {}
    dropped: list[str] = []
    _compare(before, after, (), changed, dropped)
    return {"set": changed, "drop": sorted(dropped)}


def patched(before: Document, change: Document) -> Document:
    """`before` with a `difference` applied; `before` itself is left alone."""
    result = cast(Document, json.loads(json.dumps(before)))
    for path in change["drop"]:
        *parents, last = path.split("\t")
        del _at(result, parents)[last]
    for path, value in change["set"].items():
        *parents, last = path.split("\t")
        _at(result, parents)[last] = value
    return result


def _compare(before: Document, after: Document, path: tuple[str, ...], changed: Document, dropped: list[str]) -> None:
    for key in before.keys() - after.keys():
        dropped.append("\t".join((*path, key)))
    for key, value in after.items():
        here = (*path, key)
        if key in before and isinstance(value, dict) and isinstance(before[key], dict):
            _compare(before[key], value, here, changed, dropped)
        elif key not in before or before[key] != value:
            changed["\t".join(here)] = value


def _at(document: Document, path: list[str]) -> Document:
    for key in path:
        document = document[key]
    return document


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _decode(kind: Any, document: Any, where: str) -> Any:
    if kind is Any:
        return document
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return _decode_literal(kind, document, where)
    if origin in (types.UnionType, typing.Union):
        return _decode_union(kind, document, where)
    if origin is tuple:
        item_kind = typing.get_args(kind)[0]
        return tuple(_decode(item_kind, item, f"{where}[{i}]") for i, item in enumerate(_expect(list, document, where)))
    if origin is not None and issubclass(origin, Mapping):
        item_kind = typing.get_args(kind)[1]
        return {k: _decode(item_kind, v, f"{where}.{k}") for k, v in _expect(dict, document, where).items()}
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(cast(type, kind), _expect(dict, document, where), where)
    if issubclass(kind, enum.Enum):
        return _decode_enum(kind, document, where)
    return _decode_scalar(kind, document, where)


def _decode_union(kind: Any, document: Any, where: str) -> Any:
    """Optionals, and unions of dataclasses told apart by a literal field named `kind`."""
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    if document is None and len(options) < len(typing.get_args(kind)):
        return None
    if len(options) == 1:
        return _decode(options[0], document, where)
    tag = _expect(dict, document, where).get("kind")
    for option in options:
        if tag in typing.get_args(_hints(option)["kind"]):
            return _decode(option, document, where)
    known = ", ".join(str(word) for option in options for word in typing.get_args(_hints(option)["kind"]))
    raise BadInput((f"{where}.kind: must be one of {known}, got {tag!r}",))


def _decode_dataclass(kind: type, document: Document, where: str) -> Any:
    hints = _hints(kind)
    unknown = sorted(document.keys() - hints.keys())
    missing = sorted(hints.keys() - document.keys())
    faults = [f"{where}.{key}: unknown key" for key in unknown] + [f"{where}.{key}: missing" for key in missing]
    if faults:
        raise BadInput(tuple(faults))
    return kind(**{key: _decode(hint, document[key], f"{where}.{key}") for key, hint in hints.items()})


def _decode_enum(kind: type[enum.Enum], document: Any, where: str) -> enum.Enum:
    try:
        return kind(document)
    except ValueError:
        words = ", ".join(str(member.value) for member in kind)
        raise BadInput((f"{where}: must be one of {words}, got {document!r}",)) from None


def _decode_literal(kind: Any, document: Any, where: str) -> Any:
    words = typing.get_args(kind)
    if document not in words:
        raise BadInput((f"{where}: must be one of {', '.join(map(str, words))}, got {document!r}",))
    return document


def _decode_scalar(kind: Any, document: Any, where: str) -> Any:
    if kind is float and isinstance(document, int | float) and not isinstance(document, bool):
        return _finite(document, where)
    return _expect(kind, document, where)


def _finite(number: float, where: str) -> float:
    """JSON's numbers have no limits; ours do."""
    if abs(number) > sys.float_info.max or number != number:
        raise BadInput((f"{where}: must be a finite number, got one beyond {sys.float_info.max:.0e}",))
    return float(number)


def _expect(kind: type[T], document: Any, where: str) -> T:
    if not isinstance(document, kind) or (isinstance(document, bool) and kind is not bool):
        raise BadInput((f"{where}: must be {kind.__name__}, got {type(document).__name__} {document!r}",))
    return document
