"""What every command-line tool answers: its version, its help by both names, and a sentence for what cannot be."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tests.cli.conftest import Desk


def test_the_version_is_that_of_the_package(desk: Desk) -> None:
    ran = desk.run("--version")

    assert (ran.exit_code, ran.out) == (0, f"sluice {version('sluice')}\n")


@pytest.mark.parametrize("words", [(), ("plan",), ("sandbox", "up")])
def test_h_is_help_of_every_command(desk: Desk, words: tuple[str, ...]) -> None:
    short, long = desk.run(*words, "-h"), desk.run(*words, "--help")

    assert (short.exit_code, short.out) == (0, long.out)


@pytest.mark.parametrize("words", [("demo", "--seed", "-1"), ("demo", "--fault", "refresh", "--seed", "-1")])
def test_a_seed_below_zero_is_refused_before_anything_starts(desk: Desk, words: tuple[str, ...]) -> None:
    ran = desk.run(*words)

    assert (ran.exit_code, ran.out) == (2, "")
    assert "'--seed'" in ran.err
