"""`pulumi up` through Pulumi's Automation API: the same as typed, with what it prints handed on as it comes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sluice.core.errors import BadInput, SluiceError

TOOLS = Path(".tools") / "pulumi"
"""Where `make pulumi` puts the CLI, below the project."""

Deploy = Callable[[Path, str, Callable[[str], None]], Mapping[str, Any]]
"""(folder with the Pulumi.yaml, stack, where its output goes) -> the stack's outputs. Raises NoEngine, UpFailed or BadInput."""

_NO_CAUSE = ("error: update failed", "error: preview failed", "error: resource registration failed")


class NoEngine(SluiceError):
    """There is nothing here that could run `pulumi up`."""


class UpFailed(SluiceError):
    """`pulumi up` did not end well; what it said has been printed."""


def through_pulumi(folder: Path, stack: str, say: Callable[[str], None]) -> Mapping[str, Any]:
    """`Deploy` with the CLI on PATH, or the one `make pulumi` got."""
    try:
        from pulumi import automation
    except ModuleNotFoundError:
        raise NoEngine("pulumi's SDK is not installed: install the extra `sluice[infra]`.") from None
    command = automation.PulumiCommand(root=_root(folder))
    try:
        selected = automation.select_stack(
            stack, work_dir=str(folder), opts=automation.LocalWorkspaceOptions(pulumi_command=command)
        )
        done = selected.up(on_output=say, on_error=say, color="never", suppress_outputs=True, show_secrets=False)
    except automation.StackNotFoundError:
        raise BadInput(
            (f"stack: there is no {stack!r} of the project in {folder}. Make it: pulumi stack init {stack}",)
        ) from None
    except automation.ConcurrentUpdateError:
        raise UpFailed(f"stack {stack!r} is being updated by somebody else, so nothing was done: try again.") from None
    except automation.CommandError as fault:
        raise UpFailed(f"`pulumi up` of stack {stack!r} failed: {reason(str(fault))}") from None
    return {name: output.value for name, output in done.outputs.items()}


def _root(folder: Path) -> str | None:
    """None is for PATH."""
    if shutil.which("pulumi"):
        return None
    if (folder / TOOLS / "bin" / "pulumi").is_file():
        return str((folder / TOOLS).resolve())
    raise NoEngine(
        f"pulumi is neither on PATH nor in {folder / TOOLS / 'bin'}, so there is nothing to run `pulumi up` with: "
        "run `make pulumi`, or install it (https://www.pulumi.com/docs/install)."
    )


def reason(told: str) -> str:
    """What went wrong, out of all that the CLI printed: the first error that names a cause, with the line it announces."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    errors = [at for at, line in enumerate(lines) if line.startswith("error:") and line not in _NO_CAUSE]
    if not errors:
        return "see above"
    first, *rest = lines[errors[0] :]
    announced = f" {rest[0].removeprefix('* ')}" if first.endswith(":") and rest else ""
    return first.removeprefix("error:").strip() + announced
