"""Files to plain documents: text, numbers, true, false, null, lists, and mappings with text keys. Leaves the meaning to the models."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from sluice.core.errors import BadInput
from sluice.schema.yaml_core import CoreSchemaLoader, position, problem

READY_MADE = Path("policies") / "rollouts"
"""Where the ready-made rollout policies are, from the root of the repository. A stack's configuration says only their names."""
_MOST_BYTES = 256 * 1024
"""Policies and releases have a few KB. PyYAML takes seconds for a megabyte."""
_MOST_VALUES = 20_000
_DEEPEST = 40
_SHOWN_CHARACTERS = 60
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def load(path: Path, where: str) -> object:
    """The document in a YAML or JSON file; raises BadInput with the line of what cannot be parsed."""
    text = _text(path, where)
    try:
        if path.suffix == ".json":
            return json.loads(text, object_pairs_hook=_unique)
        return yaml.load(text, Loader=CoreSchemaLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as fault:
        raise BadInput((f"{where}: {position(fault)}cannot be parsed: {problem(fault)}",)) from None
    except yaml.reader.ReaderError as fault:
        line = text.count("\n", 0, fault.position) + 1
        raise BadInput((f"{where}: line {line}: cannot be parsed: holds a control character",)) from None
    except json.JSONDecodeError as fault:
        here = f"line {fault.lineno}, column {fault.colno}"
        raise BadInput((f"{where}: {here}: cannot be parsed: {fault.msg}",)) from None
    except ValueError as fault:
        raise BadInput((f"{where}: cannot be parsed: {fault}",)) from None
    except RecursionError:
        raise BadInput((f"{where}: cannot be parsed: is nested too deep",)) from None


def document_faults(document: object) -> Iterator[tuple[str, str]]:
    """(path, fault) for whatever JSON could not carry or a record could not keep; the other checks rely on there being none."""
    visits = islice(_visit(document, "", 0), _MOST_VALUES + 1)
    count = 0
    for count, (path, fault) in enumerate(visits, 1):  # noqa: B007 - counted, read below
        if fault:
            yield path, fault
    if count > _MOST_VALUES:
        yield "", f"describes more than {_MOST_VALUES:,} values (aliases count as often as they are used)"


def joined(path: str, part: str | int) -> str:
    """`steps`, then `steps[2]`, then `steps[2].weight`."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    part = part or "''"
    return f"{path}.{part}" if path and not path.endswith((":", ".")) else f"{path}{part}"


def shown(value: object) -> str:
    """What was given, as short as it can be told."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]!r}... ({len(value)} characters)"
    return repr(value)


def _text(path: Path, where: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as fault:
        raise BadInput((f"{where}: cannot be read: {fault.strerror or fault}{_meant(path, fault)}",)) from None
    except ValueError as fault:  # a path with a NUL in it
        raise BadInput((f"{where}: cannot be read: {fault}",)) from None
    if len(content) > _MOST_BYTES:
        raise BadInput((f"{where}: has more than {_MOST_BYTES // 1024} KB; policies and releases have a few",))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise BadInput((f"{where}: line {line}: is not UTF-8 text; save the file as UTF-8",)) from None


def _meant(path: Path, fault: OSError) -> str:
    """A ready-made policy's name is no file here, though the stack's configuration takes it."""
    if not isinstance(fault, FileNotFoundError) or len(path.parts) != 1:
        return ""
    ready_made = READY_MADE / f"{path}.yaml"
    return f". The ready-made policy of this name is {ready_made}" if ready_made.is_file() else ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"key {key!r} is given twice")
        made[key] = value
    return made


def _visit(value: object, path: str, depth: int) -> Iterator[tuple[str, str | None]]:
    if depth > _DEEPEST:
        yield "", f"is nested deeper than {_DEEPEST} levels"
        return
    yield path, _own_fault(value)
    if isinstance(value, dict):
        for key, item in value.items():
            here = joined(path, key if isinstance(key, str) else shown(key))
            yield here, _key_fault(key)
            yield from _visit(item, here, depth + 1)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _visit(item, joined(path, i), depth + 1)


def _own_fault(value: object) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, got {value}"
    if isinstance(value, str) and not _is_unicode(value):
        return "holds half a surrogate pair, which is no character"
    if value is not None and not isinstance(value, str | bool | int | float | list | dict):
        return f"must be text, a number, true, false, null, a list or a mapping, got {type(value).__name__}"
    return None


def _key_fault(key: object) -> str | None:
    if not isinstance(key, str):
        return f"the key {shown(key)} is not text; put it in quotes"
    if _CONTROL.search(key) or not _is_unicode(key):
        return "the key holds a control character or half a surrogate pair"
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
