"""How each type of a record is read from its JSON document: worked out once per type, for records are read in every tick.

A reader takes a document and the path it stands at, and raises BadInput naming the path of the first fault.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from sluice.core.errors import BadInput

Reader = Callable[[Any, str], Any]


@cache
def hints(kind: type) -> dict[str, Any]:
    """The type of each field of a dataclass, in their order."""
    found = typing.get_type_hints(kind)
    return {field.name: found[field.name] for field in dataclasses.fields(kind)}


@cache
def reader(kind: Any) -> Reader:
    """The reader of a dataclass, tuple, string-keyed mapping, enum, literal, union of them or JSON scalar."""
    if kind is Any:
        return lambda document, _where: document
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return _literal(options)
    if origin in (types.UnionType, typing.Union):
        return _union(options)
    if origin is tuple:
        return _tuple(reader(options[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(reader(options[1]))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if issubclass(kind, enum.Enum):
        return _enum(kind)
    return _float if kind is float else _scalar(kind)


def _tuple(item: Reader) -> Reader:
    def read(document: Any, where: str) -> Any:
        _check(list, document, where)
        return tuple([item(each, f"{where}[{i}]") for i, each in enumerate(document)])

    return read


def _mapping(item: Reader) -> Reader:
    def read(document: Any, where: str) -> Any:
        _check(dict, document, where)
        return {key: item(value, f"{where}.{key}") for key, value in document.items()}

    return read


def _union(options: tuple[Any, ...]) -> Reader:
    """Optionals, and unions of dataclasses told apart by a literal field named `kind`."""
    some = [option for option in options if option is not type(None)]
    read_some = reader(some[0]) if len(some) == 1 else _tagged(some)
    if len(some) == len(options):
        return read_some
    return lambda document, where: None if document is None else read_some(document, where)


def _tagged(options: list[type]) -> Reader:
    readers = {tag: reader(option) for option in options for tag in typing.get_args(hints(option)["kind"])}
    known = ", ".join(map(str, readers))

    def read(document: Any, where: str) -> Any:
        _check(dict, document, where)
        tag = document.get("kind")
        if not isinstance(tag, str) or tag not in readers:
            raise BadInput((f"{where}.kind: must be one of {known}, got {tag!r}",))
        return readers[tag](document, where)

    return read


def _dataclass(kind: type) -> Reader:
    readers = {name: reader(hint) for name, hint in hints(kind).items()}

    def read(document: Any, where: str) -> Any:
        _check(dict, document, where)
        if document.keys() != readers.keys():
            unknown = [f"{where}.{key}: unknown key" for key in sorted(document.keys() - readers.keys())]
            missing = [f"{where}.{key}: missing" for key in sorted(readers.keys() - document.keys())]
            raise BadInput((*unknown, *missing))
        return kind(**{name: field(document[name], f"{where}.{name}") for name, field in readers.items()})

    return read


def _enum(kind: type[enum.Enum]) -> Reader:
    words = ", ".join(str(member.value) for member in kind)

    def read(document: Any, where: str) -> Any:
        try:
            return kind(document)
        except ValueError:
            raise BadInput((f"{where}: must be one of {words}, got {document!r}",)) from None

    return read


def _literal(words: tuple[Any, ...]) -> Reader:
    def read(document: Any, where: str) -> Any:
        if document not in words:
            raise BadInput((f"{where}: must be one of {', '.join(map(str, words))}, got {document!r}",))
        return document

    return read


def _float(document: Any, where: str) -> Any:
    """A finite float; a whole number is one too. JSON's numbers have no limits; ours do."""
    if not isinstance(document, int) or isinstance(document, bool):
        _check(float, document, where)
    if abs(document) > sys.float_info.max or document != document:
        raise BadInput((f"{where}: must be a finite number, got one beyond {sys.float_info.max:.0e}",))
    return float(document)


def _scalar(kind: type) -> Reader:
    def read(document: Any, where: str) -> Any:
        _check(kind, document, where)
        return document

    return read


def _check(kind: type, document: Any, where: str) -> None:
    if not isinstance(document, kind) or (isinstance(document, bool) and kind is not bool):
        raise BadInput((f"{where}: must be {kind.__name__}, got {type(document).__name__} {document!r}",))
