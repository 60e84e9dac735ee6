"""Commands that change what a rollout does. Each asks the control plane; nothing is decided here."""

from __future__ import annotations

from typing import Annotated

import typer

from sluice.cli.options import Json, Name, NoColor, Project, Reason, Region, Stack, asked, say, sentences

Wait = Annotated[
    float | None,
    typer.Option(min=0, metavar="SECONDS", help="Wait until the canary is at 0; exit 3 if it is not in time."),
]

app = typer.Typer()


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

    with sentences():
        said = operate.take_back(*asked(ctx, name, project, stack, region), "abort", reason, wait)
    say(said, as_json, no_color)


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

    with sentences():
        said = operate.take_back(*asked(ctx, name, project, stack, region), "rollback", reason, wait)
    say(said, as_json, no_color)


@app.command("fall-back")
def fall_back(  # noqa: PLR0913 - one parameter per option
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
    """Send everything to the fallback slot, when both others are bad. Says what capacity it has.

    What served and what was being tried are quarantined; the next release starts from the fallback slot.
    """
    from sluice.cli import operate

    with sentences():
        said = operate.take_back(*asked(ctx, name, project, stack, region), "fall_back", reason, wait)
    say(said, as_json, no_color)
