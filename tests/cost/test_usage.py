"""The cost page's inputs are measured: one rollout in the sandbox, every call counted."""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sluice.aws.clients import client
from sluice.core.rollout import Phase
from sluice.cost.usage import MEASURED, Measured, Usage, measured
from sluice.sandbox.cloud.gate import Call
from sluice.sandbox.triage import train
from tests.acceptance.conftest import Stage, on_stage

DRIFT = 0.25
"""So much may change before the page says something wrong enough to matter."""
FEW = 3
"""Calls made once or twice a rollout cost nothing."""


def units(item: Any, kb: int) -> int:
    return -(-len(json.dumps(item).encode()) // (1024 * kb))


def measure(stage: Stage) -> Measured:
    """One good release, from `up` to settled."""
    gate, clock = stage.sandbox.cloud.gate, stage.sandbox.cloud.clock
    stage.up("v1")
    stage.send()
    marks = [(len(gate.calls), clock.now())]
    stage.up("v2")
    stage.until_weight(10_000, Phase.SOAKING)
    marks.append((len(gate.calls), clock.now()))
    stage.until_ended()
    marks.append((len(gate.calls), clock.now()))
    active, soak = (
        used(gate.calls[since:until], (end - begin).total_seconds() / 60)
        for (since, begin), (until, end) in pairwise(marks)
    )
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    of_endpoint = [alarm for alarm in alarms if alarm["AlarmName"].startswith("sluice/")]
    ours = [key for key in stage.sandbox.meters.store if key.namespace.startswith("Sluice/")]
    endpoints = [key for key in ours if "endpoint" in dict(key.dimensions)]
    boards = stage.sandbox.cloud.gate.made("PutDashboard")
    return Measured(
        active=active,
        soak=soak,
        alarms=len(of_endpoint),
        alarm_metrics=sum(map(metrics_in, of_endpoint)),
        control_alarms=len(alarms) - len(of_endpoint),
        custom_metrics=len(endpoints),
        control_metrics=len(ours) - len(endpoints),
        dashboards=len({call.params["DashboardName"] for call in boards}),
    )


def used(every: Sequence[Call], minutes: float) -> Usage:
    ours = [call for call in every if call.function.startswith(("sluice-dev-", "states:"))]
    calls = Counter(call.operation for call in ours)
    asked = [call.params["MetricDataQueries"] for call in ours if call.operation == "GetMetricData"]
    head = max(units(item, 4) for item in client("dynamodb").scan(TableName="sluice-dev")["Items"])
    return Usage(
        minutes=round(minutes, 1),
        calls=dict(sorted(calls.items())),
        ticks=sum(call.function.startswith("states:") and call.operation == "Invoke" for call in ours),
        metrics_requested=sum(map(len, asked)),
        read_units=calls["GetItem"] * head + calls["Query"],
        write_units=sum(written_units(call.operation, call.params) for call in ours),
    )


def written_units(operation: str, params: Any) -> int:
    """A transaction takes twice as many."""
    if operation == "PutItem":
        return units(params["Item"], 1)
    return sum(2 * units(each, 1) for each in params["TransactItems"]) if operation == "TransactWriteItems" else 0


def metrics_in(alarm: Any) -> int:
    return sum("MetricStat" in query for query in alarm.get("Metrics", [])) or 1


@pytest.mark.golden
def test_the_measured_usage_is_still_about_what_a_rollout_uses(tmp_path: Path) -> None:
    with on_stage(train(tmp_path)) as stage:
        now = measure(stage)
    if os.environ.get("SLUICE_GOLDEN") == "write":
        MEASURED.write_text(json.dumps(dataclasses.asdict(now), indent=2) + "\n")

    assert list(drifts(flat(measured()), flat(now))) == [], "run `make golden`: the cost page follows"


def flat(usage: Measured) -> dict[str, float]:
    """Every number by its path."""
    found: dict[str, float] = {}

    def visit(path: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                visit(f"{path}.{key}".strip("."), each)
        else:
            found[path] = value

    visit("", dataclasses.asdict(usage))
    return found


def drifts(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[str]:
    for path in sorted({*before, *after}):
        kept, now = before.get(path, 0), after.get(path, 0)
        if abs(now - kept) > max(DRIFT * kept, FEW):
            yield f"{path}: {kept:g} is kept, {now:g} was measured now"
