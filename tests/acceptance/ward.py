"""The example of an application team, deployed beside the platform's stack, with people who use it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3

from sluice.sandbox.engine.program import Engine, RunResult
from sluice.sandbox.sandbox import REPOSITORY
from tests.acceptance.conftest import Stage

PROGRAM = REPOSITORY / "examples" / "consumer"
PLATFORM = "organization/sluice/dev"
CONFIG = {"aws:region": "us-east-1", "ward:platform": PLATFORM, "ward:endpoint": "triage"}
EVERY_SECONDS, CLOSED_AFTER = 3, 300


@dataclass(frozen=True)
class Case:
    """One sample on the ward: what the application said of it, and whether the doctor will agree."""

    shown: str
    agreed: bool

    @property
    def slot(self) -> str:
        return self.shown.partition("@")[2]

    @property
    def at(self) -> int:
        return int(self.shown.partition("@")[0])


class Ward:
    """The deployed application with people in it: a case every few seconds, its outcome five minutes later."""

    def __init__(self, stage: Stage, function: str) -> None:
        self.stage, self.function = stage, function
        self.rows = (stage.example.folder / "traffic.csv").read_text().splitlines()
        self.seen: list[Case] = []
        self.closed: list[Case] = []
        self.clock = stage.sandbox.cloud.clock

    def open(self) -> None:
        self.clock.every(EVERY_SECONDS, self._case, "a case on the ward")

    @property
    def role(self) -> str:
        arn: str = boto3.client("lambda").get_function_configuration(FunctionName=self.function)["Role"]
        return arn

    def call(self, **event: Any) -> dict[str, Any]:
        answer = boto3.client("lambda").invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def _case(self) -> None:
        said = self.call(row=self.rows[len(self.seen) % len(self.rows)])
        case = Case(said["shown"], agreed=len(self.seen) % 4 != 0)
        self.seen.append(case)
        self.clock.call_at(self.clock.now() + timedelta(seconds=CLOSED_AFTER), lambda: self._close(case), "a case ends")

    def _close(self, case: Case) -> None:
        self.call(shown=case.shown, confirmed=case.agreed, minutes=10)
        self.closed.append(case)


def deploy(stage: Stage, **config: str) -> tuple[Engine, RunResult]:
    engine = Engine(neighbours=stage.sandbox.engine.neighbours)
    given = {f"ward:{key}": value for key, value in {"platform": PLATFORM, "endpoint": "triage", **config}.items()}
    return engine, engine.up(PROGRAM, "ward", "dev", {"aws:region": "us-east-1", **given})
