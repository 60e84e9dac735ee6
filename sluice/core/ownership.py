"""Whose an endpoint is. Several stacks may share a control plane; each guards, cleans up and lets go of its own endpoints only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sluice.core.decision import Decision
from sluice.core.head import Head
from sluice.core.rollout import EndpointSettings

PROJECT_TAG = "sluice:project"
STACK_TAG = "sluice:stack"


@dataclass(frozen=True, slots=True)
class Owner:
    """A stack by its project and its own name."""

    project: str
    stack: str

    def __str__(self) -> str:
        return f"{self.project}/{self.stack}"


def owner_of(settings: EndpointSettings) -> Owner | None:
    """The stack that the endpoint's tags name; None for an endpoint whose settings name none."""
    project, stack = settings.tags.get(PROJECT_TAG), settings.tags.get(STACK_TAG)
    return Owner(project, stack) if project and stack else None


def is_foreign(head: Head, owner: Owner) -> bool:
    """Whether another stack is known to own the endpoint. What nobody is known to own is everybody's to guard."""
    found = owner_of(head.settings)
    return found is not None and found != owner


def let_go(head: Head, owner: Owner, now: int) -> Decision:
    """The endpoint's stack is gone, so nothing is owed any more. Its audit trail stays, and goes on should it come back."""
    because = f"endpoint {head.endpoint!r} was let go: stack {owner} was destroyed"
    after = replace(head, let_go_at=now, cleanup=None, revision=None, scaling=(), drill=None)
    return Decision(after, because, "let_go")
