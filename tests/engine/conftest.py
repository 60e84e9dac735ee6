"""Every test here runs twice: on the sandbox's own monitor, and under the real Pulumi engine where a CLI is to be had.

Both take the same program, the same AWS and the same virtual time; where they differ, the monitor is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sluice.sandbox.engine.plugin.server import PluginServer
from sluice.sandbox.engine.program import Engine
from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.triage import Example, train
from tests.acceptance.conftest import Stage, on_stage
from tests.engine.command_line import CommandLine, found, version

LEFT_OUT = pytest.StashKey[int]()


def pytest_report_header() -> str:
    cli = found()
    return f"pulumi: {version(cli)} ({cli})" if cli else "pulumi: no CLI"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a CLI its tests are left out as a whole: one line says so, not one a test."""
    if found() is None:
        without = [item for item in items if _needs_cli(item)]
        items[:] = [item for item in items if item not in without]
        config.stash[LEFT_OUT] = len(without)


def _needs_cli(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    asked = params.get("put_in") == "engine" or "command_line" in getattr(item, "fixturenames", ())
    return asked and Path(__file__).parent in item.path.parents


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out:
        where = "no `pulumi` on PATH or in .tools/pulumi/bin (`make pulumi` gets one)"
        terminalreporter.write_line(f"SKIPPED [{left_out}] tests/engine: {where}: nothing ran under the real engine")


@pytest.fixture(scope="session")
def cli() -> Path:
    there = found()
    assert there is not None, "tests that need it are left out without it"
    return there


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return train(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="class")
def command_line(cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], CommandLine]]:
    """Makes CLIs with a project and a backend each; call it inside the sandbox they are to work on."""
    made: list[PluginServer] = []

    def make() -> CommandLine:
        plugin = PluginServer()
        made.append(plugin.__enter__())
        return CommandLine(cli, tmp_path_factory.mktemp("cli") / "project", plugin)

    yield make
    for plugin in made:
        plugin.__exit__(None, None, None)


@pytest.fixture(scope="class", params=["monitor", "engine"])
def put_in(request: pytest.FixtureRequest) -> Callable[[Sandbox], None]:
    """Puts an engine into a sandbox: its own, or the real one."""
    if request.param == "monitor":
        return lambda sandbox: setattr(sandbox, "engine", Engine())
    make: Callable[[], CommandLine] = request.getfixturevalue("command_line")
    return lambda sandbox: setattr(sandbox, "engine", make())


@pytest.fixture(scope="class")
def bare(example: Example, put_in: Callable[[Sandbox], None]) -> Iterator[Stage]:
    """Releases are uploaded, nothing is deployed. The tests of a class share it, in their order; others have one each."""
    with on_stage(example) as made:
        put_in(made.sandbox)
        yield made


@pytest.fixture(scope="class")
def stage(bare: Stage) -> Stage:
    """v1 serves and clients send."""
    bare.up("v1")
    bare.send()
    return bare
