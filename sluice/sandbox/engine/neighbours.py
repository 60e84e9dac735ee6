"""The other stacks of the backend, as a `StackReference` reads them: the outputs of their last run."""

from __future__ import annotations

from sluice.sandbox.engine.goal import Failed
from sluice.sandbox.engine.state import State
from sluice.sandbox.engine.wire import Properties, holds_secret

ORGANIZATION = "organization"
"""What the CLI says on a backend without organizations."""

Neighbours = dict[str, State]
"""Stacks by their whole name, `organization/<project>/<stack>`. Engines that share one read each other's outputs."""


def whole_name(project: str, stack: str) -> str:
    return f"{ORGANIZATION}/{project}/{stack}"


def referred(name: str, project: str, neighbours: Neighbours) -> Properties:
    """What a stack reference of this name holds; a bare stack name is one of the same project."""
    state = neighbours.get(name if "/" in name else whole_name(project, name))
    if state is None:
        known = ", ".join(sorted(neighbours)) or "none"
        raise Failed([f"stack reference '{name}': there is no such stack (there are: {known}). Run `up` for it first"])
    secret = sorted(output for output, value in state.outputs.items() if holds_secret(value))
    return {"name": name, "outputs": dict(state.outputs), "secretOutputNames": secret}
