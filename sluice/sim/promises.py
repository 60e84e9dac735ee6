"""The promises of the design, watched over a world in turmoil. Every breach is a sentence; none is the only good answer.

Reads the world's truth, never what a use case believes. Promise 8 (`pulumi up` moves nothing) needs the program: see tests/acceptance.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sluice.core.actions import SetWeights
from sluice.core.audit import Event, chain_faults, event_hash, read_head, replay
from sluice.core.blame import alarm_names
from sluice.core.conditions import frozen
from sluice.core.head import Head
from sluice.core.rollout import ENDED, Phase, Rollout
from sluice.core.weights import WHOLE
from sluice.sim.turmoil import Turmoil

FLIGHT_SECONDS = 20
"""A raise that was checked may still be on its way for so long: what a rollback waits for (`revert.UNDO_SECONDS`)."""
_MINUTE = 60


@dataclass(slots=True)
class Promises:
    """Call `look` after every step, and `in_the_end` when everything has healed and ended."""

    world: Turmoil
    breaches: list[str] = field(default_factory=list)
    _ours: dict[str, int] = field(default_factory=dict)
    _person_at: int | None = None
    _removed: bool = False
    _seen: int = 0
    _chain: str | None = None
    _refused: int = 0

    def __post_init__(self) -> None:
        self.world.on_weights = self._weights_asked
        self._ours = self.world.weights_truth()

    def person_changed(self, *, removed: bool = False) -> None:
        """Weights; or a slot is `removed`, which leaves nothing to promise of it."""
        self._person_at, self._removed = self.world.now, self._removed or removed

    def looked(self) -> bool:
        """Look, as a step's stop condition: the first breach is enough."""
        self.look()
        return bool(self.breaches)

    def look(self) -> None:
        self._surprises()
        parts = self.world.weights_truth()
        self._hold(sum(parts.values()) == WHOLE, f"1: weights are {parts}")
        self._audit()
        head = self._head()
        if head is not None and head.live is not None:
            self._live(head.live, parts)
        self._refused = self.world.store.refused

    def in_the_end(self) -> None:
        """After healing and the longest of all deadlines."""
        self.look()
        head = self._head()
        if head is None:
            return
        if head.live is not None:
            self._hold(False, f"4: rollout {head.live.id} never ended: {head.live.phase}: {head.live.because}")
            return
        events = list(self.world.store.events(self.world.endpoint))
        self._hold(not chain_faults(events), f"7: {chain_faults(events)}")
        self._hold(replay(events) == head, "7: replaying the events does not give the stored state")
        if head.outcome is not None and head.outcome.phase in ENDED and self._person_at is None:
            parts = self.world.weights_truth()
            self._hold(
                parts.get(head.champion.slot) == WHOLE,
                f"3: after {head.outcome.phase} {head.champion.slot} has {parts}, not everything",
            )
        if not self._removed:
            self._champion_is_what_serves(head)
        suspended = [target.slot for target in self.world.scalable.values() if target.suspended]
        self._hold(not (head.scaling or suspended), f"autoscaling was not put back: {suspended} suspended")

    # One promise each

    def _weights_asked(self, action: SetWeights) -> None:
        world, parts = self.world, dict(action.parts)
        truth = world.weights_truth(desired=True)
        self._hold(sum(parts.values()) == WHOLE, f"1: asked for {parts}")
        head = self._head()
        rollout = head.live if head else None
        if world.status != "InService":
            return
        if rollout is None:
            self._hold(not action.is_raise, f"3: {parts} was asked for although no rollout is live")
        elif action.is_raise:
            self._raise_asked(action, rollout, truth)
        elif not rollout.is_latched and not self._alarmed(rollout) and not self._unrecorded(rollout, parts):
            same = {slot: part for slot, part in parts.items() if part} == {s: p for s, p in truth.items() if p}
            self._hold(same, f"10: {parts} was asked for in {rollout.phase}, nobody latched, weights were {truth}")
        self._ours = parts

    def _unrecorded(self, rollout: Rollout, parts: dict[str, int]) -> bool:
        """A way back whose latch the table did not take."""
        return self.world.store.refused > self._refused and parts.get(rollout.to_slot, 0) == 0

    def _raise_asked(self, action: SetWeights, rollout: Rollout, truth: dict[str, int]) -> None:
        now, canary = self.world.now, action.parts[rollout.to_slot]
        if rollout.is_latched:
            latched_at = rollout.latch.at if rollout.latch else now
            self._hold(now - latched_at <= FLIGHT_SECONDS, f"3: raised {now - latched_at} s after the latch")
            return
        most, limited = rollout.current_step.weight_parts, rollout.policy.harm_budget is not None
        self._hold(0 < canary <= most and (limited or canary == most), f"2: raised to {canary} in step {rollout.step}")
        known = ({s: p for s, p in self._ours.items() if p}, {s: p for s, p in action.parts.items() if p})
        self._hold({s: p for s, p in truth.items() if p} in known, f"10: raised over a person's {truth}")
        self._verified(rollout)

    def _verified(self, rollout: Rollout) -> None:
        world = self.world
        configured = world.configs[world.config_name].get(rollout.to_slot)
        held = world.models.get(configured.model_name) if configured is not None else None
        self._hold(held == rollout.release, f"6: {rollout.to_slot} holds {configured}, not {rollout.release.name}")
        self._hold(
            rollout.prepared is not None and rollout.prepared.smoke_passed_at is not None,
            "6: traffic without a smoke test",
        )
        rehearsed = rollout.rehearsal is not None and rollout.rehearsal.answered_at is not None
        self._hold(rehearsed, "6: traffic without a rehearsal")

    def _live(self, rollout: Rollout, parts: dict[str, int]) -> None:
        allowed = rollout.policy.steps[rollout.step].weight_parts if rollout.step >= 0 else 0
        canary = parts.get(rollout.to_slot, 0)
        if self._person_at is None:
            self._hold(canary <= allowed, f"2: {canary} parts in step {rollout.step} of {allowed}")
        self._hold(
            self._removed or rollout.from_slot in self.world.variants, f"9: stable's slot {rollout.from_slot} is gone"
        )

    def _audit(self) -> None:
        """The events that are new: in order, chained, and each step up with its evidence."""
        log = self.world.store.log.get(self.world.endpoint, [])
        for event in log[self._seen :]:
            self._hold(event.seq == self._seen + 1, f"7: event {event.seq} follows {self._seen}")
            self._hold(self._chain in (None, event.previous), f"7: event {event.seq} does not continue the chain")
            self._hold(event_hash(event) == event.hash, f"7: event {event.seq} was altered")
            self._seen, self._chain = event.seq, event.hash
            if event.kind == Phase.SHIFTING.value:
                self._step_up(event)
        head = self._head()
        self._hold(head is None or head.version == self._seen, "7: the head is not at its last event")

    def _step_up(self, event: Event) -> None:
        """Promise 5, judged by the truth at the time of the event. A step that a person forced is theirs; its rehearsal is not waived."""
        log = self.world.store.log[self.world.endpoint]
        before, after = (replay(e for e in log if e.seq < event.seq + more) for more in (0, 1))
        assert before is not None
        assert before.live is not None
        rollout = before.live
        if rollout.orders.force is not None:
            return
        self._permitted(event, before, rollout, after.live if after else None)
        for name in alarm_names(rollout):
            facts = self.world.alarm_states[name]
            good = facts.state == "OK" or facts.since >= event.at - 1
            self._hold(good, f"5: stepped up with alarm {name} {facts.state}")
        if rollout.step >= 0 and rollout.applied_at is not None:
            first = -(-rollout.applied_at // _MINUTE) * _MINUTE
            trials = self.world.traffic.trials(rollout.to_slot, range(first, event.at, _MINUTE))
            self._hold(trials >= rollout.policy.min_samples, f"5: stepped up after {trials} requests")

    def _permitted(self, event: Event, before: Head, rollout: Rollout, after: Rollout | None) -> None:
        """No stop, no freeze, no pause, and somebody's agreement to exactly this step where one is needed."""
        assert after is not None
        self._hold(rollout.orders.pause is None, "5: stepped up although a person paused it")
        if rollout.is_emergency:
            return
        self._hold(before.stop is None, "5: stepped up under a stop")
        self._hold(frozen(rollout.policy.freeze, event.at) is None, "5: stepped up in a freeze")
        approved = rollout.orders.approved
        agreed = after.current_step.approval is None or (approved is not None and approved.step == after.step)
        self._hold(agreed, f"5: stepped up to step {after.step} without its approval")

    def _champion_is_what_serves(self, head: Head) -> None:
        world = self.world
        configured = world.configs[world.config_name].get(head.champion.slot)
        self._hold(configured is not None, f"champion slot {head.champion.slot} is not on the endpoint")
        if configured is not None:
            served = world.models[configured.model_name]
            self._hold(
                served == head.champion.release, f"{served.name} serves, {head.champion.release.name} is champion"
            )

    def _surprises(self) -> None:
        self.breaches += [f"surprise: {surprise}" for surprise in self.world.surprises]
        self.world.surprises.clear()

    def _alarmed(self, rollout: Rollout) -> bool:
        """An alarm of the canary is a reason to take it back also when the latch could not be written (`recorded_late`)."""
        own = rollout.alarms[rollout.to_slot]
        return any(self.world.alarm_states[name].is_firing for name in (*own.relative, *own.rails))

    def _head(self) -> Head | None:
        document = self.world.store.heads.get(self.world.endpoint)
        return read_head(document) if document else None

    def _hold(self, holds: bool, breach: str) -> None:
        if not holds:
            self.breaches.append(f"at {self.world.now}: promise {breach}")
