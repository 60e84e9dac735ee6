"""The plan against the simulated world: what really happens lies within what was planned."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sluice.core.observation import AlarmFacts, ConfiguredVariant, Variant
from sluice.core.plan import Assumptions, Plan, Reach, Span, plan
from sluice.core.policy import OnInconclusive, Policy
from sluice.core.rollout import Phase
from sluice.sim.account import UPDATE_SECONDS, WEIGHT_CALL_SECONDS
from sluice.sim.traffic import Traffic
from sluice.sim.world import World
from sluice.submit import adopt, submit
from tests.builders import SETTINGS, alarms, policy, release, step, submission

LAST = policy().steps[-1]


def run(made: Policy, rps: float, second: int) -> tuple[World, int]:
    """A whole rollout that starts at a second of a minute; the world and when it was submitted."""
    world = World(traffic=Traffic(round(rps * 60)))
    world.variants = {"blue": Variant(1, 1, 1, 1)}
    world.models = {"model-v1": release("v1")}
    world.configs = {"bootstrap": {"blue": ConfiguredVariant("model-v1", "ml.m5.large")}}
    names = [name for slot in alarms().values() for name in (*slot.relative, *slot.rails)]
    world.alarm_states = {name: AlarmFacts(name, "OK", 0) for name in names}
    world.pass_seconds(60 + second)
    adopt(world.ports, "shop", ("blue", "green"), SETTINGS)
    at = world.now
    submit(world.ports, submission(policy=made))
    world.run(lambda: world.store.head("shop").live is None, 48 * 3600)
    return world, at


def planned(made: Policy, rps: float | None) -> Plan:
    exact = Span(UPDATE_SECONDS, UPDATE_SECONDS), Span(WEIGHT_CALL_SECONDS, WEIGHT_CALL_SECONDS)
    return plan(made, Assumptions(rps, *exact))


def happened(world: World, at: int) -> list[int]:
    """When each raise was asked for and, at last, when the rollout was promoted and settled."""
    kinds = ("shifting", "promoted", "settled")
    return [event.at - at for event in world.store.events("shop") if event.kind in kinds]


@pytest.mark.parametrize("second", [0, 29, 59])
@pytest.mark.parametrize("rps", [200, 2])
@pytest.mark.parametrize("told", [True, False])
def test_a_rollout_keeps_to_its_plan(rps: float, second: int, told: bool) -> None:
    made = policy(steps=(step(5, 300, 3600), step(50, 120, 900), step(95, 300, 3600), LAST), max_hold_seconds=36_000)

    expected = planned(made, rps if told else None)
    world, at = run(made, rps, second)

    spans = [*(each.starts for each in expected.steps), expected.promoted, expected.settled]
    moments = happened(world, at)
    assert len(moments) == len(spans), world.store.head("shop").outcome
    for span, moment in zip(spans, moments, strict=True):
        assert span.earliest <= moment <= span.latest, (moments, spans)


@pytest.mark.parametrize("then", [OnInconclusive.HOLD, OnInconclusive.ROLLBACK])
def test_a_step_planned_never_to_see_enough_is_taken_back_when_planned(then: OnInconclusive) -> None:
    made = policy(steps=(step(10, 300, 900, then), LAST))

    expected = planned(made, 0.05)
    world, _ = run(made, 0.05, 7)

    outcome = world.store.head("shop").outcome
    assert outcome.phase is Phase.ROLLED_BACK
    assert expected.steps[0].reach is Reach.NEVER
    baked = next(event.at for event in world.store.events("shop") if event.kind == "baking")
    latched = next(event.at for event in world.store.events("shop") if event.kind == "rolling_back")
    watched = expected.steps[0].watched
    assert watched.earliest <= latched - baked <= watched.latest


@pytest.mark.parametrize("second", [0, 31])
def test_the_canary_gets_as_many_requests_as_planned(second: int) -> None:
    made = policy(steps=(step(10), step(50), LAST))

    expected = planned(made, 50)
    world, _ = run(made, 50, second)

    until = next(at for at, parts in world.traffic.history if parts.get("green") == 10_000)
    moments = [*(entry for entry in world.traffic.history if entry[0] < until), (until, {})]
    exposed = sum(50 * parts.get("green", 0) / 10_000 * (end - at) for (at, parts), (end, _) in pairwise(moments))
    assert expected.exposed.earliest <= exposed <= expected.exposed.latest
