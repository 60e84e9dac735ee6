"""The state brought up to date with AWS, resource by resource; what a resource's properties have become is `drift`'s."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sluice.sandbox.engine.drift import refreshed
from sluice.sandbox.engine.goal import StepResult
from sluice.sandbox.engine.paths import property_differences
from sluice.sandbox.engine.provisioning import Provisioning, concealed, is_provider, kind_of, sentences_about
from sluice.sandbox.engine.state import Record
from sluice.sandbox.engine.wire import Properties, holds_secret, reveal


def refresh(provisioning: Provisioning) -> Iterator[StepResult]:
    """One step a resource: `update` or `delete` is what happened to it meanwhile, not what is done now."""
    for record in list(provisioning.state.resources.values()):
        if record.custom and not record.external and not is_provider(record.type):
            yield _refresh(provisioning, record)


def _refresh(provisioning: Provisioning, record: Record) -> StepResult:
    kind, inputs, outputs = kind_of(record.type), reveal(record.inputs), reveal(record.outputs)
    with sentences_about(record.type, record.name):
        seen = refreshed(provisioning.aws(inputs, record.provider), kind, record.id, inputs, outputs)
    if seen is None:
        del provisioning.state.resources[record.urn]
        return StepResult("delete", record.urn, record.type, record.name)
    now = replace(record, inputs=_as_secret_as(record.inputs, seen[0]), outputs=_as_secret_as(record.outputs, seen[1]))
    provisioning.state.resources[record.urn] = now
    changed = tuple(dict.fromkeys(str(path[0]) for path in property_differences(inputs, seen[0], kind.unordered)))
    return StepResult("update" if changed else "same", record.urn, record.type, record.name, changed)


def _as_secret_as(before: Properties, now: Properties) -> Properties:
    return concealed(now, frozenset(name for name, value in before.items() if holds_secret(value)))
