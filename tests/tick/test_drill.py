"""Scheduled drills in the simulated world: the whole way back is gone through, and no request changes its slot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.command import status
from sluice.core.audit import chain_faults, replay
from sluice.core.ownership import Owner
from sluice.drill import Drilled, days_since_drill, drill_all
from sluice.sim.world import World
from sluice.submit import leave, submit
from sluice.tell import Caller, Order, tell
from tests.builders import policy, release, submission
from tests.worlds import adopted_world


@pytest.fixture
def world() -> World:
    """v2 has settled in green; blue keeps v1."""
    made = adopted_world()
    submit(made.ports, submission(policy=policy(soak_seconds=60)))
    made.run(lambda: made.store.head("shop").live is None)
    made.run(lambda: not made.store.head("shop").is_unfinished)
    return made


def kinds(world: World) -> list[str]:
    return [event.kind for event in world.store.events("shop")]


def test_a_drill_is_answered_verified_and_kept_and_moves_nothing(world: World) -> None:
    before = world.describe("shop").parts

    begun = drill_all(world.ports)
    world.run(lambda: world.store.head("shop").drill is None, 1200)

    assert begun.sentences == ("shop: drill: setting off sluice/sluice/test/shop/blue/errors-rail",)
    assert kinds(world)[-3:] == ["drill_asked", "drill_answered", "drilled"]
    last = list(world.store.events("shop"))[-1]
    assert "within the target of 2 min" in last.because
    assert world.store.head("shop").drilled_at == status(world.ports, "shop")["drilled_at"] == last.at
    assert world.describe("shop").parts == before == world.traffic.history[-1][1]
    assert all(
        parts in (before, *[seen for _, seen in world.traffic.history[:-1]]) for _, parts in world.traffic.history
    )
    assert not [notice for notice in world.notices if "drill" in notice.subject]
    events = list(world.store.events("shop"))
    assert chain_faults(events) == ()
    assert replay(events) == world.store.head("shop")


def test_a_path_that_is_cut_pages(world: World) -> None:
    world.delivers_events = False

    drill_all(world.ports)
    world.run(lambda: world.store.head("shop").drill is None, 1200)

    assert kinds(world)[-1] == "drill_failed"
    assert [notice.subject for notice in world.notices][-1] == "shop: drill failed"
    assert world.store.head("shop").drilled_at is None


def test_a_person_who_changes_the_weights_meanwhile_is_not_fought(world: World) -> None:
    drill_all(world.ports)
    world.console_change(blue=5000, green=5000)

    world.run(lambda: world.store.head("shop").drill is None, 1200)

    assert world.describe("shop").parts == {"blue": 5000, "green": 5000}
    assert kinds(world)[-1] == "drill_failed"


def test_a_release_that_comes_meanwhile_goes_first(world: World) -> None:
    drill_all(world.ports)

    submit(world.ports, submission(release=release("v3"), nonce="3"))
    world.set_alarm("sluice/sluice/test/shop/blue/errors-rail", "OK")  # CloudWatch looks again within a minute
    world.run(lambda: world.canary_parts("blue") > 0)

    assert world.store.head("shop").drill is None
    assert world.canary_parts("blue") == 1000


def test_where_one_may_not_be_nothing_is_recorded(world: World) -> None:
    tell(world.ports, Order("stop", "shop", Caller("ann", proven=True), "sale", None))
    stopped = world.store.head("shop")

    assert drill_all(world.ports).sentences == ("shop: no drill: ann stopped every step up: sale",)
    assert world.store.head("shop") == stopped


def test_a_fault_at_one_endpoint_is_told_and_nothing_was_set_off(world: World) -> None:
    world.store.refuses_writes = True

    assert drill_all(world.ports).faults == ("shop: StoreUnavailable: the simulated table refuses writes",)
    assert world.alarm_states["sluice/sluice/test/shop/blue/errors-rail"].state == "OK", "nothing before its record"


def test_the_age_is_that_of_the_endpoint_that_waited_longest(world: World) -> None:
    settled, never = world.now, days_since_drill(world.ports)
    drill_all(world.ports)
    world.run(lambda: world.store.head("shop").drill is None, 1200)
    fresh = days_since_drill(world.ports)
    world.pass_seconds(2 * 86_400)

    first = next(iter(world.store.events("shop"))).at
    assert never * 86_400 == pytest.approx(settled - first), "since its first event"
    assert fresh < 0.001
    assert days_since_drill(world.ports) == pytest.approx(2, abs=0.001)


def test_what_was_let_go_is_not_even_looked_at(world: World) -> None:
    leave(world.ports, Owner("sluice", "test"))

    class Gone:
        def describe(self, endpoint: str) -> None:
            raise LookupError(endpoint)

    assert world.store.head("shop").let_go_at is not None
    assert drill_all(replace(world.ports, endpoints=Gone())) == Drilled((), ())
    assert days_since_drill(world.ports) == 0
