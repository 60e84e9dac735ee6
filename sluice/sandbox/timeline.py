"""What happened, as it happened: every sentence the control plane said, with the canary's weight asked for and actual."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from sluice.core.head import Head
from sluice.sandbox.cloud.functions import LogLine
from sluice.sandbox.cloud.gate import Call
from sluice.sandbox.sandbox import PROJECT, STACK, Sandbox

_SPEAKERS = ("submit", "tick", "alarm", "command")
"""The sweep's log is about all endpoints; of what it says only what it changed is noted, from the records."""
SWEEP, NOTE = "sweep", "note"
_CLOCKS = {"clock_restarted": "its clock does not run: starting the next one"}
"""Such an event keeps the sentence of what the rollout does."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence. Weights are the canary's, in parts; `said_by` is the function, or NOTE for what happened to it."""

    at: datetime
    said_by: str
    release: str | None
    phase: str
    asked_parts: int
    actual_parts: int
    sentence: str


@dataclass(slots=True)
class Timeline:
    """Follows one endpoint. Call `look` between events; it costs nothing while nobody speaks."""

    sandbox: Sandbox
    endpoint: str
    lines: list[Line] = field(default_factory=list)
    _heard: dict[str, int] = field(default_factory=dict)
    _calls: int = 0
    _events: int = 0

    def look(self) -> None:
        """Note every sentence said since the last look, what the sweep changed, and who was killed."""
        for speaker in _SPEAKERS:
            function = f"{PROJECT}-{STACK}-{speaker}"
            log = self.sandbox.cloud.functions.logs.get(function, [])
            for line in log[self._heard.get(function, 0) :]:
                self._hear(speaker, line)
            self._heard[function] = len(log)
        calls = self.sandbox.cloud.gate.calls
        for at in range(self._calls, len(calls)):
            self._see(calls[at])
        self._calls = len(calls)

    def note(self, sentence: str) -> None:
        """A line about what happened to the system, not said by it."""
        self._add(self.sandbox.cloud.clock.now(), NOTE, sentence, None)

    def _hear(self, speaker: str, line: LogLine) -> None:
        said = _structured(line.text)
        if said is None or said.get("endpoint") != self.endpoint:
            return
        head = self.sandbox.store.head(self.endpoint)
        if head is not None:
            self._add(line.at, speaker, str(said["message"]), head)

    def _see(self, call: Call) -> None:
        word = call.function.removeprefix(f"{PROJECT}-{STACK}-")
        if call.outcome == "FunctionKilled":
            moment = "after" if call.effective else "before"
            self._add(call.at, NOTE, f"{word} is killed {moment} {call.operation}", None)
        if word != SWEEP or call.operation != "TransactWriteItems" or not call.effective:
            return
        head = self.sandbox.store.head(self.endpoint)
        for event in self.sandbox.store.events(self.endpoint, self._events + 1) if head else ():
            if event.by == SWEEP:
                self._add(call.at, SWEEP, _CLOCKS.get(event.kind, event.because), head)
            self._events = event.seq

    def _add(self, at: datetime, said_by: str, sentence: str, head: Head | None) -> None:
        rollout, outcome = (head.live, head.outcome) if head else (None, None)
        phase = rollout.phase.value if rollout else outcome.phase.value if outcome else "idle"
        release = rollout.release.name if rollout else outcome.release_name if outcome else None
        asked, slot = _canary(head) if head else (0, None)
        self.lines.append(Line(at, said_by, release, phase, asked, self._actual(slot), sentence))

    def _actual(self, slot: str | None) -> int:
        weights = {route.slot: route.weight for route in self.sandbox.meters.endpoints.routes(self.endpoint)}
        total = sum(weights.values())
        return round(10_000 * weights.get(slot or "", 0.0) / total) if total else 0


def _structured(text: str) -> dict[str, object] | None:
    """A Powertools log line; None for EMF metrics and anything else."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return said if isinstance(said, dict) and "message" in said and said.get("level") == "INFO" else None


def _canary(head: Head) -> tuple[int, str | None]:
    """The canary's weight asked for and its slot; after the end, of the slot that was tried last."""
    if head.live is not None:
        return head.live.canary_parts, head.live.to_slot
    outcome = head.outcome
    if outcome is not None and outcome.release_digest == head.champion.release.digest:
        return 10_000, head.champion.slot
    other = next((slot for slot in head.slots if slot != head.champion.slot), None)
    return 0, other
