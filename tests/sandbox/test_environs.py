"""The environment as a whole: what is put is what the process, and what it starts, then has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sluice.sandbox import environs


def test_what_was_put_is_the_whole_environment_also_of_what_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_HOST", "secret")
    before = environs.taken()
    environs.put(environs.encoded({"TABLE": "größe"}))
    try:
        assert dict(os.environ) == {"TABLE": "größe"}
        shown = subprocess.run(
            [sys.executable, "-c", "import os; print(ascii(os.environ['TABLE']), 'OF_THE_HOST' in os.environ)"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout.split() == [ascii("größe"), "False"]
    finally:
        environs.put(before)

    assert os.environ["OF_THE_HOST"] == "secret"
    assert "TABLE" not in os.environ
