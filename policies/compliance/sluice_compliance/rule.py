"""What a rule is made of. What each of them looks for is its own module's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sluice_compliance.resources import Fault, Resource, Stack


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something a rule is told by configuration: its key there, its JSON schema with a default, and what it means."""

    name: str
    meaning: str
    default: Any
    schema: Mapping[str, Any]

    @property
    def keyword(self) -> str:
        """The argument of the check: `minimumPercent` is `minimum_percent`."""
        return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", self.name)


@dataclass(frozen=True, slots=True)
class ResourceRule:
    """Looks at one resource, before it is made or changed. `check` gives a sentence per fault."""

    name: str
    description: str
    check: Callable[..., Iterator[str]]
    parameters: tuple[Parameter, ...] = ()

    def faults(self, resource: Resource, config: Mapping[str, Any]) -> Iterator[str]:
        return self.check(resource, **arguments(self, config))


@dataclass(frozen=True, slots=True)
class StackRule:
    """Looks at the whole stack, after the preview and after the update."""

    name: str
    description: str
    check: Callable[..., Iterator[Fault]]
    parameters: tuple[Parameter, ...] = ()

    def faults(self, stack: Stack, config: Mapping[str, Any]) -> Iterator[Fault]:
        return self.check(stack, **arguments(self, config))


Rule = ResourceRule | StackRule


def arguments(rule: Rule, config: Mapping[str, Any]) -> dict[str, Any]:
    """The check's arguments. Raises ValueError for a key that no parameter has: Pulumi would let a typo pass."""
    unknown = sorted(set(config) - {parameter.name for parameter in rule.parameters})
    if unknown:
        known = ", ".join(parameter.name for parameter in rule.parameters) or "only enforcementLevel"
        raise ValueError(f"policy configuration: {rule.name} has no parameter {unknown[0]!r} (it has: {known})")
    return {parameter.keyword: config.get(parameter.name, parameter.default) for parameter in rule.parameters}


def names(name: str, meaning: str) -> Parameter:
    """A parameter that is a list of names, empty by default."""
    return Parameter(name, meaning, [], {"type": "array", "items": {"type": "string"}})


def reasons(name: str, meaning: str) -> Parameter:
    """A parameter that allows things, each with the reason why."""
    return Parameter(name, meaning, {}, {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}})
