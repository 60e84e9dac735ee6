"""`abort` and `rollback`: refused in no phase that has something to take back, and quick whatever the clock was waiting for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sluice.command import abort, rollback, taken_back
from sluice.core.errors import BadInput, Refused, StaleRecord
from sluice.core.rollout import Phase
from sluice.sim.world import World

Until = Callable[..., None]


def ended(world: World) -> bool:
    return world.store.head("shop").live is None


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.PREPARING, Phase.REHEARSING, Phase.SHIFTING, Phase.BAKING])
@pytest.mark.parametrize("command", [abort, rollback])
def test_every_phase_before_promotion_is_taken_back(world: World, until: Until, phase: Phase, command) -> None:
    until(phase)

    sentence = command(world.ports, "shop", "unproven:me", "wrong day")

    assert "unproven:me: wrong day" in sentence
    assert world.store.head("shop").live.phase is Phase.ROLLING_BACK
    world.run(lambda: ended(world))
    assert world.canary_parts() == 0
    assert world.store.head("shop").outcome.phase is Phase.ROLLED_BACK


def test_only_a_rollback_quarantines(world: World, until: Until) -> None:
    until(Phase.BAKING)
    abort(world.ports, "shop", "me", "wrong day")
    assert world.store.head("shop").quarantine == ()


def test_a_rollback_quarantines(world: World, until: Until) -> None:
    until(Phase.BAKING)
    rollback(world.ports, "shop", "me", "complaints")
    assert [entry.release_name for entry in world.store.head("shop").quarantine] == ["v2"]


@pytest.mark.parametrize("command", [abort, rollback])
def test_a_promoted_release_is_taken_back_too(world: World, until: Until, command) -> None:
    until(Phase.SOAKING)

    assert command(world.ports, "shop", "me", "complaints").startswith("rolling back v2 from 100 %: ")
    assert world.store.head("shop").champion.release.name == "v1"


def test_a_paused_soak_is_taken_back_too(world: World, until: Until) -> None:
    until(Phase.SOAKING)
    world.console_change(blue=5000, green=5000)
    world.run(lambda: world.store.head("shop").live.phase is Phase.PAUSED, 900)

    assert abort(world.ports, "shop", "me", "wrong day").startswith("rolling back v2 from 100 %: aborted by me")


def test_a_fresh_clock_looks_at_once_whether_the_weights_are_back(world: World, until: Until) -> None:
    until(Phase.SOAKING)
    world.busy_for(100)

    sentence = rollback(world.ports, "shop", "me", "complaints")

    assert sentence.endswith("(the endpoint is busy: it is asked again every few seconds until it takes the call)")
    rollout = world.store.head("shop").live
    assert (rollout.clock_generation, rollout.clock_name in world.clocks_running) == (2, True)
    world.run(lambda: world.canary_parts() == 0, 200)
    assert world.canary_parts() == 0


def test_a_second_word_changes_nothing(world: World, until: Until) -> None:
    until(Phase.BAKING)
    abort(world.ports, "shop", "me", "wrong day")
    version = world.store.head("shop").version

    world.pass_seconds(20)
    sentence = abort(world.ports, "shop", "you", "me too")

    assert sentence.startswith("already rolling back: rolling back v2 from 10 %: aborted by me: wrong day")
    assert world.store.head("shop").version == version


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reason_is_required(world: World, until: Until, reason: str) -> None:
    until(Phase.BAKING)

    with pytest.raises(BadInput, match="reason: missing. Say why"):
        abort(world.ports, "shop", "me", reason)


def test_without_a_rollout_there_is_nothing_to_take_back(world: World) -> None:
    with pytest.raises(Refused, match=r"no rollout is live, v1 serves. .*`rollback --to RELEASE`"):
        rollback(world.ports, "shop", "me", "just so")


class Racing:
    """A store in which somebody else decides first, a number of times."""

    def __init__(self, store: object, races: int) -> None:
        self._store, self.races = store, races

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def commit(self, change: object) -> None:
        if self.races:
            self.races -= 1
            raise StaleRecord("not current any more")
        self._store.commit(change)


def test_a_lost_race_is_run_again(world: World, until: Until) -> None:
    until(Phase.BAKING)

    abort(replace(world.ports, store=Racing(world.store, 2)), "shop", "me", "wrong day")

    assert world.store.head("shop").live.phase is Phase.ROLLING_BACK


def test_a_record_that_never_stands_still_is_said(world: World, until: Until) -> None:
    until(Phase.BAKING)

    with pytest.raises(StaleRecord, match="its record keeps changing: ask again"):
        abort(replace(world.ports, store=Racing(world.store, 99)), "shop", "me", "wrong day")


def test_a_promotion_in_between_is_taken_back_too(world: World, until: Until) -> None:
    """The promotion is recorded between the command's read and its write."""
    until(Phase.SHIFTING, 10_000)
    world.pass_seconds(20)

    class Promoting(Racing):
        def commit(self, change: object) -> None:
            if self.races:
                self.races = 0
                world.tick()
            self._store.commit(change)

    abort(replace(world.ports, store=Promoting(world.store, 1)), "shop", "me", "wrong day")

    head = world.store.head("shop")
    assert (head.live.phase, head.champion.release.name) == (Phase.ROLLING_BACK, "v1")
    assert [event.kind for event in world.store.events("shop")][-2:] == ["promoted", "rolling_back"]


def test_the_answer_carries_its_version() -> None:
    assert taken_back("shop", "done") == {"schema": 1, "endpoint": "shop", "result": "done"}
