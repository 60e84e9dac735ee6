"""Counts without a release, and adoption, in the simulated world: what is recorded, when it is called, what is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.audit import chain_faults, replay
from sluice.core.errors import BadInput, Refused, StaleRecord
from sluice.core.observation import ConfiguredVariant, Variant
from sluice.core.rollout import Phase
from sluice.sim.world import World
from sluice.submit import adopt, revise, submit
from tests.builders import SETTINGS, release, submission
from tests.tick.test_life import world
from tests.worlds import ended, head_of, in_phase

__all__ = ["world"]


def counts(world: World) -> list[object]:
    return [detail for _, name, detail in world.calls if name == "set_instances"]


def test_more_instances_come_without_a_release_and_without_a_weight_call(world: World) -> None:
    said = revise(world.ports, "shop", 3, SETTINGS)
    assert world.calls == [], said

    world.run(lambda: head_of(world).revision is None, 3600)

    assert counts(world) == [("blue", 3)]
    assert world.variants["blue"].current_instances == 3
    assert not [name for _, name, _ in world.calls if name == "set_weights"]
    assert not world.store.unfinished()
    assert chain_faults(world.store.events("shop")) == ()
    assert replay(world.store.events("shop")) == head_of(world)


def test_during_a_rollout_nothing_is_called_and_afterwards_the_champion_gets_it(world: World) -> None:
    submit(world.ports, submission())
    world.run(in_phase(world, Phase.BAKING))
    revise(world.ports, "shop", 3, SETTINGS)

    world.run(ended(world))
    assert counts(world) == []
    world.run(lambda: head_of(world).revision is None, 3600)

    assert counts(world) == [("green", 3)]
    assert world.canary_parts("green") == 10_000


def test_a_lost_race_is_run_again(world: World) -> None:
    commit, lost = world.store.commit, []

    def lose_once(change: object) -> None:
        if not lost:
            lost.append(True)
            raise StaleRecord("somebody else")
        commit(change)  # type: ignore[arg-type]

    ports = replace(world.ports, store=_Losing(world.store, lose_once))
    assert "3 instances instead of 1" in revise(ports, "shop", 3, SETTINGS)
    assert head_of(world).instances == 3


class _Losing:
    def __init__(self, store: object, commit: object) -> None:
        self.head = store.head  # type: ignore[attr-defined]
        self.commit = commit


def test_an_unknown_endpoint_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="'nobody' has no record"):
        revise(world.ports, "nobody", 1, SETTINGS)


class TestAdoption:
    def theirs(self) -> World:
        made = World(variants={"AllTraffic": Variant(1, 1, 1, 1)}, models={"their-model": release("v1")})
        made.configs = {"bootstrap": {"AllTraffic": ConfiguredVariant("their-model", "ml.m5.large")}}
        return made

    def test_what_serves_becomes_champion_and_nothing_is_called(self) -> None:
        world = self.theirs()

        said = adopt(world.ports, "shop", ("AllTraffic", "next"), SETTINGS, 1, release("v1"))

        assert said == "took over endpoint shop: v1 serves from AllTraffic"
        assert world.calls == []
        assert head_of(world).champion.release.smoke == release("v1").smoke, "the whole document, not a tag's"

    @pytest.mark.parametrize(
        ("artifact_faults", "said", "sentence"),
        [((), "v2", "it serves artifact"), (("the artifact of v1 is gone",), "v1", "cannot be adopted: the artifact")],
    )
    def test_what_does_not_hold_is_refused(self, artifact_faults: tuple[str, ...], said: str, sentence: str) -> None:
        world = self.theirs()
        world.artifact_faults = artifact_faults

        with pytest.raises(BadInput, match=sentence):
            adopt(world.ports, "shop", ("AllTraffic", "next"), SETTINGS, 1, release(said))

        assert world.store.head("shop") is None
