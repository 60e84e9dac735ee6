"""Every state change has its event, whatever dies at which call: the trail is compared with every state the store ever held."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from sluice.core.audit import read_head, states
from sluice.core.record import Document, encode
from sluice.core.trail import Kept, check_trail
from sluice.sim.account import Killed
from sluice.sim.strikes import Moment, Strike, kill
from sluice.sim.turmoil import Turmoil
from sluice.submit import submit
from tests.tick.incidents import CALLS, made, next_submission

LONG = 3 * 3600
"""Longer than a whole rollout of the quick policy."""


class Watcher:
    """Notes every head record the store ever held, as a text, looking after every step of the world."""

    def __init__(self, world: Turmoil) -> None:
        self.world = world
        self.states: list[Document] = []
        self._last: Document | None = None

    def look(self) -> bool:
        document = self.world.store.heads[self.world.endpoint]
        if document is not self._last:  # every commit stores a document of its own
            self._last = document
            self.states.append(json.loads(json.dumps(document)))
        return False


ELSEWHERE = {
    "endpoints.set_instances",
    "endpoints.found",
    "scaling.register",
    "scaling.deregister",
    "mirrors.read",
}
"""Not called in these two rollouts: there is no autoscaling, the table is there, and no slot is revised. `test_scaling` kills there."""
SELDOM = {
    "endpoints.ensure_model",
    "endpoints.ensure_config",
    "endpoints.update",
    "endpoints.smoke",
    "alarms.force",
    "evidence.keep",
    "clocks.start",
}
"""Called once or twice in a rollout."""
ONCE = {"hooks.ask", "hooks.tell"}
STRUCK = [
    (call, nth)
    for call in CALLS
    if call not in ELSEWHERE
    for nth in ((1,) if call in ONCE else (1, 2) if call in SELDOM else (1, 5))
]


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize(("call", "nth"), STRUCK)
def test_every_state_ever_stored_is_what_its_events_lead_to(call: str, moment: Moment, nth: int) -> None:
    """One rollout goes up and the next comes back by its alarm, while functions are killed at the nth such call, and twice after."""
    world, _ = made()
    watcher = Watcher(world)
    watcher.look()
    strike = Strike(call, moment, kill, nth, times=3)
    world.strikes.append(strike)

    for harmful in (False, True):
        with suppress(
            Killed
        ):  # where the submission itself is what is killed, `up` fails, and the next one is another try
            submit(world.ports, next_submission(world))
        watcher.look()
        world.traffic.error_rate = {"green": 0.5, "blue": 0.5} if harmful else {}
        world.live(LONG, watcher.look)
    world.heal()
    world.live(1800, watcher.look)

    events = world.store.log[world.endpoint]
    assert strike.times < 3, "a function was killed there"
    assert len(watcher.states) > 1
    led_to = {event.seq: head for event, head in states(events)}
    for state in watcher.states:
        assert led_to.get(state["version"]) == read_head(state), f"state {state['version']} has another event, or none"
    versions = [state["version"] for state in watcher.states]
    assert versions == sorted(set(versions)), "two states under one event"
    kept = [Kept(event.seq, encode(event)) for event in events]
    assert check_trail(world.endpoint, kept, world.store.head(world.endpoint), None, world.now).damages == ()
