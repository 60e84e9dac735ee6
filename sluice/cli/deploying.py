"""The command that deploys: `pulumi up`, and then the rollout it started to its end."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from sluice.cli.options import Json, NoColor, Region, outside, print_document, sentences

app = typer.Typer()


class Until(StrEnum):
    """What `--wait` waits for."""

    PROMOTED = "promoted"
    SETTLED = "settled"


@app.command()
def up(
    ctx: typer.Context,
    stack: Annotated[str, typer.Argument(metavar="STACK", help="The Pulumi stack.", show_default=False)],
    wait: Annotated[bool, typer.Option("--wait", help="Also wait for the rollouts that are live then.")] = False,
    until: Annotated[Until, typer.Option(help="When --wait is content: at 100 %, or after the soak.")] = Until.SETTLED,
    within: Annotated[str, typer.Option(metavar="DURATION", help="How long --wait waits; exit 3 after it.")] = "2d",
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """Run `pulumi up`; with --wait follow the rollouts, and exit 1 if one ends in a rollback.

    `pulumi up` returns long before a rollout ends, so in a pipeline this is the command that fails when the release did.
    Giving up waiting, by Ctrl-C too, stops nothing (exit 3).
    """
    from sluice.cli.following import Following, follow, read_duration

    place = outside(ctx)

    def tell(line: str) -> None:
        typer.echo(line, err=as_json, color=False if no_color else None)

    with sentences():
        patience = Following(until.value, read_duration("--within", within)) if wait else None
        said = follow(place, stack, region, patience, tell)
    if as_json:
        print_document(said.document)
    raise typer.Exit(said.exit_code)
