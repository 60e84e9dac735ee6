"""What one rollout was measured to use in the sandbox, kept in measured.json; and what is assumed where the sandbox cannot say.

The sandbox makes the same calls as the account would; it says nothing about how long a function runs on Lambda.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MEASURED = Path(__file__).with_name("measured.json")


@dataclass(frozen=True, slots=True)
class Usage:
    """A stretch of one rollout, with its sweeps: calls by operation, and what is billed by other units."""

    minutes: float
    calls: Mapping[str, float]
    ticks: float
    metrics_requested: float
    read_units: float
    write_units: float

    def a_minute(self, operation: str) -> float:
        """Calls of an operation in a minute, on average."""
        return self.calls.get(operation, 0.0) / self.minutes


@dataclass(frozen=True, slots=True)
class Measured:
    """A rollout from submission to promotion, its soak, and the alarms around it."""

    active: Usage
    soak: Usage
    alarms: int
    """Of one endpoint."""
    alarm_metrics: int
    """In them: every metric in every alarm is billed."""
    control_alarms: int
    """Of the stack itself; each watches one metric."""
    custom_metrics: int
    """Published for an endpoint while a rollout of it is live."""
    control_metrics: int
    """Published for the stack itself, all the time."""
    dashboards: int
    """Of the stack."""


def measured() -> Measured:
    """As last measured; `make golden` measures again, and a test fails when it has drifted by more than a quarter."""
    kept = json.loads(MEASURED.read_text())
    return Measured(**{**kept, "active": Usage(**kept["active"]), "soak": Usage(**kept["soak"])})


@dataclass(frozen=True, slots=True)
class Assumed:
    """Guesses, to be replaced by what your account shows."""

    function_seconds: float = 1.0
    """Of every invocation; most of it is waiting for AWS's answers."""
    memory_gb: float = 0.5
    """Of the functions; the smaller ones have 0.25."""
    polls_a_minute: float = 15.0
    """Of each queue, by Lambda, messages or not: five pollers that wait for 20 seconds."""
    log_kb: float = 2.0
    """A line or two an invocation."""
