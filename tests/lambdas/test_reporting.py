"""What a function says of itself: one line and its metrics for each invocation of a container."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from lambdas import reporting
from lambdas.reporting import report


@pytest.fixture(autouse=True)
def a_new_container(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tick of test_reporting")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Sluice")
    for made in (reporting._logger, reporting._emitter):
        made.cache_clear()
    yield
    logging.getLogger("tick of test_reporting").handlers.clear()
    for made in (reporting._logger, reporting._emitter):
        made.cache_clear()


def said(text: str) -> tuple[list[str], list[dict[str, object]]]:
    """The sentences that were logged, and the metrics without their time."""
    lines = [json.loads(line) for line in text.splitlines()]
    metrics = [{key: value for key, value in line.items() if key != "_aws"} for line in lines if "_aws" in line]
    return [line["message"] for line in lines if "message" in line], metrics


def test_a_warm_container_says_nothing_of_the_invocation_before(capsys: pytest.CaptureFixture[str]) -> None:
    report("holding", {"Ticks": ("Count", 1)}, endpoint="shop", release="v2", rollout="shop-1", faults=("no rows",))
    report("nothing is unfinished", {"OverdueSeconds": ("Seconds", 0)})

    sentences, (first, second) = said(capsys.readouterr().out)
    service = "tick of test_reporting"
    assert sentences == ["holding", "no rows", "nothing is unfinished"]
    assert first == {
        "Ticks": [1.0],
        "Faults": [1.0],
        "endpoint": "shop",
        "service": service,
        "release": "v2",
        "rollout": "shop-1",
    }
    assert second == {"OverdueSeconds": [0.0], "Faults": [0.0], "service": service}
