"""The command that asks a real account what no document says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sluice.cli.options import Region, outside, sentences

app = typer.Typer()

Only = Annotated[list[str] | None, typer.Option(metavar="QUESTION", help="Ask only this; may be given again.")]
Image = Annotated[str | None, typer.Option(help="Image in ECR. Default: SageMaker's scikit-learn image of the region.")]
ModelData = Annotated[str | None, typer.Option(metavar="S3_URL", help="model.tar.gz. Default: the probe's own.")]
Role = Annotated[str | None, typer.Option(metavar="ARN", help="Execution role. Default: one made for the run.")]
HourlyPrice = Annotated[float | None, typer.Option(min=0, help="Of one instance, for the estimate.")]
Crowded = Annotated[bool, typer.Option("--crowded", help="Also in a region with more than 50 endpoints.")]
Clean = Annotated[str | None, typer.Option(metavar="RUN", help="Remove what a run left behind, and do nothing else.")]
Policy = Annotated[bool, typer.Option("--policy", help="Print the IAM policy a probe needs, and do nothing else.")]


@app.command()
def probe(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    only: Only = None,
    image: Image = None,
    model_data: ModelData = None,
    role: Role = None,
    instance_type: Annotated[str, typer.Option(help="Of the endpoint.")] = "ml.t2.medium",
    hourly_price: HourlyPrice = None,
    out: Annotated[Path, typer.Option(help="Where the answers go.")] = Path("facts.json"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it starts.")] = False,
    crowded: Crowded = False,
    clean: Clean = None,
    policy: Policy = False,
    region: Region = None,
) -> None:
    """Find out what your AWS account does where no document says it: about an hour, well under a dollar.

    Makes one small endpoint with what belongs to it, asks, writes facts.json and removes everything again.
    """
    from sluice.cli import probe as command

    with sentences(), command.terminations():
        account = command.account_of(outside(ctx), region)
        if policy:
            typer.echo(command.policy_text(account))
            raise typer.Exit(0)
        if clean is not None:
            raise typer.Exit(command.clean_up(account, clean, typer.echo))
        options = command.Options(
            tuple(only or ()), image, model_data, role, instance_type, hourly_price, crowded, out, yes
        )
        code, _ = command.probe(account, options, command.asked_on_terminal, typer.echo)
        raise typer.Exit(code)
