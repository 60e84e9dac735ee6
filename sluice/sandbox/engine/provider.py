"""Carries out resource tables: check, diff, create, read, update, delete on AWS through boto3.

The provider's half of Pulumi (what the aws plugin does under the real engine). Holds no state and knows no URNs but to
draw names from; order, protection and replacement are left to the deployment.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jmespath  # type: ignore[import-untyped]

from sluice.sandbox.engine import assets, calls
from sluice.sandbox.engine.kinds import Aws, Change, Kind, Refused
from sluice.sandbox.engine.paths import Path, property_differences, touches
from sluice.sandbox.engine.translate import Faults
from sluice.sandbox.engine.wire import UNKNOWN, Properties, holds_unknown

DEFAULTS = "__defaults"  # as in real bridged state: the inputs the provider filled in itself


class CheckFailed(Exception):
    """Inputs that are wrong; `sentences` are all that was found."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


class HalfMade(Exception):
    """The thing exists, but not all of what was asked for is done: `missing` are the properties still owed."""

    def __init__(self, identity: str, outputs: Properties, missing: frozenset[str], cause: Exception) -> None:
        super().__init__(str(cause))
        self.identity, self.outputs, self.missing, self.cause = identity, outputs, missing, cause


@dataclass(frozen=True, slots=True)
class Settings:
    """What a provider resource (or the stack's `aws:` configuration) says for all its resources."""

    region: str = "us-east-1"
    default_tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diff:
    changed: tuple[Path, ...]
    replaces: tuple[Path, ...]
    delete_before_replace: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(path[0]) for path in self.changed if path))


def check(
    kind: Kind, name: str, inputs: Properties, old: Properties | None, draw: str, settings: Settings
) -> Properties:
    """Inputs completed (name, defaults, tags) and normalised. `old` lets a drawn name be kept; `draw` seeds a new one."""
    checked = {key: value for key, value in assets.with_hashes(inputs).items() if not key.startswith("__")}
    for document in kind.documents:
        if isinstance(checked.get(document), dict):
            checked[document] = json.dumps(checked[document])
    defaults = {**({} if kind.service == "iam" else {"region": settings.region}), **kind.defaults}
    filled = [key for key in defaults if key not in checked]
    checked.update({key: defaults[key] for key in filled})
    filled += _named(kind, name, checked, old or {}, draw)
    if kind.tagging is not None:
        tags = checked.get("tags", {})
        checked["tagsAll"] = tags if tags == UNKNOWN else {**settings.default_tags, **tags}
    _refuse_wrong(kind, checked)
    return {**checked, DEFAULTS: sorted(filled)}


def _named(kind: Kind, name: str, checked: Properties, old: Properties, draw: str) -> list[str]:
    naming = kind.naming
    if naming is None:
        return []
    drawn = old.get(naming.property) if naming.property in old.get(DEFAULTS, ()) else None
    if naming.property in checked:  # also given back by the engine, when every change is ignored: it stays a drawn one
        return [naming.property] if checked[naming.property] == drawn else []
    if drawn is not None and old.get(naming.prefix) == checked.get(naming.prefix):
        checked[naming.property] = drawn
    else:
        checked[naming.property] = _drawn(kind, name, checked, draw)
    return [naming.property]


def _drawn(kind: Kind, name: str, checked: Properties, draw: str) -> str:
    naming = kind.naming
    assert naming is not None
    given = checked.get(naming.prefix)
    suffix = naming.suffix(checked)
    digits = hashlib.sha256(draw.encode()).hexdigest()[:7]
    stem = (str(given) if given else f"{name}-") + digits if naming.random or given else name
    text = (stem.lower() if naming.lower else stem) + suffix
    if len(text) > naming.longest:
        raise CheckFailed(
            [f"drawn {naming.property} {text!r} is longer than {naming.longest} characters. Give a shorter one"]
        )
    return text


def _refuse_wrong(kind: Kind, checked: Properties) -> None:
    faults = [f"property '{name}' is required and missing" for name in kind.required if name not in checked]
    try:
        calls.everything(kind, checked)
    except Faults as wrong:
        faults += wrong.sentences
    if faults:
        raise CheckFailed(faults)


def diff(kind: Kind, old: Properties, new: Properties) -> Diff:
    changed = tuple(property_differences(old, new, kind.unordered))
    replaces = tuple(path for path in changed if _replaces(kind, new, path))
    fixed = kind.naming is not None and kind.naming.random and _fixed_name(kind.naming.property, old, new)
    return Diff(changed, replaces, bool(replaces) and fixed)


def _replaces(kind: Kind, new: Properties, path: Path) -> bool:
    if touches(path, kind.in_place) or path[0] in ("tags", "tagsAll"):
        return False
    return (
        path[0] == "region"
        or touches(path, kind.force_new)
        or (kind.replaces is not None and kind.replaces(new, str(path[0])))
    )


def _fixed_name(name: str, old: Properties, new: Properties) -> bool:
    """Bridged providers delete first when a given (not drawn) name would be taken twice."""
    return name not in new.get(DEFAULTS, ()) and name in new and old.get(name) == new[name]


def create(aws: Aws, kind: Kind, inputs: Properties) -> tuple[str, Properties]:
    """Make it, wait for it, read it back, do its parts. Raises HalfMade when only the first of these succeeded."""
    plain = _plain(inputs)
    answer = calls.run(aws, kind, kind.create, Change(plain, {}, plain), calls.on_create(kind, plain))
    identity = _identity(kind, plain, answer)
    facts = {**plain, "id": identity}
    outputs = {**plain, **_computed(kind, facts, answer)}
    owed = calls.owed_after_create(kind, plain)
    try:
        if kind.settled is not None:
            kind.settled(aws, facts, "create")
        outputs |= _read(aws, kind, facts, answer)
        change = Change({**outputs, "id": identity}, {}, plain, frozenset(plain))
        while owed:
            owed[0].run(aws, kind, change)
            del owed[0]
    except Exception as cause:
        raise HalfMade(identity, outputs, frozenset(n for work in owed for n in work.properties), cause) from cause
    return identity, outputs


def update(
    aws: Aws, kind: Kind, identity: str, old: Properties, new: Properties, outputs: Properties, names: tuple[str, ...]
) -> Properties:
    """Only the calls that the changed properties need; the outputs afterwards."""
    before, plain = _plain(old), _plain(new)
    change = Change({**before, **outputs, **plain, "id": identity}, before, plain, frozenset(names))
    calls.update(aws, kind, change)
    facts = {**outputs, **plain, "id": identity}
    if kind.settled is not None:
        kind.settled(aws, facts, "update")
    return {**plain, **_kept(kind, outputs), **_read(aws, kind, facts, {})}


def _kept(kind: Kind, outputs: Properties) -> Properties:
    return {name: outputs[name] for name in (*kind.computed, *kind.formats) if name in outputs}


def read(aws: Aws, kind: Kind, identity: str, known: Properties | None = None) -> Properties:
    """What exists under this id, under property names. Raises Gone, or AWS's own error, when nothing does.

    `known` is what is on record of it, for ids that do not tell everything.
    """
    if kind.read is None:
        raise Refused(f"the sandbox cannot read a {kind.type}. Pass its values by configuration instead")
    facts = {**_facts_in(kind.id, identity), **(known or {}), "id": identity}
    answer = calls.run(aws, kind, kind.read, Change(facts, {}, {}), {})
    return {**facts, **calls.seen(kind, answer), **_computed(kind, facts, answer)}


def _facts_in(pattern: str, identity: str) -> dict[str, str]:
    """`{role}:{name}` read backwards."""
    if pattern.startswith("@"):
        return {}
    found = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(pattern)), identity)
    return found.groupdict() if found else {}


def delete(aws: Aws, kind: Kind, identity: str, inputs: Properties, outputs: Properties) -> None:
    """Remove it; one that is already gone is no error."""
    if kind.delete is None:
        return
    plain = _plain(inputs)
    facts = {**plain, **outputs, "id": identity}
    remove = partial(calls.run, aws, kind, kind.delete, Change(facts, plain, {}), {})
    if calls.absent_is_fine(remove) and kind.settled:
        kind.settled(aws, facts, "delete")


def planned(kind: Kind, new: Properties, outputs: Properties | None) -> Properties:
    """Outputs as far as a preview knows them. After an update all that is not volatile stays as it was."""
    known = {name: value for name, value in _plain(new).items() if not holds_unknown(value)}
    kept = {name: value for name, value in _kept(kind, outputs or {}).items() if name not in kind.volatile}
    return {**known, **kept}


def _plain(inputs: Properties) -> Properties:
    return {name: value for name, value in inputs.items() if not name.startswith("__")}


def _identity(kind: Kind, inputs: Properties, answer: dict[str, Any]) -> str:
    if kind.id.startswith("@"):
        return str(jmespath.search(kind.id[1:], answer))
    return kind.id.format_map(inputs)


def _read(aws: Aws, kind: Kind, facts: Properties, answer: dict[str, Any]) -> Properties:
    if kind.read is not None and kind.computed:
        answer = {**answer, **calls.run(aws, kind, kind.read, Change(facts, {}, {}), {})}
    return _computed(kind, facts, answer)


def _computed(kind: Kind, facts: Properties, answer: dict[str, Any]) -> Properties:
    found = {name: jmespath.search(path, answer) for name, path in kind.computed.items()}
    made = {name: _json_value(value) for name, value in found.items() if value is not None}
    known = {**facts, **made}
    ready = {name: text for name, text in kind.formats.items() if set(re.findall(r"{(\w+)}", text)) <= set(known)}
    return {**made, **{name: text.format_map(known) for name, text in ready.items()}}


def _json_value(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, dict)) else str(value)
