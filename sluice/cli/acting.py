"""Commands that change what a rollout does. Each asks the control plane; nothing is decided here."""

from __future__ import annotations

from pathlib import Path
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
    """End a rollout in any phase: stable takes all traffic, in seconds. Never needs an approval.

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
    to: Annotated[
        str | None,
        typer.Option(metavar="RELEASE", help="A release that served before: its name, or the beginning of its digest."),
    ] = None,
    wait: Wait = None,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """Take a rollout back because it does harm: in any phase, also in its soak. Never needs an approval.

    The release is quarantined for the policy's cool-down.

    With --to back to an older release, also when nothing is being tried: in seconds while its slot is warm, else once it is built.
    """
    from sluice.cli import operate

    with sentences():
        place, target = asked(ctx, name, project, stack, region)
        if to is None:
            said = operate.take_back(place, target, "rollback", reason, wait)
        else:
            said = operate.back_to(place, target, reason, to, wait)
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


@app.command()
def submit(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    name: Name,
    release: Annotated[Path, typer.Argument(metavar="FILE", help="The release document.", show_default=False)],
    reason: Reason,
    nonce: Annotated[str, typer.Option(help="Another one tries a release again that was rolled back.")] = "1",
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """Roll out a release on the policy and alarms of the one before, without `pulumi up`.

    What the stack's configuration asks for stays what it is: set `release` there too, or the next change of it goes back.
    """
    from sluice.cli import operate
    from sluice.core.record import encode
    from sluice.schema import read_release

    with sentences():
        document = encode(read_release(release))
        target = asked(ctx, name, project, stack, region)
        said = operate.tell(*target, "submit", reason, release=document, nonce=nonce)
    say(said, as_json, no_color)


def _telling(command: str, meaning: str) -> None:
    """A command with nothing but a reason."""

    def told(
        ctx: typer.Context,
        name: Name,
        reason: Reason,
        project: Project = None,
        stack: Stack = None,
        region: Region = None,
        as_json: Json = False,
        no_color: NoColor = False,
    ) -> None:
        from sluice.cli import operate

        with sentences():
            said = operate.tell(*asked(ctx, name, project, stack, region), command, reason)
        say(said, as_json, no_color)

    app.command(command, help=meaning)(told)


_telling("pause", "Stand still before the next step, until `resume`; everything that takes it back stays armed.")
_telling("resume", "Go on after a pause, or after harm that the policy holds.")
_telling("skip", "Do not wait for the rest of this step's bake. The minimum evidence is waited for.")
_telling(
    "promote", "Go to 100 % without further bakes. Not without the minimum evidence, an approval or an alarm's OK."
)
_telling("approve", "Let the step begin that waits for an approval. Not by whoever submitted the release.")
_telling(
    "force", "Take the next step now: without evidence or approval, also in a freeze or under a stop. Pages people."
)
_telling("stop", "No step up from now on, until `lift`. NAME may be STACK/* for every endpoint of a stack.")
_telling("lift", "Let steps up begin again after a stop. NAME may be STACK/*.")


@app.command()
def drill(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    name: Name,
    yes: Annotated[
        bool, typer.Option("--yes", help="Really: the release that is being tried is taken back and quarantined.")
    ] = False,
    within: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="How long to wait until stable is verified.")
    ] = 600,
    project: Project = None,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """A game day: set off the canary's real alarm in a baking step, and measure the way back. Exit 1 over the policy's target.

    Needs cloudwatch:SetAlarmState on the alarm, dynamodb:Query and GetItem on the table.
    """
    from sluice.cli.drill import drill as measured
    from sluice.core.errors import BadInput

    with sentences():
        if not yes:
            raise BadInput(
                ("--yes: missing. A drill takes the release back for real, and it is quarantined like a harmful one.",)
            )
        place, target = asked(ctx, name, project, stack, region)
        said = measured(place, target, within)
    say(said, as_json, no_color)
