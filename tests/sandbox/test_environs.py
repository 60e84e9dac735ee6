"""The environment as a whole: what is put is what the process, and what it starts, then has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sluice.sandbox import environs

SHOW = [sys.executable, "-c", "import os; print(ascii(os.environ.get('TABLE')), 'OF_THE_HOST' in os.environ)"]


@contextmanager
def exchanged() -> Iterator[None]:
    """Another environment, as long as the sandbox is open."""
    before, undo = environs.taken(), environs.install_started_processes()
    environs.put(environs.encoded({"TABLE": "größe"}))
    try:
        yield
    finally:
        environs.put(before)
        undo()


def shown(env: dict[str, str] | None = None) -> list[str]:
    return subprocess.run(SHOW, env=env, capture_output=True, text=True, check=True).stdout.split()


def test_what_was_put_is_the_whole_environment_also_of_what_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_HOST", "secret")
    with exchanged():
        assert dict(os.environ) == {"TABLE": "größe"}
        assert shown() == [ascii("größe"), "False"]


def test_what_is_started_with_an_environment_of_its_own_has_that() -> None:
    with exchanged():
        assert shown({"TABLE": "theirs"}) == ["'theirs'", "False"]


def test_the_environment_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_HOST", "secret")
    before = environs.taken()
    environs.put(environs.encoded({"TABLE": "größe"}))

    environs.put(before)

    assert os.environ["OF_THE_HOST"] == "secret"
    assert "TABLE" not in os.environ
