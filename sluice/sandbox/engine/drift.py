"""A refresh: a resource's inputs and outputs as AWS has them now.

Decides only about properties that were given; what AWS adds of its own is no drift.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from sluice.sandbox.engine import calls, provider
from sluice.sandbox.engine.kinds import Aws, Gone, Kind
from sluice.sandbox.engine.paths import differences
from sluice.sandbox.engine.wire import Properties, is_file

_OURS = ("region", "tags", "tagsAll")  # never read back: the first is the client's, tags need calls of their own


def refreshed(
    aws: Aws, kind: Kind, identity: str, inputs: Properties, outputs: Properties
) -> tuple[Properties, Properties] | None:
    """Inputs and outputs, both without secrets' markers; None when the thing is gone. What cannot be read is as it was."""
    if kind.read is None:
        return inputs, outputs
    try:
        found = provider.read(aws, kind, identity, {**outputs, **inputs})
    except (ClientError, Gone) as error:
        if is_gone(error):
            return None
        raise
    now = drifted(kind, inputs, found)
    moved = {name: value for name, value in now.items() if not name.startswith("__")}
    computed = {name: found[name] for name in (*kind.computed, *kind.formats) if name in found}
    return now, {**outputs, **computed, **moved}


def is_gone(error: Exception) -> bool:
    return isinstance(error, Gone) or (isinstance(error, ClientError) and calls.is_absent(error))


def drifted(kind: Kind, inputs: Properties, found: Properties) -> Properties:
    """The inputs with what was read put in where it says something else."""
    return {name: _now(kind, value, found[name], name) if name in found and _read_back(name) else value
            for name, value in inputs.items()}  # fmt: skip


def _read_back(name: str) -> bool:
    return name not in _OURS and not name.startswith("__")


def _now(kind: Kind, given: Any, found: Any, name: str) -> Any:
    if is_file(given):
        return given  # AWS hands out the bytes, not the file
    if isinstance(given, dict):
        pairs = _as_map(found)
        return (
            found
            if pairs is None
            else {key: _now(kind, value, pairs.get(key, value), name) for key, value in given.items()}
        )
    if isinstance(given, list) and isinstance(found, list) and len(given) == len(found):
        return _list_now(kind, given, found, name)
    return found if differences(given, found, kind.unordered, (name,)) else given


def _list_now(kind: Kind, given: list[Any], found: list[Any], name: str) -> list[Any]:
    if name not in kind.unordered:
        return [_now(kind, before, after, name) for before, after in zip(given, found, strict=True)]
    there = all(any(_now(kind, before, after, name) == before for after in found) for before in given)
    return given if there else found


def _as_map(found: Any) -> dict[str, Any] | None:
    """Where Pulumi has a map, AWS often has a list of names and values."""
    if isinstance(found, list) and all(isinstance(pair, dict) and {"name", "value"} == set(pair) for pair in found):
        return {pair["name"]: pair["value"] for pair in found}
    return found if isinstance(found, dict) else None
