"""What the sandbox remembers of a stack between runs: plain values, written to and read from JSON.

Decides the shape of a record; what changes it is the deployment.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from sluice.sandbox.engine.wire import Properties


@dataclass(frozen=True, slots=True)
class Record:
    """One resource as the last run left it. Secrets keep Pulumi's marker in inputs and outputs."""

    urn: str
    type: str
    name: str
    custom: bool
    id: str = ""
    parent: str = ""
    provider: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    external: bool = False  # read, not made: never changed and never deleted
    deleted_with: str = ""
    replacement_trigger: Any = None
    ignore_changes: tuple[str, ...] = ()
    unfinished: bool = False  # the last create or update got only part of the way


@dataclass(slots=True)
class State:
    """`condemned` are replaced resources whose deletion is still owed, e.g. after a failed run."""

    resources: dict[str, Record] = field(default_factory=dict)
    condemned: list[Record] = field(default_factory=list)
    names_drawn: dict[str, int] = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)

    def copy(self) -> State:
        return copy.deepcopy(self)

    def dump(self) -> dict[str, Any]:
        return {
            "version": 1,
            "resources": [asdict(record) for record in self.resources.values()],
            "condemned": [asdict(record) for record in self.condemned],
            "names_drawn": dict(self.names_drawn),
            "outputs": copy.deepcopy(self.outputs),
        }

    @staticmethod
    def load(dump: dict[str, Any]) -> State:
        if dump.get("version") != 1:
            raise ValueError(
                f"sandbox state: version {dump.get('version')!r} is not known (this one reads 1). Start anew"
            )
        return State(
            resources={record["urn"]: _record(record) for record in dump["resources"]},
            condemned=[_record(record) for record in dump["condemned"]],
            names_drawn=dict(dump["names_drawn"]),
            outputs=copy.deepcopy(dump["outputs"]),
        )


def _record(values: dict[str, Any]) -> Record:
    lists = {name: tuple(urns) for name, urns in values["property_dependencies"].items()}
    tuples = {name: tuple(values[name]) for name in ("dependencies", "ignore_changes")}
    return Record(**{**values, **tuples, "property_dependencies": lists})


def dependents_first(records: Iterable[Record]) -> list[Record]:
    """The order in which to delete: nothing goes before what depends on it; otherwise the youngest first."""
    waiting = list(records)[::-1]
    ordered: list[Record] = []
    while waiting:
        needed = {urn for record in waiting for urn in _leans_on(record)}
        free = next((r for r in waiting if r.urn not in needed), waiting[0])  # a cycle cannot come from the SDK
        waiting.remove(free)
        ordered.append(free)
    return ordered


def _leans_on(record: Record) -> set[str]:
    urns = {*record.dependencies, record.parent, record.deleted_with, record.provider.rpartition("::")[0]}
    return urns - {record.urn, ""}
