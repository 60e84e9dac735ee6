"""Commands for whoever checks afterwards. They read the records themselves, so they need no word of the control plane."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sluice.cli.options import Json, Name, NoColor, Project, Region, Stack, asked, say, sentences

app = typer.Typer()

Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here instead of to stdout.")]


@app.command()
def verify(
    ctx: typer.Context,
    name: Name,
    archive: Annotated[
        bool,
        typer.Option(
            "--archive/--no-archive", help="Compare with the locked archive; without it only the chain is checked."
        ),
    ] = True,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """Whether the audit trail is whole: the chain, gaps, the table against its locked archive. Exit 1 names what was tampered with.

    Needs dynamodb:Query and GetItem on the table, s3:ListBucketVersions and GetObjectVersion on the archive,
    lambda:GetFunctionConfiguration on the archive function.
    """
    from sluice.cli import audit

    with sentences():
        place, target = asked(ctx, name, project, stack, region)
        said = audit.verify(target, place.width, with_archive=archive)
    say(said, as_json, no_color)


@app.command()
def export(
    ctx: typer.Context,
    name: Name,
    output: Output = None,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
) -> None:
    """Every audit event with its facts and its change, and the last outcome, as JSON lines."""
    from sluice.cli import audit

    with sentences():
        _, target = asked(ctx, name, project, stack, region)
        lines = audit.export(target)
        if output is not None:
            output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            return
        for line in lines:
            typer.echo(line)


@app.command()
def report(
    ctx: typer.Context,
    name: Name,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write.", show_default=False)
    ],
    rollout: Annotated[str | None, typer.Option(metavar="ID", help="Which one. Default: the newest.")] = None,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
) -> None:
    """One rollout as one HTML page that needs nothing else: weights, rates with intervals, evidence, decisions, events.

    Needs dynamodb:Query and GetItem on the table; with cloudwatch:GetMetricData also what each slot showed.
    """
    from sluice.cli.report import report as written

    with sentences():
        _, target = asked(ctx, name, project, stack, region)
        page, story = written(target, rollout)
        output.write_text(page, encoding="utf-8")
    typer.echo(f"{output}: rollout {story.rollout.id}, {story.phase.value.replace('_', ' ')}")
