"""The commands and their options. What they do is in the modules beside this one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.core.errors import BadInput, Refused, SluiceError

if TYPE_CHECKING:  # boto3 and pydantic take their time to import: only the command that needs them waits for them
    from sluice.cli.operate import Said
    from sluice.cli.outside import Outside
    from sluice.cli.target import Target

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The endpoint's name, or stack/endpoint.", show_default=False)
]
Project = Annotated[str | None, typer.Option(help="Pulumi project. Default: that of Pulumi.yaml, else sluice.")]
Stack = Annotated[str | None, typer.Option(help="Stack. Default: PULUMI_STACK, else the only Pulumi.<stack>.yaml.")]
Region = Annotated[str | None, typer.Option(help="AWS region. Default: aws:region of the stack's file, else boto3's.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, with its schema version.")]
NoColor = Annotated[
    bool, typer.Option("--no-color", help="No colour; also by NO_COLOR, and where stdout is no terminal.")
]
Reason = Annotated[str, typer.Option(help="Why. Kept with the decision, for whoever asks later.", show_default=False)]
Wait = Annotated[
    float | None,
    typer.Option(min=0, metavar="SECONDS", help="Wait until the canary is at 0; exit 3 if it is not in time."),
]
Rps = Annotated[
    float | None,
    typer.Option(min=0.0001, metavar="N", help="Requests per second of the endpoint in all, taken as steady."),
]

app = typer.Typer(
    help="Guarded rollouts of machine-learning models on SageMaker endpoints.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Commands are subcommands, also while there is only one."""


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Equal seeds give equal output, byte for byte.")] = 1,
) -> None:
    """Take a better model out step by step and a bad one back by its alarm, in the embedded sandbox.

    Needs no AWS account, no Docker and no Pulumi CLI. Takes well under a minute.
    """
    from sluice.cli.demo import run  # moto and pulumi take seconds to import: only who needs them waits for them

    raise typer.Exit(run(seed))


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
        _print_document({"schema": 1, "faults": list(found.faults), "warnings": list(found.warnings)})
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

    with _sentences():
        update = read_range("--endpoint-update-minutes", endpoint_update_minutes, 60)
        call = read_range("--weight-call-seconds", weight_call_seconds, 1)
        document, lines = planned(policy, Assumptions(rps, update, call), _outside(ctx).width)
    if as_json:
        _print_document(document)
    else:
        _print_lines(lines, no_color)


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

    with _sentences():
        said = operate.status(*_asked(ctx, name, project, stack, region))
    _say(said, as_json, no_color)


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

    with _sentences():
        said = operate.history(*_asked(ctx, name, project, stack, region), limit, before)
    _say(said, as_json, no_color)


@app.command()
def abort(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    name: Name,
    reason: Reason,
    wait: Wait = None,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """End a rollout that is not promoted yet: stable takes all traffic, in seconds.

    The release is not quarantined: `pulumi up` with another nonce tries it again.
    """
    from sluice.cli import operate

    with _sentences():
        said = operate.take_back(*_asked(ctx, name, project, stack, region), "abort", reason, wait)
    _say(said, as_json, no_color)


@app.command()
def rollback(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    name: Name,
    reason: Reason,
    wait: Wait = None,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """Take a rollout back because it does harm: in any phase, also in its soak.

    The release is quarantined for the policy's cool-down.
    """
    from sluice.cli import operate

    with _sentences():
        said = operate.take_back(*_asked(ctx, name, project, stack, region), "rollback", reason, wait)
    _say(said, as_json, no_color)


def _asked(
    ctx: typer.Context, name: str, project: str | None, stack: str | None, region: str | None
) -> tuple[Outside, Target]:
    """Where the command runs, and whom it is about."""
    from sluice.cli.target import Given, find_target

    outside = _outside(ctx)
    return outside, find_target(Given(name, project, stack, region), outside.folder, outside.environment)


def _outside(ctx: typer.Context) -> Outside:
    from sluice.cli.outside import Outside, here

    return ctx.obj if isinstance(ctx.obj, Outside) else here()


@contextmanager
def _sentences() -> Iterator[None]:
    """What is wrong becomes its sentences on stderr and an exit code; anything unforeseen keeps its traceback."""
    try:
        yield
    except SluiceError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(2 if isinstance(fault, BadInput | Refused) else 1) from None


def _say(said: Said, as_json: bool, no_color: bool) -> None:
    if as_json:
        _print_document(said.document)
    else:
        _print_lines(said.lines, no_color)
    raise typer.Exit(said.exit_code)


def _print_document(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))


def _print_lines(lines: Iterable[str], no_color: bool) -> None:
    for line in lines:
        typer.echo(line, color=False if no_color or os.environ.get("NO_COLOR") else None)


def main() -> None:
    """Entry point of the `sluice` command."""
    app()
