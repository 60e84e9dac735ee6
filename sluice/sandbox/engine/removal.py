"""Deletion: what the program no longer names, what was replaced, and whole stacks.

Decides order (dependents first), refusal of protected things before anything is touched, and what is left standing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sluice.sandbox.engine import provider
from sluice.sandbox.engine.goal import Failed, StepResult
from sluice.sandbox.engine.paths import keep_old
from sluice.sandbox.engine.provisioning import Provisioning, is_provider, kind_of
from sluice.sandbox.engine.state import Record, State, dependents_first
from sluice.sandbox.engine.wire import UNKNOWN, reveal


@dataclass(frozen=True, slots=True)
class Removal:
    provisioning: Provisioning
    dry_run: bool

    @property
    def _state(self) -> State:
        return self.provisioning.state

    def sweep(self, kept: Iterable[str], replaced: Iterable[str] = ()) -> Iterator[StepResult]:
        """Delete every resource but the kept, and everything condemned; refused before the first if one is protected.

        The deletion of what this run `replaced` is part of that step: it is not told again.
        """
        staying = set(kept)
        doomed = [record for urn, record in self._state.resources.items() if urn not in staying]
        _refuse_protected(doomed)
        gone, told = {record.urn for record in doomed}, set(replaced)
        for record in dependents_first([*doomed, *self._state.condemned]):
            step = self._remove(record, gone)
            if record in self._state.condemned:
                self._state.condemned.remove(record)
            else:
                del self._state.resources[record.urn]
            if step is not None and (step.op == "retain" or record.urn not in told):
                yield step

    def _remove(self, record: Record, gone: set[str]) -> StepResult | None:
        if not record.custom or record.external or is_provider(record.type):
            return None
        if record.retain_on_delete:
            return StepResult("retain", record.urn, record.type, record.name)
        if not self.dry_run and record.deleted_with not in gone:
            self.provisioning.delete(record)
        return StepResult("delete", record.urn, record.type, record.name)

    def clear_the_way(self, root: Record, waiting: Iterable[str]) -> list[Record]:
        """Before a replacement that deletes first: delete what must be replaced with it, then the old thing itself.

        `waiting` are the URNs the program has not registered yet: whoever has been is already on the new footing.
        """
        doomed = [*self._replaced_along(root, set(waiting)), root]
        for record in doomed:
            if record is not root and record.protect:
                raise Failed([_protected(record, f"it must be replaced together with '{root.name}'")])
        for record in dependents_first(doomed):
            if not record.retain_on_delete and not self.dry_run:
                self.provisioning.delete(record)
            del self._state.resources[record.urn]
        return doomed

    def _replaced_along(self, root: Record, waiting: set[str]) -> list[Record]:
        """Dependents whose provider would replace them if the properties that come from replaced things changed."""
        replaced = {root.urn}
        along = []
        for record in self._state.resources.values():
            ours = record.urn in waiting and record.custom and not record.external and not is_provider(record.type)
            if ours and replaced & set(record.dependencies) and _must_follow(record, replaced):
                replaced.add(record.urn)
                along.append(record)
        return along


def _must_follow(record: Record, replaced: set[str]) -> bool:
    inputs = reveal(record.inputs)
    moved = {name: UNKNOWN for name, urns in record.property_dependencies.items() if replaced & set(urns)}
    changed = keep_old(inputs, {**inputs, **moved}, record.ignore_changes)
    return bool(provider.diff(kind_of(record.type), inputs, changed).replaces)


def _refuse_protected(doomed: list[Record]) -> None:
    faults = [_protected(record, "it would be deleted") for record in doomed if record.protect]
    if faults:
        raise Failed(faults)


def _protected(record: Record, why: str) -> str:
    return (
        f"{record.type} '{record.name}' is protected and {why}. Remove `protect` from it in the program and run again, "
        "then take it away"
    )
