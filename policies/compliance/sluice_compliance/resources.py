"""A stack as the rules see it: plain values. Leaves how they come over the wire to `pack`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
BUCKET: Final = "aws:s3/bucket:Bucket"
CONFIGURATION: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
ENDPOINT: Final = "aws:sagemaker/endpoint:Endpoint"
FUNCTION: Final = "aws:lambda/function:Function"
SHARED: Final = "sluice:infra:SharedControlPlane"
"""Our component that refers to the stack whose control plane serves this one."""
INVOCATION: Final = "aws:lambda/invocation:Invocation"
MACHINE: Final = "aws:sfn/stateMachine:StateMachine"
MAPPING: Final = "aws:lambda/eventSourceMapping:EventSourceMapping"
MODEL: Final = "aws:sagemaker/model:Model"
PERMISSION: Final = "aws:lambda/permission:Permission"
QUEUE: Final = "aws:sqs/queue:Queue"
QUEUE_POLICY: Final = "aws:sqs/queuePolicy:QueuePolicy"
RULE: Final = "aws:cloudwatch/eventRule:EventRule"
TABLE: Final = "aws:dynamodb/table:Table"
TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"

_IDENTITIES = ("arn", "name", "url", "bucket", "id")


class Unknown(Enum):
    """A value that only the update will know. A rule lets it pass in the preview and sees it in the update."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. `references` are the URNs a property was made from: they are known even when the value is not."""

    type: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    urn: str = ""
    protect: bool = False
    ignore_changes: frozenset[str] = frozenset()
    delete_before_replace: bool = False
    dependencies: frozenset[str] = frozenset()
    references: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def get(self, *path: str) -> Any:
        """The value at a path of property names: None where there is none, UNKNOWN where it is not known yet.

        Some providers leave out of a preview what they do not know yet; that it was made from something is known all the same.
        """
        if path[0] not in self.properties and self.references.get(path[0]):
            return UNKNOWN
        return look(self.properties, *path)

    @property
    def called(self) -> str:
        """What AWS calls it, or the program while AWS has not said."""
        name = self.get("name")
        return name if isinstance(name, str) else self.name

    @property
    def within(self) -> Sequence[str]:
        """The types of the components around it, outermost first, as its URN has them."""
        parts = self.urn.split("::")
        return parts[2].split("$")[:-1] if len(parts) > 2 else ()


@dataclass(frozen=True, slots=True)
class Stack:
    """All resources of a stack."""

    resources: Sequence[Resource]

    def of(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == kind]

    def referring(self, kind: str, name: str, to: Resource) -> list[Resource]:
        """The resources of a kind whose property `name` is about the other one."""
        return [resource for resource in self.of(kind) if refers(resource, name, to)]

    def referred(self, kind: str, resource: Resource, name: str) -> Resource | None:
        """The resource of a kind that a property is about."""
        return next((other for other in self.of(kind) if refers(resource, name, other)), None)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong and what to do; `urn` is empty when it is the stack as a whole."""

    message: str
    urn: str = ""


def look(value: Any, *path: str) -> Any:
    """Follow property names into nested values."""
    for name in path:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def items(value: Any) -> Sequence[Any]:
    """The elements of a list; a single thing counts as a list of one, nothing and what is not known as an empty one."""
    if value is None or value is UNKNOWN:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def parsed(value: Any) -> Any:
    """A document that is given as JSON text; UNKNOWN stays UNKNOWN. Raises ValueError when it is not JSON."""
    return json.loads(value) if isinstance(value, str) else value


def refers(resource: Resource, name: str, to: Resource) -> bool:
    """Whether a property names the other resource: it was made from it, or it says what AWS calls it."""
    if to.urn and to.urn in resource.references.get(name, ()):
        return True
    known = [identity for key in _IDENTITIES if isinstance(identity := to.get(key), str)]
    said = list(texts(resource.get(name)))
    return any(text == identity or f'"{identity}"' in text for text in said for identity in known)
