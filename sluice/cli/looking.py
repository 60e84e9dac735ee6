"""Commands that ask how things stand. They change nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from sluice.cli.options import (
    Json,
    Name,
    NoColor,
    Project,
    Region,
    Stack,
    asked,
    asked_all,
    print_lines,
    say,
    sentences,
)

app = typer.Typer()


@app.command()
def status(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]", help="An endpoint's name, stack/endpoint, or a stack. Default: every endpoint there is."
        ),
    ] = "",
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """What serves, what is being tried, why it waits, what happens next, and how to stop it."""
    from sluice.cli import operate

    with sentences():
        said = operate.status(*asked_all(ctx, name, project, stack, region))
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


@app.command()
def watch(
    ctx: typer.Context,
    name: Name,
    every: Annotated[float, typer.Option(min=0.2, metavar="SECONDS", help="How often to look.")] = 5,
    within: Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="Stop waiting then; exit 3.")] = None,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    no_color: NoColor = False,
) -> None:
    """Follow a rollout to its end. On a terminal a picture that changes; piped, one line for each change.

    Exit 0 settled, or nothing was being tried; 1 rolled back or failed; 3 still going on.
    """
    from sluice.cli.picture_live import live_picture
    from sluice.cli.watch import Pace
    from sluice.cli.watch import watch as follow

    with sentences():
        place, target = asked(ctx, name, project, stack, region)
        if place.width is None:
            code = follow(
                place, target, Pace(every, within), lambda _: None, lambda line: print_lines([line], no_color)
            )
        else:
            with live_picture(no_color) as draw:
                code = follow(place, target, Pace(every, within), draw, lambda _: None)
    raise typer.Exit(code)


@app.command()
def explain(
    ctx: typer.Context,
    name: Name,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """What the judge found, metric by metric: values, ratio, evidence and need, and what is still unproven."""
    from sluice.cli import operate

    with sentences():
        said = operate.explain(*asked(ctx, name, project, stack, region))
    say(said, as_json, no_color)
