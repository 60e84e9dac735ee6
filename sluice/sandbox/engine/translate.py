"""Pulumi properties to AWS parameters and back, read off botocore's own service models.

Decides which parameter a property becomes (`productionVariants[].volumeSizeInGb` -> `VolumeSizeInGB`) and in which form;
a property nothing stands for is a fault. Which operation is called is left to the resource tables.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from sluice.sandbox.engine.wire import UNKNOWN, Properties

_PAIRS = ({"key", "value"}, {"name", "value"})  # AWS spells a map as a list of these: tags, dimensions


@dataclass(frozen=True, slots=True)
class Rules:
    """What the models cannot tell: `renames` and `accepted` are keyed by property path without list indexes."""

    renames: Mapping[str, str] = field(default_factory=dict)
    accepted: Mapping[str, str] = field(default_factory=dict)  # path -> why it is not sent


class Faults(Exception):
    """Properties that could not be translated, all of them; the caller adds which resource they belong to."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


@functools.cache
def _model(service: str) -> ServiceModel:
    """Out of the loader of boto3's default session: it reads the same megabytes for its clients, and keeps them."""
    if boto3.DEFAULT_SESSION is None:
        boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    assert session is not None
    loader = session._session.get_component("data_loader")
    return ServiceModel(loader.load_service_model(service, "service-2", api_version=None), service)


@functools.cache
def input_shape(service: str, operation: str) -> StructureShape:
    shape = _model(service).operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    return shape


def parameters(shape: StructureShape, properties: Properties, rules: Rules) -> dict[str, Any]:
    """The operation's parameters for all these properties; raises Faults naming every property without a place."""
    faults: list[str] = []
    result = _structure(shape, properties, "", rules, faults)
    if faults:
        raise Faults(faults)
    return result


def carried(shape: StructureShape, properties: Properties, rules: Rules) -> set[str]:
    """The properties (top level) that this operation has a parameter for."""
    return {name for name in properties if member_for(shape, name, name, rules) is not None}


def member_for(shape: StructureShape, name: str, path: str, rules: Rules) -> str | None:
    renamed = rules.renames.get(path)
    if renamed is not None:
        return renamed if renamed in shape.members else None
    return _find(shape, name)


def _find(shape: StructureShape, name: str) -> str | None:
    members = {member.lower(): member for member in shape.members}
    plain = name.lower()
    for spelling in (plain, plain.removesuffix("s"), plain + "s", re.sub("ies$", "y", plain)):
        if spelling in members:
            return members[spelling]
    return None


def _structure(shape: StructureShape, properties: Any, path: str, rules: Rules, faults: list[str]) -> dict[str, Any]:
    if not isinstance(properties, dict):
        faults.append(f"property '{path}': expected an object, got {properties!r}")
        return {}
    result: dict[str, Any] = {}
    for name, value in properties.items():
        below = f"{path}.{name}" if path else name
        if below in rules.accepted or value is None:
            continue
        member = member_for(shape, name, below, rules)
        if member is None:
            faults.append(_unknown(below, shape))
        else:
            result[member] = _value(shape.members[member], value, below, rules, faults)
    return result


def _unknown(path: str, shape: StructureShape) -> str:
    return (
        f"property '{path}' is not known to the sandbox ({shape.name} takes {', '.join(shape.members)}). "
        "Correct its name, or add it to the type's table in sluice/sandbox/engine/resources"
    )


def _value(shape: Shape, value: Any, path: str, rules: Rules, faults: list[str]) -> Any:
    if value == UNKNOWN:
        return UNKNOWN
    if isinstance(shape, StructureShape):
        single = value[0] if isinstance(value, list) and len(value) == 1 else value
        return _structure(shape, single, path, rules, faults)
    if isinstance(shape, ListShape):
        return _list(shape, value, path, rules, faults)
    if isinstance(shape, MapShape):
        items = value.items() if isinstance(value, dict) else ()
        return {name: _value(shape.value, item, f"{path}.{name}", rules, faults) for name, item in items}
    return _scalar(shape, value, path, faults)


def _list(shape: ListShape, value: Any, path: str, rules: Rules, faults: list[str]) -> list[Any]:
    element = shape.member
    if isinstance(value, dict) and isinstance(element, StructureShape):
        members = {member.lower(): member for member in element.members}
        if set(members) in _PAIRS:
            first = members["key"] if "key" in members else members["name"]
            return [{first: name, members["value"]: str(item)} for name, item in sorted(value.items())]
    values = value if isinstance(value, list) else [value]
    return [_value(element, item, path, rules, faults) for item in values]


def _scalar(shape: Shape, value: Any, path: str, faults: list[str]) -> Any:
    try:
        match shape.type_name:
            case "string":
                return _text(value)
            case "integer" | "long":
                return int(value)
            case "float" | "double":
                return float(value)
            case "boolean":
                return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
            case _:
                return value  # blobs and timestamps: botocore takes what it is given
    except (ValueError, TypeError, KeyError):
        faults.append(f"property '{path}': expected {shape.type_name}, got {value!r}")
        return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else str(value)


def properties_of(response: Any, rules: Rules, documents: Collection[str] = (), path: str = "") -> Any:
    """An AWS answer under property names (for resources that are read, not made). `documents` are JSON, whose words stay."""
    if path in documents:
        return response if isinstance(response, str) else json.dumps(response)
    if isinstance(response, list):
        return [properties_of(item, rules, documents, path) for item in response]
    if not isinstance(response, dict):
        return response if isinstance(response, (str, int, float, bool)) else str(response)
    spelled = {
        member: name.rpartition(".")[2] for name, member in rules.renames.items() if name.rpartition(".")[0] == path
    }
    result = {}
    for member, value in response.items():
        name = spelled.get(member) or _camel(member)
        result[name] = properties_of(value, rules, documents, f"{path}.{name}" if path else name)
    return result


def _camel(member: str) -> str:
    """`KMSKeyArn` -> `kmsKeyArn`, `ModelName` -> `modelName`."""
    head = re.match(r"[A-Z]+(?![a-z])|[A-Z]", member)
    return member if head is None else member[: head.end()].lower() + member[head.end() :]
