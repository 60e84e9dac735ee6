"""From a table's words to the calls: which properties each operation carries, with which keys, and in which order.

Decides the parameters of every call and whether an update needs one. When to call is left to `provider`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import StructureShape

from sluice.sandbox.engine import translate
from sluice.sandbox.engine.kinds import ALWAYS, Aws, Call, Change, Do, Kind, Refused
from sluice.sandbox.engine.wire import UNKNOWN, Properties, holds_unknown, is_file

_TAGS = ("tags", "tagsAll")
_ABSENT = (
    "NoSuch",
    "NotFound",
    "NonExistent",
    "DoesNotExist",
    "Could not find",
)  # how AWS says that a thing is not there


def run(aws: Aws, kind: Kind, do: Do, change: Change, properties: Properties) -> dict[str, Any]:
    if not isinstance(do, Call):
        return do(aws, change)
    return aws.call(kind.service, do.operation, **_parameters(kind, do, change.facts, properties))


def _parameters(kind: Kind, call: Call, facts: Properties, properties: Properties) -> dict[str, Any]:
    keyed = {parameter: facts.get(fact, UNKNOWN) for parameter, fact in call.keys.items()}
    wanted = {name: value for name, value in properties.items() if name not in call.keys.values()}
    sent = translate.parameters(_shape(kind, call), wanted, kind.rules)
    return {**({call.inside: sent} if call.inside else sent), **call.constants, **keyed}


def _shape(kind: Kind, call: Call) -> StructureShape:
    """Where the call holds properties: its input, or the one parameter they all go into."""
    shape = translate.input_shape(kind.service, call.operation)
    target = shape.members[call.inside] if call.inside else shape
    assert isinstance(target, StructureShape)
    return target


def pick(properties: Properties, names: Iterable[str]) -> Properties:
    return {name: properties[name] for name in names if name in properties}


def on_create(kind: Kind, properties: Properties) -> Properties:
    """What the create call carries: all but parts of their own, with the tags that apply in place of the given ones."""
    later = {name for part in kind.parts if part.on_create for name in part.properties}
    prefix = {kind.naming.prefix} if kind.naming else set()
    aside = {*later, *prefix, *ALWAYS, *_TAGS, *(name for name in kind.rules.accepted if "." not in name)}
    sent = {name: value for name, value in properties.items() if name not in aside}
    if kind.inline_tags and properties.get("tagsAll"):
        sent["tags"] = properties["tagsAll"]
    return kind.reshape(sent)


@dataclass(frozen=True, slots=True)
class Owed:
    """A call that follows the create call, and the properties it brings about."""

    do: Do
    properties: tuple[str, ...]
    sent: Properties

    def run(self, aws: Aws, kind: Kind, change: Change) -> None:
        run(aws, kind, self.do, change, self.sent)


def owed_after_create(kind: Kind, properties: Properties) -> list[Owed]:
    parts = [part for part in kind.parts if part.on_create and any(name in properties for name in part.properties)]
    owed = [Owed(part.put, part.properties, pick(properties, part.properties)) for part in parts]
    if kind.tagging is not None and not kind.tagging.on_create and properties["tagsAll"]:
        owed.append(Owed(kind.tagging.tag, _TAGS, {"tags": properties["tagsAll"]}))
    return owed


def everything(kind: Kind, properties: Properties) -> None:
    """Build every call these inputs could need, to find what cannot be translated. Raises translate.Faults."""
    known = {name: _without_files(value) for name, value in properties.items() if not holds_unknown(value)}
    faults: list[str] = []
    if kind.tagging is None and "tags" in known:
        faults.append("property 'tags' is not known to the sandbox for this type. Leave it out")
    sent = on_create(kind, known)
    faults += _faults_of_create(kind, sent)
    for part in kind.parts:
        if isinstance(part.put, Call):
            faults += _faults(kind, part.put, pick(known, part.properties))
    if faults:
        raise translate.Faults(faults)


def _faults_of_create(kind: Kind, sent: Properties) -> list[str]:
    if isinstance(kind.create, Call):
        allowed = kind.create.sends
        strange = (
            [] if allowed is None else [n for n in sent if n not in (*allowed, *kind.create.keys.values(), "tags")]
        )
        rest = {name: value for name, value in sent.items() if name not in strange}
        return [_strange(name, kind) for name in strange] + _faults(kind, kind.create, rest)
    return [_strange(name, kind) for name in sent if name not in (*kind.known, "tags")]


def _strange(name: str, kind: Kind) -> str:
    return f"property '{name}' is not known to the sandbox. Correct its name, or add it to the table of {kind.type}"


def _faults(kind: Kind, call: Call, properties: Properties) -> list[str]:
    try:
        _parameters(kind, call, properties, properties)
    except translate.Faults as wrong:
        return wrong.sentences
    return []


def _without_files(value: Any) -> Any:
    """Checking must not build zips: a file stands for itself by its hash."""
    return value["hash"] if is_file(value) else value


def update(aws: Aws, kind: Kind, change: Change) -> None:
    """The calls for what changed: the main one, then each part concerned, then tags."""
    names = set(change.changed) - {*_TAGS, *ALWAYS, *kind.rules.accepted}
    for part in kind.parts:
        names -= set(part.properties)
    if names:
        _update_rest(aws, kind, change, names)
    for part in kind.parts:
        if change.changed & {*part.properties, *part.also}:
            present = pick(change.new, part.properties)
            do = part.put if present or part.clear is None else part.clear
            run(aws, kind, do, change, present if do is part.put else {})
    if kind.tagging is not None and change.changed & set(_TAGS):
        _retag(aws, kind, change)


def _update_rest(aws: Aws, kind: Kind, change: Change, names: set[str]) -> None:
    if kind.update is None:
        raise Refused(_no_way(kind, names))
    if not isinstance(kind.update, Call):
        kind.update(aws, change)
        return
    gone = {name: value for name, value in kind.cleared.items() if name in names and name not in change.new}
    wanted = {**change.new, **gone}
    sends = _carried(kind, kind.update, {*wanted, *names})
    if names - sends:
        raise Refused(_no_way(kind, names - sends))
    run(aws, kind, kind.update, change, kind.reshape(pick(wanted, sorted(sends))))


def _carried(kind: Kind, call: Call, names: Iterable[str]) -> set[str]:
    if call.sends is not None:
        return set(call.sends)
    aside = {*_TAGS, *ALWAYS, *kind.rules.accepted, *(name for part in kind.parts for name in part.properties)}
    return translate.carried(_shape(kind, call), {name: None for name in names if name not in aside}, kind.rules)


def _no_way(kind: Kind, names: Iterable[str]) -> str:
    return (
        f"cannot change {', '.join(sorted(names))} of a {kind.type} in place: its table names no operation for it. "
        "Add one, or list the property under force_new"
    )


def _retag(aws: Aws, kind: Kind, change: Change) -> None:
    tagging = kind.tagging
    assert tagging is not None
    old, new = change.old.get("tagsAll", {}), change.new.get("tagsAll", {})
    if tagging.untag is None:
        run(aws, kind, tagging.tag, change, {"tags": new})
        return
    gone = sorted(set(old) - set(new))
    fresh = {name: value for name, value in new.items() if old.get(name) != value}
    if gone:
        run(aws, kind, tagging.untag, change, {"tagKeys": gone})
    if fresh:
        run(aws, kind, tagging.tag, change, {"tags": fresh})


def seen(kind: Kind, answer: dict[str, Any]) -> Properties:
    """An answer to a read under property names; one that holds a single object is that object."""
    body = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    only = next(iter(body.values())) if len(body) == 1 else body
    found = translate.properties_of(only if isinstance(only, dict) else body, kind.rules, kind.documents)
    return {name: value for name, value in found.items() if name not in _TAGS}


def is_absent(error: ClientError) -> bool:
    said = error.response.get("Error", {})
    code, message = str(said.get("Code", "")), str(said.get("Message", ""))
    return code == "404" or any(word in code or (code == "ValidationException" and word in message) for word in _ABSENT)


def absent_is_fine(remove: Callable[[], object]) -> bool:
    """Run a removal; False when there was nothing to remove."""
    try:
        remove()
    except ClientError as error:
        if not is_absent(error):
            raise
        return False
    return True
