"""Commands about a rollout before it is risked: what a policy would do, a better schedule, and what the numbers should be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sluice.cli.options import Json, NoColor, outside, say, sentences

app = typer.Typer()

Policy = Annotated[Path, typer.Argument(metavar="POLICY", help="The rollout policy.", show_default=False)]
PolicyFile = Annotated[Path, typer.Option(help="The rollout policy.")]
STANDARD = Path("policies/rollouts/standard.yaml")
Traffic = Annotated[
    float, typer.Option("--rps", min=0.01, max=1e6, metavar="N", help="Requests per second of the endpoint in all.")
]
Rates = Annotated[
    list[str],
    typer.Option("--rate", metavar="METRIC=RATE", help="A rate in good times, such as errors=0.2%. Once per metric."),
]
Runs = Annotated[int, typer.Option("--rollouts", min=20, max=100_000, help="Simulated rollouts per what-if.")]
Recording = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="Recorded minutes, CSV or Parquet; docs/recordings.md.")
]
Endpoint = Annotated[
    str | None, typer.Option(metavar="NAME", help="Instead of FILE: read CloudWatch's minutes of this endpoint.")
]
Canary = Annotated[str | None, typer.Option(metavar="VARIANT", help="The variant that was new.")]
Stable = Annotated[str | None, typer.Option(metavar="VARIANT", help="The variant that served before.")]
Begin = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="First minute, such as 2026-03-02T09:00 (UTC).")
]
End = Annotated[str | None, typer.Option("--until", metavar="TIME", help="The minute after the last one.")]
Outcomes = Annotated[
    str | None,
    typer.Option(metavar="NAMESPACE", help="What the policy's `namespace: outcomes` is: the export outcome_namespace."),
]
Region = Annotated[str | None, typer.Option(help="AWS region of the endpoint. Default: boto3's.")]
Seed = Annotated[int, typer.Option(min=0, help="Equal seeds give equal output.")]


@app.command()
def forecast(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    policy: Policy,
    rps: Traffic,
    rate: Rates = [],  # noqa: B006 - typer copies it
    rollouts: Runs = 1000,
    seed: Seed = 1,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw it: a file that ends in .png or .svg.")
    ] = None,
    gate: Annotated[
        bool, typer.Option("--gate", help="Exit 1 when an effect declared with `detect` is caught with less than 80 %.")
    ] = False,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """What the policy would do with good and bad releases, by simulating rollouts by the thousand.

    Per what-if: the chance to be taken back, how soon, and the bad requests until then; for a good release how long it takes.
    """
    from sluice.cli import forecast as shown

    with sentences():
        asked = shown.Asked(policy, rps, tuple(rate), rollouts, seed)
        said = shown.forecast(asked, picture, gate, outside(ctx).width is not None and not as_json)
    say(said, as_json, no_color)


@app.command()
def suggest(
    ctx: typer.Context,
    policy: Policy,
    rps: Traffic,
    rate: Rates = [],  # noqa: B006 - typer copies it
    rollouts: Runs = 240,
    seed: Seed = 1,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """Other first weights and longest bakes: how long a good release would take, and the smallest error increase caught."""
    from sluice.cli.forecast import Asked
    from sluice.cli.suggest import suggest as search

    with sentences():
        said = search(Asked(policy, rps, tuple(rate), rollouts, seed), outside(ctx).width is not None and not as_json)
    say(said, as_json, no_color)


@app.command()
def simulate(
    scenario: Annotated[
        str,
        typer.Argument(metavar="SCENARIO", help="What is wrong; an unknown name lists them all.", show_default=False),
    ],
    policy: PolicyFile = STANDARD,
    rps: Traffic = 500.0,
    rate: Rates = [],  # noqa: B006 - typer copies it
    seed: Seed = 1,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """Play one rollout: the real tick on a simulated endpoint, in a scenario such as `good`, `slow` or `incident`.

    Prints every recorded decision with its reason. Exit 1 when the release is taken back.
    """
    from sluice.cli.forecast import Asked
    from sluice.cli.simulate import simulate as play

    with sentences():
        said = play(scenario, Asked(policy, rps, tuple(rate), 1, seed))
    say(said, as_json, no_color)


@app.command()
def calibrate(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    recording: Recording = None,
    policy: PolicyFile = STANDARD,
    release: Annotated[str | None, typer.Option(help="Which release of the recording. Default: the only one.")] = None,
    endpoint: Endpoint = None,
    canary: Canary = None,
    stable: Stable = None,
    begin: Begin = None,
    end: End = None,
    region: Region = None,
    outcomes: Outcomes = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """Measure a rollout of the same model against itself: how alike identical variants are, their noise, their cold start.

    From a recording, or from what CloudWatch remembers. Proposes tolerances; exit 1 when those of the policy are below what was measured.
    """
    from sluice.cli.calibrate import calibrated
    from sluice.cli.sources import Source

    with sentences():
        source = Source(recording, endpoint, canary, stable, begin, end, region, outcomes)
        said = calibrated(source, policy, release, outside(ctx).now())
    say(said, as_json, no_color)


@app.command()
def backtest(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    recording: Recording = None,
    policy: PolicyFile = STANDARD,
    endpoint: Endpoint = None,
    canary: Canary = None,
    stable: Stable = None,
    begin: Begin = None,
    end: End = None,
    region: Region = None,
    outcomes: Outcomes = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> None:
    """What the policy's judge would have said about releases of the past, minute by minute.

    From a recording, or from what CloudWatch remembers of an endpoint; then cloudwatch:GetMetricData and ListMetrics are needed.
    """
    from sluice.cli.backtest import backtest as replay
    from sluice.cli.sources import Source

    with sentences():
        source = Source(recording, endpoint, canary, stable, begin, end, region, outcomes)
        said = replay(source, policy, outside(ctx).now())
    say(said, as_json, no_color)
