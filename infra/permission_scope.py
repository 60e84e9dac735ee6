"""What a stack's permissions are about: its names, its endpoints and those it serves for others, and where artifacts lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.resource_names import Names
from infra.signing_key import hooks_of
from sluice.core.conditions import Hook
from sluice.schema import StackSpec


@dataclass(frozen=True, slots=True)
class Scope:
    """What the statements are about: the stack's names, its endpoints and those of others it serves, and where artifacts lie."""

    names: Names
    endpoints: tuple[str, ...]
    slots: Mapping[str, tuple[str, ...]]
    reach: tuple[str, ...]
    adopts: bool
    artifact_buckets: tuple[str, ...]
    hooks: tuple[Hook, ...] = ()
    drills: bool = False
    links: bool = False
    model_package_groups: tuple[str, ...] = ()
    collector_headers: str | None = None


def scope_of(names: Names, spec: StackSpec) -> Scope:
    """The scope of a configured stack. Slots are by endpoint: two endpoints of a stack may call theirs differently."""
    return Scope(
        names=names,
        endpoints=tuple(endpoint.endpoint_name for endpoint in spec.endpoints),
        reach=spec.reach,
        adopts=spec.adopts,
        slots={endpoint.endpoint_name: endpoint.slots for endpoint in spec.endpoints},
        artifact_buckets=spec.artifact_buckets,
        hooks=hooks_of(spec),
        drills=spec.drills is not None,
        links=spec.link_seconds is not None,
        model_package_groups=spec.model_package_groups,
        collector_headers=spec.collector_headers,
    )
