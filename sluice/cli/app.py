"""The command line: groups of commands, put together. A new group is a module with an `app` of its own, named here."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from sluice.cli import acting, auditing, deploying, foreseeing, looking, probing, sandboxing, trying

GROUPS = {
    trying.app: "Begin",
    sandboxing.app: "Begin",
    deploying.app: "Begin",
    foreseeing.app: "Before a release",
    looking.app: "Look",
    acting.app: "Tell a rollout what to do",
    auditing.app: "Afterwards",
    probing.app: "Your AWS account",
}
"""Each with its heading in `sluice --help`, in this order."""

app = typer.Typer(
    help="Guarded rollouts of machine-learning models on SageMaker endpoints.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
)
for group, heading in GROUPS.items():
    for command in group.registered_commands:
        command.rich_help_panel = heading
    for subcommands in group.registered_groups:
        subcommands.rich_help_panel = heading
    app.add_typer(group)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"sluice {version('sluice')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Commands are subcommands, also while there is only one."""


def main() -> None:
    """Entry point of the `sluice` command."""
    app()
