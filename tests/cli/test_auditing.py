"""`sluice verify`, `export` and `drill` at the desk: the records are the simulator's, and what is printed about them is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from sluice.cli import audit, drill
from sluice.core.record import encode
from sluice.core.rollout import Phase
from sluice.core.trail import Archive, Kept
from sluice.sim.memory import MemoryStore
from sluice.sim.world import World
from sluice.submit import submit
from tests.builders import release, submission
from tests.cli.conftest import Desk
from tests.cli.test_sessions import session
from tests.worlds import adopted_world

Golden = Callable[[str], None]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """v2 of endpoint shop bakes at 10 %; the command line reads its records."""
    made = adopted_world()
    submit(made.ports, submission())
    made.run(lambda: made.store.head("shop").live.phase is Phase.BAKING)

    @contextmanager
    def records_of(_: object) -> Iterator[MemoryStore]:
        yield made.store

    for module in (audit, drill):
        monkeypatch.setattr(module, "records_of", records_of)
        monkeypatch.setattr(module, "table_time", lambda *_: made.now)
    return made


def kept(world: World) -> tuple[Kept, ...]:
    return tuple(Kept(event.seq, encode(event)) for event in world.store.events("shop"))


def stored(monkeypatch: pytest.MonkeyPatch, table: tuple[Kept, ...], archive: tuple[Kept, ...], *marked: int) -> None:
    monkeypatch.setattr(audit, "table_trail", lambda *_: table)
    monkeypatch.setattr(audit, "archive_bucket_of", lambda _: "shop-dev-audit-1a2b3c4")
    monkeypatch.setattr(audit, "archived_trail", lambda *_: Archive(archive, marked, ()))


@pytest.mark.golden
def test_verify(desk: Desk, world: World, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kept(world)
    stored(monkeypatch, whole, whole[:-1])
    sound = session(desk, [(f"verify dev/shop{more}", {}) for more in ("", " --no-archive", " --json --no-color")])
    forged = replace(whole[2], document={**(whole[2].document or {}), "by": "nobody"})
    stored(monkeypatch, (*whole[:2], forged, *whole[4:]), whole, 1)
    damaged = session(desk, [("verify dev/shop", {}), ("verify dev/shop --json", {})])

    golden("\n".join((sound, damaged)))


def test_export_hands_out_every_event_as_it_is_stored_and_the_last_outcome(desk: Desk, world: World) -> None:
    before = desk.run("export", "dev/shop").out.splitlines()
    world.set_alarm("sluice/sluice/test/shop/green/errors", "ALARM")
    world.run(lambda: world.store.head("shop").live is None)
    *events, outcome = [json.loads(line) for line in desk.run("export", "dev/shop").out.splitlines()]

    assert [json.loads(line)["type"] for line in before] == ["event"] * len(before), "nothing has ended yet"
    assert events == [{"type": "event", **encode(event)} for event in world.store.events("shop")]
    assert (outcome["type"], outcome["endpoint"], outcome["phase"]) == ("outcome", "shop", "rolled_back")
    unknown = desk.run("export", "dev/nowhere")
    assert (unknown.exit_code, unknown.err) == (2, "endpoint 'nowhere' is not known to stack dev (known: shop)\n")


class CloudWatch:
    """Sets alarms off in the world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def set_alarm_state(self, **asked: Any) -> None:
        self.world.set_alarm(asked["AlarmName"], asked["StateValue"], asked["StateReason"])


@pytest.mark.golden
def test_drill(desk: Desk, world: World, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    """In time; then with an endpoint that is busy for longer than was promised; then without a canary."""
    monkeypatch.setattr(drill, "client", lambda _: CloudWatch(world))

    def slept(seconds: float) -> None:
        desk.clock += seconds
        world.run(lambda: False, int(seconds))

    monkeypatch.setattr(desk, "_sleep", slept)
    refused = session(desk, [("drill dev/shop", {})])
    good = session(desk, [("drill dev/shop --yes", {}), ("drill dev/shop --yes", {})])
    world.set_alarm("sluice/sluice/test/shop/green/errors", "OK")
    submit(world.ports, submission(nonce="2", release=release("v3")))
    world.run(lambda: world.store.head("shop").live.phase is Phase.BAKING)
    world.busy_for(300)
    late = session(desk, [("drill dev/shop --yes --json", {})])

    golden("\n".join((refused, good, late)))
