"""The engine's dealings with its provider: which table, which settings, secrets on and off, errors as sentences.

Decides how a resource's record is written. What to do to a resource is decided by `deployment` and `removal`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sluice.sandbox.engine import provider
from sluice.sandbox.engine.assets import UnusableFile
from sluice.sandbox.engine.door import Door, Regional
from sluice.sandbox.engine.goal import PROVIDER, Failed, Goal
from sluice.sandbox.engine.kinds import Kind, Refused
from sluice.sandbox.engine.paths import touches
from sluice.sandbox.engine.provider import CheckFailed, HalfMade, Settings
from sluice.sandbox.engine.resources import KINDS
from sluice.sandbox.engine.state import Record, State
from sluice.sandbox.engine.translate import Faults
from sluice.sandbox.engine.wire import Properties, conceal, holds_secret, reveal


@contextmanager
def sentences_about(type_: str, name: str) -> Iterator[None]:
    """Whatever goes wrong inside comes out as Failed, with the resource's type and name before every sentence."""
    try:
        yield
    except (CheckFailed, Faults) as wrong:
        raise Failed([f"{type_} '{name}': {sentence}" for sentence in wrong.sentences]) from wrong
    except (ClientError, BotoCoreError, Refused, UnusableFile, HalfMade, ValueError) as wrong:
        raise Failed([f"{type_} '{name}': {sentence_of(wrong)}"]) from wrong


def sentence_of(error: Exception) -> str:
    if isinstance(error, HalfMade):
        return f"it was made, but not finished: {sentence_of(error.cause)}"
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        return f"{error.operation_name} was refused: {said.get('Code')}: {said.get('Message')}"
    return str(error)


def kind_of(type_: str) -> Kind:
    kind = KINDS.get(type_)
    if kind is None:
        raise Refused(
            f"the sandbox has no table for {type_}. Add one in sluice/sandbox/engine/resources (about ten lines)"
        )
    return kind


@dataclass(frozen=True, slots=True)
class Provisioning:
    """`defaults` are the settings of resources without a provider of their own (from `aws:` configuration)."""

    door: Door
    state: State
    defaults: Settings

    def settings(self, reference: str) -> Settings:
        """Settings of the provider a reference (`urn::id`) names."""
        record = self.state.resources.get(reference.rpartition("::")[0])
        if record is None:
            return self.defaults
        inputs = reveal(record.inputs)
        region = str(inputs.get("region", self.defaults.region))
        return settings_from(region, inputs.get("defaultTags"), self.defaults.default_tags)

    def aws(self, inputs: Properties, reference: str) -> Regional:
        return self.door.into(str(reveal(inputs).get("region") or self.settings(reference).region))

    def check(self, goal: Goal, given: Properties, old: Properties | None) -> Properties:
        """Completed inputs, plain. A name is drawn from the URN and how often this resource was made before."""
        draw = f"{goal.urn}#{self.state.names_drawn.get(goal.urn, 0)}"
        plain_old = reveal(old) if old is not None else None
        settings = self.settings(goal.provider)
        return provider.check(kind_of(goal.type), goal.name, reveal(given), plain_old, draw, settings)

    def delete(self, record: Record) -> None:
        with sentences_about(record.type, record.name):
            aws = self.aws(record.inputs, record.provider)
            inputs, outputs = reveal(record.inputs), reveal(record.outputs)
            provider.delete(aws, kind_of(record.type), record.id, inputs, outputs)


def settings_from(region: str, default_tags: Any, otherwise: Mapping[str, str]) -> Settings:
    """Provider settings are JSON within strings on the wire, in configuration as in provider resources."""
    block = json.loads(default_tags) if isinstance(default_tags, str) else default_tags
    return Settings(region, dict(block.get("tags", {})) if block else otherwise)


def is_provider(type_: str) -> bool:
    return type_.startswith(PROVIDER)


def record_of(goal: Goal, identity: str, inputs: Properties, outputs: Properties, secrets: frozenset[str]) -> Record:
    return Record(
        urn=goal.urn, type=goal.type, name=goal.name, custom=goal.custom, id=identity, parent=goal.parent,
        provider=goal.provider, protect=goal.protect, retain_on_delete=goal.retain_on_delete,
        dependencies=goal.dependencies, property_dependencies=goal.property_dependencies,
        deleted_with=goal.deleted_with, replacement_trigger=goal.replacement_trigger,
        ignore_changes=goal.ignore_changes, inputs=concealed(inputs, secrets),
        outputs=concealed(outputs, secrets | set(goal.additional_secret_outputs)),
    )  # fmt: skip


def secret_names(goal: Goal, old: Record | None) -> frozenset[str]:
    """Properties that stay secret: given as one, or kept from the old inputs where they were one."""
    given = {name for name, value in goal.inputs.items() if holds_secret(value)}
    before = old.inputs.items() if old else ()
    kept = {name for name, value in before if holds_secret(value) and touches((name,), goal.ignore_changes)}
    return frozenset(given | kept)


def concealed(properties: Properties, names: frozenset[str]) -> Properties:
    plain = reveal(properties)
    return {name: conceal(value) if name in names else value for name, value in plain.items()}
