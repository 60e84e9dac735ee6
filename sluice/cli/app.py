"""The command line: groups of commands, put together. A new group is a module with an `app` of its own, named here."""

from __future__ import annotations

import typer

from sluice.cli import acting, auditing, deploying, foreseeing, looking, probing, sandboxing, trying

GROUPS = (trying, sandboxing, deploying, foreseeing, looking, acting, auditing, probing)
"""In the order of `sluice --help`."""

app = typer.Typer(
    help="Guarded rollouts of machine-learning models on SageMaker endpoints.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in GROUPS:
    app.add_typer(group.app)


@app.callback()
def _root() -> None:
    """Commands are subcommands, also while there is only one."""


def main() -> None:
    """Entry point of the `sluice` command."""
    app()
