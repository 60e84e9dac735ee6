"""Commands about the sandbox as a server: run one, and do to it what only a sandbox lets one do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sluice.cli.options import sentences

app = typer.Typer()
sandbox = typer.Typer(help="The embedded sandbox as a server that any AWS client can reach.", no_args_is_help=True)
app.add_typer(sandbox, name="sandbox")


@sandbox.command()
def serve(
    speed: Annotated[
        float, typer.Option(min=0, help="Virtual seconds for each real one; 0: only `sandbox advance` moves time.")
    ] = 60,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 5566,
    requests_per_minute: Annotated[
        float, typer.Option(min=0, help="What clients send to the example's endpoint.")
    ] = 3000,
    env: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the variables there, for `. FILE`.")
    ] = None,
) -> None:
    """Serve the example (v1 on dev-triage) until interrupted; prints the variables that lead any AWS client there.

    The sandbox checks SigV4 signatures itself. That proves its own check, not AWS's. It listens on this machine only.
    """
    from sluice.cli.serve import run

    raise typer.Exit(run(speed, port, requests_per_minute, env))


@sandbox.command()
def up(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="v1 to v5 of the example.")],
    policy: Annotated[str, typer.Option(help="A ready-made rollout policy, or a file.")] = "demo",
    nonce: Annotated[str, typer.Option(help="Another one submits the same release again.")] = "1",
    config: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="More of the stack's configuration, such as 'notifications={links: 4h}'. It stays.",
        ),
    ] = None,
) -> None:
    """`pulumi up` in the served sandbox, with this release desired."""
    from sluice.cli.serve import ask_sandbox, settings

    with sentences():
        given = str(Path(policy).resolve()) if Path(policy).is_file() else policy
        more = settings(config or ())
        typer.echo(ask_sandbox("up", release=release, policy=given, nonce=nonce, config=more)["result"])


@sandbox.command("release")
def release_document(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="v1 to v5 of the example.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")],
) -> None:
    """Write the document of one of the example's releases, as `sluice submit` takes it."""
    import json

    from sluice.cli.serve import ask_sandbox

    with sentences():
        output.write_text(json.dumps(ask_sandbox("release", release=release), indent=2) + "\n", encoding="utf-8")
    typer.echo(f"{output}: release {release}")


@sandbox.command()
def mail(
    last: Annotated[int, typer.Option(min=1, help="How many of the newest messages.")] = 5,
) -> None:
    """What people were told in the served sandbox: pages, tickets, and signed links, which can be opened in a browser here."""
    from sluice.cli.serve import ask_sandbox, mail_lines

    with sentences():
        for line in mail_lines(ask_sandbox("mail")["messages"], last):
            typer.echo(line)


@sandbox.command()
def advance(
    seconds: Annotated[float, typer.Argument(metavar="SECONDS", min=0, help="Virtual seconds to let pass at once.")],
) -> None:
    """Let virtual time pass at once in the served sandbox."""
    from sluice.cli.serve import ask_sandbox
    from sluice.cli.text import moment

    with sentences():
        typer.echo(f"{moment(int(ask_sandbox('advance', seconds=seconds)['now']))} UTC")
