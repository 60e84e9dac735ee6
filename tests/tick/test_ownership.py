"""Several stacks on one control plane: each guards and lets go of its own endpoints, and nobody takes another's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.audit import chain_faults, replay
from sluice.core.errors import Refused
from sluice.core.ownership import PROJECT_TAG, STACK_TAG, Owner, is_foreign, owner_of
from sluice.core.rollout import EndpointSettings
from sluice.sim.world import World
from sluice.submit import adopt, guard, leave, made_for, revise, submit
from tests.builders import SETTINGS, submission
from tests.worlds import adopted_world

SHOP, SEARCH = Owner("shop", "prod"), Owner("search", "prod")


def settings(owner: Owner) -> EndpointSettings:
    return replace(SETTINGS, tags={PROJECT_TAG: owner.project, STACK_TAG: owner.stack})


@pytest.fixture
def world() -> World:
    return adopted_world(settings(SHOP))


def test_a_live_rollout_is_its_own_stacks_to_guard(world: World) -> None:
    submit(world.ports, replace(submission(), settings=settings(SHOP)))

    assert guard(world.ports, SEARCH, control_plane=False) == "no rollout is live"
    with pytest.raises(Refused, match="while rollouts are live: shop-"):
        guard(world.ports, SHOP, control_plane=False)


def test_a_control_plane_stays_as_long_as_it_serves_others(world: World) -> None:
    with pytest.raises(Refused, match="serves other stacks' endpoints: shop. Without it"):
        guard(world.ports, SEARCH, control_plane=True)

    leave(world.ports, SHOP)

    assert guard(world.ports, SEARCH, control_plane=True) == "no rollout is live"


def test_what_nobody_is_known_to_own_everybody_guards() -> None:
    assert owner_of(SETTINGS) is None


def test_only_its_own_endpoints_are_let_go(world: World) -> None:
    leave(world.ports, SEARCH)
    assert made_for(world.ports, SHOP) == {"shop": SETTINGS.name_root}
    assert made_for(world.ports, SEARCH) == {}

    leave(world.ports, SHOP)

    assert made_for(world.ports, SHOP) == {}
    head = world.store.head("shop")
    assert head is not None
    assert not is_foreign(head, SHOP)
    assert not head.is_unfinished


def test_an_endpoint_that_was_let_go_takes_no_release_until_it_is_taken_over_again(world: World) -> None:
    leave(world.ports, SHOP)
    for asked in (
        lambda: submit(world.ports, submission()),
        lambda: revise(world.ports, "shop", 2, settings(SHOP)),
    ):
        with pytest.raises(Refused, match="has no record: `adopt` has not run"):
            asked()

    adopt(world.ports, "shop", ("blue", "green"), settings(SEARCH))

    head = world.store.head("shop")
    assert head is not None
    assert owner_of(head.settings) == SEARCH
    assert head.let_go_at is None
    events = list(world.store.events("shop"))
    assert [event.kind for event in events] == ["adopted", "let_go", "adopted"]
    assert chain_faults(events) == ()
    assert replay(events) == head


def test_another_stacks_endpoint_cannot_be_taken(world: World) -> None:
    for asked in (
        lambda: adopt(world.ports, "shop", ("blue", "green"), settings(SEARCH)),
        lambda: submit(world.ports, replace(submission(), settings=settings(SEARCH))),
        lambda: revise(world.ports, "shop", 2, settings(SEARCH)),
    ):
        with pytest.raises(Refused, match="belongs to stack shop/prod; two stacks cannot release to one endpoint"):
            asked()
