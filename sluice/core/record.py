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
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from sluice.core.reader import hints, reader

Document = dict[str, Any]
T = TypeVar("T")
_SCALARS = frozenset((str, float, int, bool, type(None)))


def encode(value: object) -> Any:
    """A JSON-ready document for a dataclass, tuple, mapping, enum or scalar."""
    kind: Any = type(value)
    return value if kind in _SCALARS else _writer(kind)(value)


@cache
def _writer(kind: type) -> Callable[[Any], Any]:
    """How values of a type are encoded: worked out once, since every tick encodes thousands."""
    if dataclasses.is_dataclass(kind):
        names = tuple(hints(kind))
        return lambda value: {name: encode(getattr(value, name)) for name in names}
    if issubclass(kind, enum.Enum):
        return lambda value: value.value
    if issubclass(kind, Mapping):
        return lambda value: {key: encode(item) for key, item in value.items()}
    if issubclass(kind, tuple):
        return lambda value: [encode(item) for item in value]
    return lambda value: value


def decode(kind: type[T], document: Any, where: str = "record") -> T:
    """The dataclass `kind` from a document made by `encode`; raises BadInput naming the path of the first fault."""
    return cast(T, reader(cast(Any, kind))(document, where))


def canonical(document: Any) -> str:
    """One text per document: sorted keys, no spaces. What digests and the audit chain are computed over."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(document: Any) -> str:
    """SHA-256 of the canonical text, in hex."""
    return text_digest(canonical(document))


def text_digest(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


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
