"""The exports reference: types from the contract that consumers read with, meanings from the fields that are exported."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

from sluice.client.contract import ControlPlaneContract, EndpointContract
from tools.pages.blocks import table

_SHOWN = {str: "text", int: "whole number", float: "number"}


def endpoint() -> str:
    """One entry of `endpoints`."""
    from infra.exports import EndpointExport  # pulumi takes seconds to import

    return _reference(EndpointExport, EndpointContract)


def control_plane() -> str:
    """The entry `control_plane`."""
    from infra.exports import ControlPlaneExport

    return _reference(ControlPlaneExport, ControlPlaneContract)


def _reference(exported: type, contract: type) -> str:
    """Every exported field; raises KeyError for one that says nothing of itself, or that the contract does not know."""
    meanings, types = dict(docstrings(exported)), get_type_hints(contract)
    rows = [
        (f"`{field.name}`", _type(types[field.name]), meanings[field.name]) for field in dataclasses.fields(exported)
    ]
    return table(("key", "type", "meaning"), rows)


def docstrings(kind: type) -> Iterator[tuple[str, str]]:
    """The text below each field of a dataclass."""
    (body,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            yield field.target.id, str(ast.literal_eval(text.value))


def _type(kind: Any) -> str:
    if kind in _SHOWN:
        return _SHOWN[kind]
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return "{" + ", ".join(f"`{name}`" for name in hints) + "}"
    parts = [part for part in getattr(kind, "__args__", ()) if part not in (type(None), Ellipsis)]
    shown = " or ".join(_type(part) for part in parts)
    if getattr(kind, "__origin__", None) is Mapping:
        return f"{_type(parts[-1])} by name"
    if getattr(kind, "__origin__", None) is tuple:
        return f"list of {shown}"
    return f"{shown} or null" if type(None) in getattr(kind, "__args__", ()) else shown
