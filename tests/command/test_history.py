"""`history`: the audit events, page by page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sluice.command import history
from sluice.core.errors import BadInput
from sluice.core.rollout import Phase
from sluice.sim.world import World


@pytest.fixture(autouse=True)
def _settled(world: World, until: Callable[..., None]) -> None:
    until(Phase.BAKING, 1000)
    world.run(lambda: world.store.head("shop").live is None)


def test_the_newest_events_oldest_first(world: World) -> None:
    found = history(world.ports, "shop", 3)

    assert [event["kind"] for event in found["events"]] == ["shifting", "promoted", "settled"]
    assert found["events"][-1].keys() == {"seq", "at", "kind", "by", "rollout", "because"}
    assert found["schema"] == 1
    assert (found["newest"], found["older"]) == (found["events"][-1]["seq"], found["events"][0]["seq"])


def test_pages_add_up_to_the_whole_trail(world: World) -> None:
    whole = [event.seq for event in world.store.events("shop")]
    seen: list[int] = []
    before: int | None = None

    while True:
        page = history(world.ports, "shop", 4, before)
        seen = [*(event["seq"] for event in page["events"]), *seen]
        before = page["older"]
        if before is None:
            break

    assert seen == whole


def test_more_than_there_is_gives_what_there_is(world: World) -> None:
    found = history(world.ports, "shop", 200)

    assert found["events"][0]["kind"] == "adopted"
    assert found["older"] is None


def test_before_the_first_there_is_nothing(world: World) -> None:
    assert history(world.ports, "shop", 5, 1)["events"] == []


def test_numbers_out_of_range_are_all_named(world: World) -> None:
    with pytest.raises(BadInput) as caught:
        history(world.ports, "shop", 201, 0)

    assert caught.value.faults == (
        "limit: must be 1 to 200, got 201",
        "before: must be an event number, 1 or more, got 0",
    )
