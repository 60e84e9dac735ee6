"""Property paths: what differs between two sets of properties, and what `ignoreChanges` and its kin point at.

Decides equality (documents in JSON compare as documents, files by their hash). What a difference leads to is left to
the provider and the deployment.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from sluice.sandbox.engine.wire import Properties, is_file, reveal

Path = tuple[str | int, ...]
_TOKEN = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\[(\*)\]|\.?([^.\[\]]+)')
_ABSENT = object()


def parse(path: str) -> Path:
    """`a.b[0]["c.d"].*` as a tuple; raises ValueError for what cannot be read to its end."""
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        found = _TOKEN.match(path, position)
        if found is None:
            raise ValueError(f"property path {path!r}: cannot read it from {path[position:]!r} on")
        quoted, index, star, name = found.groups()
        steps.append(int(index) if index is not None else next(s for s in (quoted, star, name) if s is not None))
        position = found.end()
    return tuple(steps)


def text_of(path: Path) -> str:
    """A path as Pulumi writes it: `parse` read backwards."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_]\w*", step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step)}]"
    return text


def differences(old: Any, new: Any, unordered: Collection[str] = (), at: Path = ()) -> list[Path]:
    """The deepest paths at which the two differ, in order of name."""
    if old is _ABSENT or new is _ABSENT:
        return [] if old is new else [at]
    if is_file(old) and is_file(new):
        return [] if old.get("hash") == new.get("hash") else [at]
    if isinstance(old, dict) and isinstance(new, dict):
        names = sorted({*old, *new})
        return [p for n in names for p in differences(old.get(n, _ABSENT), new.get(n, _ABSENT), unordered, (*at, n))]
    if isinstance(old, list) and isinstance(new, list):
        return _list_differences(old, new, unordered, at)
    return [] if _same(old, new) else [at]


def _list_differences(old: list[Any], new: list[Any], unordered: Collection[str], at: Path) -> list[Path]:
    if ".".join(str(step) for step in at if not isinstance(step, int)) in unordered:
        return [] if sorted(map(_canonical, old)) == sorted(map(_canonical, new)) else [at]
    if len(old) != len(new):
        return [at]
    return [p for i, (a, b) in enumerate(zip(old, new, strict=True)) for p in differences(a, b, unordered, (*at, i))]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return str(old).lower() == str(new).lower()  # Terraform's booleans may arrive as "true"
    if old == new or str(old) == str(new):
        return True
    return _document(old) is not None and _document(old) == _document(new)


def _document(value: Any) -> Any:
    """The JSON object or list in a string; None for every other value."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return None
    try:
        return json.loads(value)
    except ValueError:
        return None


def property_differences(old: Properties, new: Properties, unordered: Collection[str] = ()) -> list[Path]:
    """Differences between two sets of inputs; the provider's own bookkeeping (`__defaults`) is not a difference."""
    plain_old = {name: value for name, value in reveal(old).items() if not name.startswith("__")}
    plain_new = {name: value for name, value in reveal(new).items() if not name.startswith("__")}
    return differences(plain_old, plain_new, unordered)


def touches(path: Path, patterns: Collection[str]) -> bool:
    """True when the path lies at, below or above one of the patterns (indexes and `*` match any step)."""
    return any(_overlap(path, parse(pattern)) for pattern in patterns)


def _overlap(path: Path, pattern: Path) -> bool:
    names = [step for step in path if not isinstance(step, int)]
    wanted = [step for step in pattern if not isinstance(step, int)]
    return all(step in ("*", name) for name, step in zip(names, wanted, strict=False))


def keep_old(old: Properties, new: Properties, patterns: Collection[str]) -> Properties:
    """`new` with everything the patterns point at as it was in `old` (Pulumi's `ignoreChanges`)."""
    result = copy.deepcopy(new) if patterns else new
    for pattern in patterns:
        path = parse(pattern)
        for concrete in {*_expand(old, path), *_expand(result, path)}:
            _restore(old, result, concrete)
    return result


def _expand(value: Any, path: Path) -> Iterator[Path]:
    if not path:
        yield ()
        return
    step, rest = path[0], path[1:]
    if step == "*":
        steps: list[str | int] = list(value) if isinstance(value, dict) else []
        steps += range(len(value)) if isinstance(value, list) else []
    else:
        steps = [step]
    for each in steps:
        below = _get(value, each)
        if below is _ABSENT:
            if not rest:
                yield (each,)
            continue
        yield from ((each, *tail) for tail in _expand(below, rest))


def _get(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step, _ABSENT)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return _ABSENT


def _restore(old: Any, new: Any, path: Path) -> None:
    for step in path[:-1]:
        old, new = _get(old, step), _get(new, step)
    before = _get(old, path[-1])
    if isinstance(new, dict):
        if before is _ABSENT:
            new.pop(str(path[-1]), None)
        else:
            new[str(path[-1])] = copy.deepcopy(before)
    elif isinstance(new, list) and isinstance(path[-1], int) and before is not _ABSENT and path[-1] < len(new):
        new[path[-1]] = copy.deepcopy(before)
