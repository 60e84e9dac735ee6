"""What a program asks for and what came of it: the words between the SDK's side and the engine's side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from sluice.sandbox.engine.wire import Properties

Op = Literal["create", "update", "replace", "delete", "same", "read", "retain"]

STACK = "pulumi:pulumi:Stack"
STACK_REFERENCE = "pulumi:pulumi:StackReference"
PROVIDER = "pulumi:providers:"


@dataclass(frozen=True, slots=True)
class Goal:
    """One resource as the program wants it, with its options. `inputs` keep the markers of secrets."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str = ""
    provider: str = ""
    inputs: Properties = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    replacement_trigger: Any = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What was done (in a preview: would be done) to one AWS resource. `changed` are property names.

    A replacement is one step; the deletion of the old thing belongs to it. Components, providers and the stack have
    no steps: nothing happens on AWS.
    """

    op: Op
    urn: str
    type: str
    name: str
    changed: tuple[str, ...] = ()


class Failed(Exception):
    """One or more resources could not be brought to their goal; the run stops here."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages


def urn_for(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """Pulumi's URN: the types of all parents but the stack, joined by `$`, come before the resource's own."""
    above = parent.split("::")[2] if parent else STACK
    qualified = type_ if above == STACK else f"{above}${type_}"
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"
