"""A world that runs by itself and in which anything may go wrong: functions are killed, calls fail, events get lost, people interfere.

Decides who runs when, with the retries that Step Functions, SQS and EventBridge give. The functions are the real use cases.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sluice.alarm import on_alarm
from sluice.core.actions import SetWeights, StartClock
from sluice.core.errors import EndpointBusy, StaleRecord
from sluice.core.judge.rails import BREACHES, WINDOW_MINUTES
from sluice.core.names import parse_alarm_name
from sluice.core.observation import DELETED, AlarmFacts, EndpointFacts
from sluice.core.reaction import AlarmEvent
from sluice.ports import Ports, StoreUnavailable
from sluice.sim.account import Account, Killed
from sluice.sim.alarms import breaches
from sluice.sim.strikes import CallFailed, Strike, fail, struck
from sluice.sweep import Swept, sweep_all
from sluice.tick import Ticked, tick

RETRY_SECONDS, RETRIES = 5, 60
"""The state machine's: five minutes, then the execution fails and the clock is gone."""
REDELIVERY_SECONDS = 12
_MINUTE = 60
_EXPECTED = (CallFailed, StoreUnavailable, EndpointBusy, StaleRecord)
"""What may end a function when the world is in turmoil. Anything else is a fault of ours."""


@dataclass(slots=True)
class Clock:
    """One execution of the state machine."""

    rollout: str
    generation: int
    next_at: int
    ticks: int = 0
    retries: int = 0


@dataclass(slots=True)
class Message:
    """One alarm event in the queue."""

    event: AlarmEvent
    visible_at: int
    received: int = 0


@dataclass(slots=True)
class Turmoil(Account):
    """`strikes` hit calls; `copies` and `late_seconds` are what happens to alarm events."""

    strikes: list[Strike] = field(default_factory=list)
    copies: int = 1
    late_seconds: int = 0
    table_down_until: int = 0
    writes_down_until: int = 0
    stale_until: int = 0
    stale_seconds: int = 0
    skew_seconds: int = 0
    clocks_start: bool = True
    executions: dict[str, Clock] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    said: list[tuple[int, str, str]] = field(default_factory=list)
    on_weights: Callable[[SetWeights], None] = lambda _: None
    _steered: tuple[int, int, Mapping[str, int]] | None = None
    _past: deque[tuple[int, EndpointFacts]] = field(default_factory=deque)

    # What the functions see

    @property
    def ports(self) -> Ports:
        ports = super(Turmoil, self).ports  # slots lose the plain super()
        return struck(replace(ports, now=lambda: self.now + self.skew_seconds), self.strikes)

    def describe(self, endpoint: str) -> EndpointFacts:
        facts = Account.describe(self, endpoint)
        if self.now >= self.stale_until:
            return facts
        return next((old for at, old in reversed(self._past) if at <= self.now - self.stale_seconds), facts)

    def set_weights(self, action: SetWeights) -> None:
        self.on_weights(action)
        if self.status == "InService" and not action.parts.keys() <= self.variants.keys():
            raise CallFailed("could not find a variant")
        Account.set_weights(self, action)

    def start(self, action: StartClock) -> None:
        if not self.clocks_start:
            raise CallFailed("the state machine does not exist")
        generation = int(action.name.rpartition("-g")[2])
        self.executions.setdefault(action.name, Clock(action.rollout_id, generation, self.now))

    def runs(self, name: str) -> bool:
        return name in self.executions

    def set_alarm(
        self, name: str, state: str, reason: str = "threshold crossed", rehearsal_of: str | None = None
    ) -> None:
        before = self.alarm_states[name]
        if before.state in (state, None):
            return
        self.alarm_states[name] = replace(before, state=state, since=self.now)
        if state == "ALARM":
            event = AlarmEvent(name, state, self.now, reason, rehearsal_of)
            self.messages += [Message(event, self.now + 1 + self.late_seconds) for _ in range(self.copies)]

    # Time

    def live(self, seconds: int, until: Callable[[], bool] = lambda: False) -> None:
        """Let everything run that is due, for so long or until something is so, which is asked after every step."""
        end = self.now + seconds
        while self.now < end and not until():
            self._table()
            self._steer()
            self.run_due()
            self.pass_seconds(max(1, min(self._next(), end) - self.now))
            self._remember()

    def run_due(self) -> None:
        """The functions whose time has come; a second time for those that ask for it at once."""
        self.run_messages()
        self.run_clocks()
        if self.now % _MINUTE == 0:
            self.evaluate()
            self.sweep()

    def run_messages(self) -> None:
        for message in [m for m in self.messages if m.visible_at <= self.now]:
            self.deliver_one(message)

    def run_clocks(self) -> None:
        for name, clock in list(self.executions.items()):
            while name in self.executions and clock.next_at <= self.now:
                self.tick_one(name, clock)

    def deliver_one(self, message: Message) -> None:
        message.received += 1
        message.visible_at = self.now + REDELIVERY_SECONDS
        ended, said = self.invoke(
            "alarm", lambda: on_alarm(self.ports, message.event, redelivered=message.received > 1)
        )
        if ended and message in self.messages:
            self.messages.remove(message)
            self.said += [(self.now, "alarm", sentence) for sentence in said]

    def tick_one(self, name: str, clock: Clock) -> None:
        ended, ticked = self.invoke(
            "tick", lambda: tick(self.ports, self.endpoint, clock.rollout, clock.generation, clock.ticks)
        )
        if not ended:
            clock.retries, clock.next_at = clock.retries + 1, self.now + RETRY_SECONDS
            if clock.retries > RETRIES:
                self.executions.pop(name, None)
            return
        assert isinstance(ticked, Ticked)
        self.said.append((self.now, "tick", ticked.because))
        clock.retries, clock.ticks, clock.next_at = 0, clock.ticks + 1, self.now + ticked.wait_seconds
        if ticked.done:
            self.executions.pop(name, None)

    def sweep(self) -> Swept:
        ended, swept = self.invoke("sweep", lambda: sweep_all(self.ports))
        if not ended:
            return Swept((), 0, ("the sweep was killed",))
        assert isinstance(swept, Swept)
        names = [kind.__name__ for kind in _EXPECTED]
        self.surprises += [fault for fault in swept.faults if not any(f": {name}:" in fault for name in names)]
        self.said += [(self.now, "sweep", sentence) for sentence in swept.sentences]
        return swept

    def evaluate(self) -> None:
        """CloudWatch looks at its alarms: the last whole minutes."""
        newest = self.now // _MINUTE * _MINUTE - _MINUTE
        minutes = range(newest - _MINUTE * (WINDOW_MINUTES - 1), newest + 1, _MINUTE)
        for name, facts in list(self.alarm_states.items()):
            parsed = parse_alarm_name(name)
            if parsed is None or facts.state is None or facts.evaluation_state is not None:
                continue
            bad = sum(breaches(self.traffic, parsed.slot, parsed.metric, minute) for minute in minutes)
            self.set_alarm(name, "ALARM" if bad >= BREACHES else "OK")

    def weights_truth(self, *, desired: bool = False) -> dict[str, int]:
        """Where traffic goes, or was last asked to go, whatever stale reads show."""
        facts = Account.describe(self, self.endpoint)
        return facts.desired_parts if desired else facts.parts

    def invoke(self, name: str, call: Callable[[], Any]) -> tuple[bool, Any]:
        """Run a function; whether it ended by itself, and with what."""
        try:
            return True, call()
        except Killed:
            self.said.append((self.now, name, "killed"))
        except _EXPECTED as fault:
            self.said.append((self.now, name, f"failed: {fault}"))
        except Exception as fault:
            self.surprises.append(f"{self.now} {name}: {type(fault).__name__}: {fault}")
        return False, None

    def _next(self) -> int:
        """When something can happen next."""
        minute = self.now + _MINUTE - self.now % _MINUTE
        due = [m.visible_at for m in self.messages] + [c.next_at for c in self.executions.values()]
        return min([minute, *due, *([self.settles_at] if self.settles_at is not None else [])])

    def _table(self) -> None:
        self.store.refuses_reads = self.now < self.table_down_until
        self.store.refuses_writes = self.now < max(self.table_down_until, self.writes_down_until)

    def _remember(self) -> None:
        self._past.append((self.now, Account.describe(self, self.endpoint)))
        while self._past and self._past[0][0] < self.now - 5 * _MINUTE:
            self._past.popleft()

    # Faults

    def fail(self, call: str) -> None:
        """A strike's effect: the call fails, and what was to be written counts as refused."""
        self.store.refused += call == "store.commit"
        fail(call)

    def occupy(self, seconds: int, status: str = "Updating") -> None:
        """Somebody else's update, or ours that takes longer than it should."""
        if self.status == "InService":
            self.busy_for(seconds, status)
        else:
            self.settles_at = (self.settles_at or self.now) + seconds

    def in_console(self, **parts: int) -> bool:
        """A person changes weights in the console; a busy endpoint refuses. Whether it was taken."""
        if self.status != "InService" or not all(slot in self.variants for slot in parts):
            return False
        self.console_change(**parts)
        return True

    def steer(self, every_seconds: int, parts: Mapping[str, int]) -> None:
        """Somebody else's script sets these weights from now on, as often as that, wherever the endpoint takes them."""
        self._steered = self.now, every_seconds, parts

    def _steer(self) -> None:
        if self._steered is not None and self.now >= self._steered[0]:
            _, every, parts = self._steered
            self._steered = self.now + every, every, parts
            self.in_console(**parts)

    def lose_instances(self, slot: str) -> None:
        if slot in self.variants:
            self.variants[slot] = replace(self.variants[slot], current_instances=0)

    def delete_endpoint(self) -> None:
        """A person deletes it; describing it answers that it does not exist."""
        self.status, self.settles_at, self._target, self.config_name = DELETED, None, None, ""
        self.variants = {}

    def find_instances(self) -> None:
        self.variants = {name: replace(v, current_instances=v.desired_instances) for name, v in self.variants.items()}

    def heal(self) -> None:
        """The turmoil is over: no strikes, no outages, no errors. What people did, and what is on its way, stays."""
        self.strikes.clear()
        self.copies, self.late_seconds = 1, 0
        self.table_down_until = self.writes_down_until = self.stale_until = 0
        self.skew_seconds = 0
        self.clocks_start, self.falls_back, self.smoke_fault = True, False, None
        self.traffic.error_rate.clear()
        self.find_instances()
        self.alarm_states = {name: _healthy(facts) for name, facts in self.alarm_states.items()}


def _healthy(facts: AlarmFacts) -> AlarmFacts:
    return replace(facts, state=facts.state or "OK", evaluation_state=None)
