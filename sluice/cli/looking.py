"""Commands that ask how things stand. They change nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from sluice.cli.options import Json, Name, NoColor, Project, Region, Stack, asked, say, sentences

app = typer.Typer()


@app.command()
def status(
    ctx: typer.Context,
    name: Name,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """What serves, what is being tried, why it waits, what happens next, and how to stop it."""
    from sluice.cli import operate

    with sentences():
        said = operate.status(*asked(ctx, name, project, stack, region))
    say(said, as_json, no_color)


@app.command()
def history(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many events.")] = 20,
    before: Annotated[int | None, typer.Option(min=1, metavar="SEQ", help="Only events before this one.")] = None,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """What was decided, when, by whom and why: the newest audit events, oldest first."""
    from sluice.cli import operate

    with sentences():
        said = operate.history(*asked(ctx, name, project, stack, region), limit, before)
    say(said, as_json, no_color)
