"""Commands that need no stack: the demo, and what a policy or a release document says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sluice.cli.options import Json, NoColor, Rps, outside, print_document, print_lines, sentences

app = typer.Typer()


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Equal seeds give equal output, byte for byte.")] = 1,
    facts: Annotated[Path | None, typer.Option(help="Take AWS's times from a facts.json of `sluice probe`.")] = None,
) -> None:
    """Take a better model out step by step and a bad one back by its alarm, in the embedded sandbox.

    Needs no AWS account, no Docker and no Pulumi CLI. Takes well under a minute.
    """
    from sluice.cli.demo import run  # moto and pulumi take seconds to import: only who needs them waits for them

    with sentences():
        raise typer.Exit(run(seed, facts))


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
    policy: Annotated[Path, typer.Argument(help="The rollout policy.", show_default=False)],
    rps: Rps = None,
    endpoint_update_minutes: Annotated[
        str, typer.Option(metavar="MIN-MAX", help="How long SageMaker takes to build a slot.")
    ] = "5-30",
    weight_call_seconds: Annotated[
        str, typer.Option(metavar="MIN-MAX", help="How long new weights take to serve.")
    ] = "5-30",
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """What a policy means: when each step starts, what it exposes, how long the ways back take. Asks nobody."""
    from sluice.cli.plan import planned, read_range
    from sluice.core.plan import Assumptions

    with sentences():
        update = read_range("--endpoint-update-minutes", endpoint_update_minutes, 60)
        call = read_range("--weight-call-seconds", weight_call_seconds, 1)
        document, lines = planned(policy, Assumptions(rps, update, call), outside(ctx).width)
    if as_json:
        print_document(document)
    else:
        print_lines(lines, no_color)
