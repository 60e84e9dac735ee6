"""What commands share: their options, whom they are about, and how they say what came of it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.core.errors import BadInput, Refused, SluiceError

if TYPE_CHECKING:  # boto3 and pydantic take their time to import: only the command that needs them waits for them
    from sluice.cli.operate import Said
    from sluice.cli.outside import Outside
    from sluice.cli.target import Target

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="The endpoint's name, stack/endpoint, or a stack that has one endpoint.",
        show_default=False,
    ),
]
Project = Annotated[str | None, typer.Option(help="Pulumi project. Default: that of Pulumi.yaml, else sluice.")]
Stack = Annotated[str | None, typer.Option(help="Stack. Default: PULUMI_STACK, else the only Pulumi.<stack>.yaml.")]
Region = Annotated[str | None, typer.Option(help="AWS region. Default: aws:region of the stack's file, else boto3's.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, with its schema version.")]
NoColor = Annotated[
    bool, typer.Option("--no-color", help="No colour; also by NO_COLOR, and where stdout is no terminal.")
]
Reason = Annotated[str, typer.Option(help="Why. Kept with the decision, for whoever asks later.", show_default=False)]
Rps = Annotated[
    float | None,
    typer.Option(min=0.0001, metavar="N", help="Requests per second of the endpoint in all, taken as steady."),
]


def asked(
    ctx: typer.Context, name: str, project: str | None, stack: str | None, region: str | None
) -> tuple[Outside, Target]:
    """Where the command runs, and whom it is about."""
    from sluice.cli.target import Given, find_target

    place = outside(ctx)
    return place, find_target(Given(name, project, stack, region), place.folder, place.environment, place.known)


def asked_all(
    ctx: typer.Context, name: str, project: str | None, stack: str | None, region: str | None
) -> tuple[Outside, tuple[Target, ...]]:
    """The same for a command that can be about several endpoints."""
    from sluice.cli.target import Given, find_targets

    place = outside(ctx)
    return place, find_targets(Given(name, project, stack, region), place.folder, place.environment, place.known)


def outside(ctx: typer.Context) -> Outside:
    from sluice.cli.outside import Outside, here

    return ctx.obj if isinstance(ctx.obj, Outside) else here()


@contextmanager
def sentences() -> Iterator[None]:
    """What is wrong becomes its sentences on stderr and an exit code; anything unforeseen keeps its traceback."""
    try:
        yield
    except SluiceError as fault:
        for line in str(fault).splitlines():
            typer.echo(_at_terminal(line), err=True)
        raise typer.Exit(2 if isinstance(fault, BadInput | Refused) else 1) from None


def _at_terminal(line: str) -> str:
    """Wrapped where a person reads it; what is piped stays a line."""
    from sluice.cli.text import wrapped

    return wrapped(line, 0, shutil.get_terminal_size().columns if sys.stderr.isatty() else None)


def say(said: Said, as_json: bool, no_color: bool) -> None:
    if as_json:
        print_document(said.document)
    else:
        print_lines(said.lines, no_color)
    raise typer.Exit(said.exit_code)


def print_document(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))


def print_lines(lines: Iterable[str], no_color: bool) -> None:
    for line in lines:
        typer.echo(line, color=False if no_color or os.environ.get("NO_COLOR") else None)
