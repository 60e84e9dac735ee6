"""An account in which the functions run as they should: ticks at their own pace, the sweep every minute, events a moment later.

Decides who runs when; the functions are the real use cases. Where it goes wrong is `turmoil`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sluice.alarm import on_alarm
from sluice.core.errors import SluiceError
from sluice.sim.account import Account
from sluice.sweep import Swept, sweep_all
from sluice.tick import Ticked, tick

_MINUTE = 60


@dataclass(slots=True)
class World(Account):
    """Call `run`, or one function at a time."""

    def tick(self) -> Ticked:
        """One tick of the live rollout, as its clock would do it."""
        head = self.store.head(self.endpoint)
        if head is None or head.live is None:
            return Ticked(True, 0, "no rollout is live", None)
        return tick(self.ports, self.endpoint, head.live.id, head.live.clock_generation, 0)

    def deliver(self) -> None:
        """The alarm function on everything queued; what fails stays queued, as with SQS."""
        for event in list(self.queue):
            try:
                handled = on_alarm(self.ports, replace(event, taken_at=self.now), redelivered=False)
            except SluiceError:
                continue
            if not any(done.fault for done in handled):
                self.queue.remove(event)

    def sweep(self) -> Swept:
        return sweep_all(self.ports)

    def run(self, until: Callable[[], bool], limit_seconds: int = 8 * 3600) -> list[str]:
        """Ticks at their own pace, deliveries every few seconds, the sweep every minute. The sentences, in order."""
        said, end, next_tick = [], self.now + limit_seconds, self.now
        while self.now < end and not until():
            if self.queue:
                self.deliver()
            if self.now >= next_tick and self.clocks_running:
                ticked = self.tick()
                said.append(ticked.because)
                next_tick = self.now + max(ticked.wait_seconds, 1)
            if self.now % _MINUTE == 0:
                self.sweep()
            self.pass_seconds(self._stride(next_tick))
        return said

    def _stride(self, next_tick: int) -> int:
        """Seconds until something can happen."""
        if self.queue:
            return 1
        minute = _MINUTE - self.now % _MINUTE
        settles = self.settles_at - self.now if self.settles_at is not None else minute
        return max(1, min(next_tick - self.now if self.clocks_running else minute, minute, settles))
