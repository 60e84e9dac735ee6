"""Two endpoints in one stack, with slots of their own: two rollouts at once, and neither's alarm is the other's."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from sluice.core.audit import chain_faults, replay
from sluice.core.rollout import Phase
from sluice.sandbox.triage import Example
from tests.acceptance.conftest import Stage, on_stage

WARD, LAB = "dev-ward", "dev-lab"
SLOTS = {WARD: ["blue", "green"], LAB: ["AllTraffic", "next"]}


@pytest.fixture(scope="module")
def pair(example: Example) -> Iterator[Stage]:
    """v1 serves on both, clients send to both, and both are at 25 % of another release."""
    with on_stage(example) as stage:
        up(stage, ward="v1", lab="v1")
        for endpoint in SLOTS:
            stage.sandbox.traffic(endpoint, example.load())
        up(stage, ward="v2", lab="v5")
        assert stage.sandbox.run_until(lambda: at(stage, WARD, 2500) and at(stage, LAB, 2500), 4 * 3600)
        boto3.client("cloudwatch").set_alarm_state(
            AlarmName=f"sluice/sluice/dev/{LAB}/next/errors", StateValue="ALARM", StateReason="test"
        )
        assert stage.sandbox.run_until(lambda: weight(stage, LAB, "next") == 0, 300)
        yield stage


def up(stage: Stage, ward: str, lab: str) -> None:
    released = {
        endpoint: stage.example.endpoints(release)["triage"] for endpoint, release in ((WARD, ward), (LAB, lab))
    }
    stage.sandbox.config["endpoints"] = {
        endpoint.removeprefix("dev-"): {**document, "slots": SLOTS[endpoint]} for endpoint, document in released.items()
    }
    stage.sandbox.up()


def at(stage: Stage, endpoint: str, parts: int) -> bool:
    live = stage.sandbox.head(endpoint).live
    return live is not None and live.phase is Phase.BAKING and live.canary_parts == parts


def weight(stage: Stage, endpoint: str, slot: str) -> float:
    weights = {route.slot: route.weight for route in stage.sandbox.meters.endpoints.routes(endpoint)}
    return weights[slot] / sum(weights.values())


def test_the_alarm_of_one_leaves_the_other_where_it_is(pair: Stage) -> None:
    ward = pair.sandbox.head(WARD).live

    assert ward is not None
    assert ward.phase is Phase.BAKING
    assert weight(pair, WARD, "green") >= 0.25, "it went on by itself"
    assert not [e for e in pair.sandbox.events(WARD) if e.by.startswith("alarm:") and "rehearsal" not in e.kind]


def test_both_end_each_in_its_own_way(pair: Stage) -> None:
    assert pair.sandbox.run_until(lambda: not any(pair.sandbox.head(e).live for e in SLOTS), 12 * 3600)

    ends = {e: pair.sandbox.head(e) for e in SLOTS}
    assert (ends[WARD].champion.slot, ends[WARD].champion.release.name) == ("green", "v2")
    assert (ends[LAB].champion.slot, ends[LAB].champion.release.name) == ("AllTraffic", "v1")
    assert [ends[e].outcome.phase for e in SLOTS] == [Phase.SETTLED, Phase.ROLLED_BACK]
    assert [q.release_name for q in ends[LAB].quarantine] == ["v5"]
    assert ends[WARD].quarantine == ()
    for endpoint, head in ends.items():
        events = pair.sandbox.events(endpoint)
        assert chain_faults(events) == ()
        assert replay(events) == head
    denied = [c for c in pair.sandbox.cloud.gate.calls if c.outcome.startswith(("AccessDenied", "Authorization"))]
    assert denied == []
