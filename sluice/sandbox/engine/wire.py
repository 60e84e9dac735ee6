"""Property values as Pulumi sends them, held as plain JSON values.

Decides how secrets, unknowns, assets and references look inside our state (as on the wire, so a dump is plain JSON).
What a property means is left to the provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2  # type: ignore[import-untyped]

# The signature keys are part of Pulumi's wire format (sdk/python/lib/pulumi/runtime/rpc.py); they are the same in every language.
SIGNATURE = "4dabf18193072939515e22adb298388d"
CONCEALED = "1b47061264138c4ac30d75fd1eb44270"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Properties = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Secret:
    """A stack output that is a secret: the value is there for a test, and does not show when printed."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


def decode(struct: struct_pb2.Struct) -> Properties:
    """Protobuf to plain values. Absent and null are the same thing to a provider, so nulls are dropped."""
    fields = {name: _decode(struct.fields[name]) for name in sorted(struct.fields)}  # the map itself has no order
    return {name: value for name, value in fields.items() if value is not None}


def _decode(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number  # protobuf knows doubles only
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "struct_value":
            return _reference_or(decode(value.struct_value))
        case _:
            return None


def _reference_or(value: Properties) -> Any:
    """A resource given as an input reaches a provider as its id (a component, which has none, as its URN)."""
    if value.get(SIGNATURE) != REFERENCE:
        return value
    return value["urn"] if "id" not in value else value["id"] or UNKNOWN


def encode(properties: Properties) -> struct_pb2.Struct:
    return struct_pb2.Struct(fields={name: _encode(value) for name, value in properties.items() if value is not None})


def _encode(value: Any) -> struct_pb2.Value:
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=float(value))
        case str():
            return struct_pb2.Value(string_value=value)
        case dict():
            return struct_pb2.Value(struct_value=encode(value))
        case list() | tuple():
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item) for item in value]))
        case _:
            return struct_pb2.Value(string_value=str(value))  # timestamps read back from AWS


def conceal(value: Any) -> Any:
    return value if is_secret(value) else {SIGNATURE: CONCEALED, "value": value}


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == CONCEALED


def reveal(value: Any) -> Any:
    """The value with every secret marker inside it taken off."""
    if is_secret(value):
        return reveal(value["value"])
    if isinstance(value, dict):
        return {name: reveal(item) for name, item in value.items()}
    return [reveal(item) for item in value] if isinstance(value, list) else value


def holds_secret(value: Any) -> bool:
    if is_secret(value):
        return True
    if isinstance(value, dict):
        return any(holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(holds_secret(item) for item in value)


def marked(value: Any) -> Any:
    """What a reader of stack outputs gets: plain values, with `Secret` around what was a secret."""
    if is_secret(value):
        return Secret(reveal(value["value"]))
    if isinstance(value, dict):
        return {name: marked(item) for name, item in value.items()}
    return [marked(item) for item in value] if isinstance(value, list) else value


def holds_unknown(value: Any) -> bool:
    if isinstance(value, str):
        return value == UNKNOWN
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in value.values())
    return isinstance(value, list) and any(holds_unknown(item) for item in value)


def is_file(value: Any) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) in (ASSET, ARCHIVE)
