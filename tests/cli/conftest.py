"""Running the command line against a control plane that answers what a test says; and golden files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sluice.cli.app import app
from sluice.cli.engine import Deploy, through_pulumi
from sluice.cli.invoke import Answer
from sluice.cli.outside import Outside

GOLDEN = Path(__file__).parent / "golden"
NOW = 1_767_604_970  # 2026-01-05 09:22:50 UTC


@dataclass
class Ran:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def transcript(self) -> str:
        """Everything a person sees, as golden files keep it."""
        shown = self.out + "".join(f"stderr: {line}\n" for line in self.err.splitlines())
        return f"{shown}exit {self.exit_code}\n"


@dataclass
class Desk:
    """A person at a terminal. `answers` are given one after another, the last one again and again; exceptions are raised."""

    folder: Path
    answers: list[Any] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)
    width: int | None = 100
    asked: list[tuple[str, str | None, dict[str, Any]]] = field(default_factory=list)
    clock: float = 0.0
    deploy: Deploy = through_pulumi

    def run(self, *words: str) -> Ran:
        outside = Outside(
            self._invoke,
            self.folder,
            self.environment,
            lambda: "id-1",
            lambda: self.clock,
            self._sleep,
            self.width,
            self.deploy,
        )
        result = CliRunner().invoke(app, list(words), obj=outside, catch_exceptions=False)
        return Ran(result.exit_code, result.stdout, result.stderr)

    def _invoke(self, function: str, region: str | None, request: dict[str, Any]) -> Answer:
        self.asked.append((function, region, request))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(answer, False)

    def _sleep(self, seconds: float) -> None:
        self.clock += seconds


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """In a folder with a Pulumi project of one stack."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    return Desk(tmp_path)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Compares with golden/<test name>.txt; SLUICE_GOLDEN=write writes it instead."""

    def compare(text: str) -> None:
        name = request.node.name.removeprefix("test_").replace("[", "-").replace("]", "")
        file = GOLDEN / f"{name}.txt"
        if os.environ.get("SLUICE_GOLDEN") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8"), f"{file} is older: look at the difference, then `make golden`"

    return compare


def status(**changes: Any) -> dict[str, Any]:
    """A control plane's answer with nothing being tried."""
    return {
        "schema": 1,
        "endpoint": "dev-triage",
        "now": NOW,
        "live": {"release": "v1", "digest": "1" * 64},
        "slot": "blue",
        "seen": {
            "status": "InService",
            "parts": {"blue": 10_000},
            "desired_parts": {"blue": 10_000},
            "fault": None,
        },
        "rollout": None,
        "next": "nothing until `pulumi up` submits a release",
        "last_outcome": None,
        "heartbeat": None,
        **changes,
    }


def baking(**changes: Any) -> dict[str, Any]:
    """The answer while v2 bakes at 25 %; `changes` are made to the rollout."""
    rollout = {
        "id": "dev-triage-22222222-2",
        "release": "v2",
        "digest": "2" * 64,
        "stable": "v1",
        "from_slot": "blue",
        "to_slot": "green",
        "phase": "baking",
        "phase_since": NOW - 290,
        "started_at": NOW - 1070,
        "step": 2,
        "steps": 5,
        "canary_parts": 2500,
        "desired_parts": 2500,
        "actual_parts": 2500,
        "because": "v2 serves 25 %: baking for 5 min",
        "said": "holding 25 %: 4 min of 5 min passed; errors 0.0 % (0 of 779) against 0.0 %, rail 5.0 % and 2x; "
        "latency p90 28 ms against 28 ms, rail 3x; samples 779 canary and 2227 stable requests of 100 needed",
        "said_at": NOW - 50,
        "next": {
            "sentence": "may go to 50 % in 10 s at the earliest; without the evidence it holds from then on (in 10 min 10 s), "
            "and is taken back in 24 h 10 min",
            "earliest": NOW + 10,
            "latest": NOW + 610,
            "then": "hold",
        },
        "stop": "abort",
        **changes,
    }
    seen = {
        "status": "InService",
        "parts": {"blue": 7500, "green": 2500},
        "desired_parts": {"blue": 7500, "green": 2500},
        "fault": None,
    }
    heartbeat = {
        "at": NOW - 50,
        "good_at": NOW - 50,
        "because": rollout["said"],
        "parts": {"blue": 7500, "green": 2500},
        "status": "InService",
    }
    return status(rollout=rollout, seen=seen, heartbeat=heartbeat, next=None)


def outcome(phase: str = "rolled_back", **changes: Any) -> dict[str, Any]:
    return {
        "rollout_id": "dev-triage-33333333-9",
        "release_name": "v3",
        "release_digest": "3" * 64,
        "nonce": "1",
        "phase": phase,
        "because": "v3 was rolled back: alarm shop/dev/dev-triage/green/errors went off",
        "ended_at": NOW - 7800,
        **changes,
    }
