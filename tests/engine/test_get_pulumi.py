"""`make pulumi` without the network: what it says and how it ends."""

from __future__ import annotations

import subprocess
from typing import Any, NoReturn
from urllib.error import URLError

import pytest

from tools import get_pulumi


@pytest.fixture(autouse=True)
def nothing_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_pulumi.shutil, "which", lambda _name: None)


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def install(**_: Any) -> NoReturn:
        raise error

    monkeypatch.setattr(get_pulumi.PulumiCommand, "install", install)


def test_a_cli_on_the_path_is_enough(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(get_pulumi.shutil, "which", lambda _name: "/usr/bin/pulumi")
    failing(monkeypatch, AssertionError("not asked"))

    assert get_pulumi.main() == 0
    assert capsys.readouterr().out == "pulumi is on PATH: /usr/bin/pulumi. Nothing to install.\n"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (URLError("Name or service not known"), "Name or service not known"),
        (subprocess.CalledProcessError(1, "sh", b"== Installing\nerror: no such version"), "error: no such version"),
    ],
)
def test_an_installer_out_of_reach_is_one_sentence_and_exit_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, reason: str
) -> None:
    failing(monkeypatch, error)

    assert get_pulumi.main() == 3
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert reason in told
