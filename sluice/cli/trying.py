"""Commands that need no stack: the demo, and what a policy or a release document says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from sluice.cli.options import Json, NoColor, Rps, outside, print_document, print_lines, sentences
from sluice.core.errors import BadInput
from sluice.core.rollout import ScalingMode

app = typer.Typer()


class _ListsStories(TyperCommand):
    """Help that ends with the names of all faults and releases; they are read from the book only when somebody asks."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        from sluice.cli.fault import listing

        typer.echo(listing())


@app.command(cls=_ListsStories)
def demo(
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal output, byte for byte.")] = 1,
    fault: Annotated[str | None, typer.Option(metavar="NAME", help="Tell the story of one fault instead.")] = None,
    release: Annotated[str | None, typer.Option(metavar="NAME", help="Try one release of the example instead.")] = None,
    facts: Annotated[Path | None, typer.Option(help="Take AWS's times from a facts.json of `sluice probe`.")] = None,
) -> None:
    """Take a better model out step by step and a bad one back by its alarm, in the embedded sandbox.

    Needs no AWS account, no Docker and no Pulumi CLI. Takes well under a minute.

    Exit 1 if the end was not safe.
    """
    with sentences():
        if fault is None and release is None:
            from sluice.cli.demo import (
                run,  # moto and pulumi take seconds to import: only who needs them waits for them
            )

            raise typer.Exit(run(seed, facts))
        if fault is not None and release is not None:
            raise BadInput(("--fault and --release exclude each other: a fault brings its own release",))
        if facts is not None:
            raise BadInput(("--facts does not go with --fault or --release: their stories have times of their own",))
        from sluice.cli.fault import run as tell

        raise typer.Exit(tell(fault, release, seed))


@app.command()
def lint(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Rollout policies and release documents.")],
    rps: Rps = None,
    as_json: Json = False,
) -> None:
    """Check rollout policies and release documents. Says nothing when all is well.

    Faults: one line each, exit 2. Warnings: one line each, exit 0; with --rps also about what that traffic cannot show.
    """
    from sluice.cli.lint import lint as check

    found = check(files, rps)
    if as_json:
        print_document({"schema": 1, "faults": list(found.faults), "warnings": list(found.warnings)})
    else:
        for line in (*found.faults, *found.warnings):
            typer.echo(line, err=True)
    raise typer.Exit(2 if found.faults else 0)


@app.command()
def plan(
    ctx: typer.Context,
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="The rollout policy.", show_default=False)],
    rps: Rps = None,
    endpoint_update_minutes: Annotated[
        str, typer.Option(metavar="MIN-MAX", help="How long SageMaker takes to build a slot.")
    ] = "5-30",
    weight_call_seconds: Annotated[
        str, typer.Option(metavar="MIN-MAX", help="How long new weights take to serve.")
    ] = "5-30",
    scaling: Annotated[
        ScalingMode, typer.Option(help="Autoscaling while a release is tried, as the endpoint's `scaling` says.")
    ] = ScalingMode.SUSPEND,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """What a policy means: when each step starts, what it exposes, how long the ways back take. Asks nobody."""
    from sluice.cli.plan import planned, read_range
    from sluice.core.plan import Assumptions

    with sentences():
        update = read_range("--endpoint-update-minutes", endpoint_update_minutes, 60)
        call = read_range("--weight-call-seconds", weight_call_seconds, 1)
        document, lines = planned(
            policy, Assumptions(rps, update, call, scaling is ScalingMode.KEEP), outside(ctx).width
        )
    if as_json:
        print_document(document)
    else:
        print_lines(lines, no_color)
