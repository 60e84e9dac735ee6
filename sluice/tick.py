"""One tick: gather, decide, apply. The Lambda, the simulator and the sandbox all run this function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sluice.apply import Applied, settle
from sluice.core.actions import UpdateEndpoint
from sluice.core.decide import decide
from sluice.core.decision import BAKE_SECONDS, Decision, mirror, stay
from sluice.core.errors import EndpointBusy, StaleRecord
from sluice.core.evidence import Kept, case_of, findings_of
from sluice.core.head import Head
from sluice.core.judge import judge
from sluice.core.observation import Observation
from sluice.core.overdue import hand_over
from sluice.core.prepare import update_was_refused
from sluice.core.record import Document
from sluice.core.revert import blocked_seconds
from sluice.core.rollout import Rollout
from sluice.gather import gather
from sluice.ports import Heartbeat, Ports

CLOCK_TICKS = 2000
"""Ticks of one Step Functions execution before its successor takes over: about ten history events each, 25,000 are allowed."""
_AGAIN_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Ticked:
    """What the clock needs to know: whether it is over, and otherwise when to come back. What stands below `faults` is for metrics:
    the canary's weight asked for and seen, and how long stable had to wait for its traffic, in the tick that saw it back.
    """

    done: bool
    wait_seconds: int
    because: str
    phase: str | None
    release: str | None = None
    faults: tuple[str, ...] = ()
    blocked_seconds: int = 0
    asked_parts: int | None = None
    actual_parts: int | None = None
    restored_seconds: int | None = None


def tick(ports: Ports, endpoint: str, rollout_id: str, generation: int, ticks: int) -> Ticked:
    """One pass over a rollout. A clock whose rollout ended, or whose successor runs, is told that it is done."""
    head = ports.store.head(endpoint)
    if head is None or head.let_go_at is not None or (head.live is not None and head.live.id != rollout_id):
        return Ticked(True, 0, f"rollout {rollout_id} is over", None)
    if head.live is None:
        return _told_again(ports, head, ticks)
    if head.live.clock_generation != generation:
        return Ticked(True, 0, f"clock {generation} of {rollout_id} was replaced by {head.live.clock_generation}", None)
    now = ports.now()
    seen = gather(ports, head, now)
    decision = decide(head, seen, now)
    told = _told(head.live, seen, decision)
    try:
        applied = _apply(ports, head, decision, {**facts_of(seen), **told.facts}, now)
    except StaleRecord:
        return Ticked(
            False,
            _AGAIN_SECONDS,
            "somebody else decided first: looking again",
            head.live.phase.value,
            head.live.release.name,
        )
    rollout, release = applied.head.live, head.live.release.name
    _beat(ports, endpoint, decision, seen, now, told.findings)
    faults = (*applied.faults, *told.faults, *_keep(ports, told.case))
    if rollout is not None and ticks >= CLOCK_TICKS:
        settle(ports, applied.head, hand_over(applied.head), "tick", {})
        return Ticked(True, 0, f"clock {generation} handed over", rollout.phase.value, release, faults)
    phase = rollout.phase.value if rollout else None
    blocked = blocked_seconds(rollout, seen, now) if rollout else 0
    return Ticked(
        rollout is None and not applied.faults,
        decision.wait_seconds,
        decision.because,
        phase,
        release,
        faults,
        blocked,
        rollout.canary_parts if rollout else 0,
        seen.endpoint.parts.get(head.live.to_slot),
        _restored(head.live, rollout),
    )


def _told_again(ports: Ports, head: Head, ticks: int) -> Ticked:
    """The rollout is over, and its clock still runs: who serves may not have been told. Nothing else would make up for that before
    the next rollout, so the clock goes on until it is."""
    over = stay(head, f"no rollout of {head.endpoint} is live", BAKE_SECONDS, mirror(head))
    faults = settle(ports, head, over, "tick", {}).faults
    return Ticked(not faults or ticks >= CLOCK_TICKS, over.wait_seconds, over.because, None, faults=faults)


def _restored(before: Rollout, after: Rollout | None) -> int | None:
    """Seconds from the latch to the weights read back, in the one tick that first saw them; else None."""
    if after is None or after.latch is None or after.latch.weights_back_at is None:
        return None
    if before.latch is not None and before.latch.weights_back_at is not None:
        return None
    return after.latch.weights_back_at - after.latch.at


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of the judging behind a decision: to the heartbeat, to the event, to the archive."""

    findings: tuple[Document, ...] = ()
    case: Kept | None = None
    faults: tuple[str, ...] = ()

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"rows": self.case.digest, "findings": list(self.findings)} if self.case else {}


def _told(rollout: Rollout, seen: Observation, decision: Decision) -> _Told:
    """The decision stands already: what goes wrong in telling why is a fault to report, and must not hold up a rollback."""
    if not seen.rows:
        return _Told()
    try:
        findings = findings_of(judge(rollout.policy, seen.rows, rollout.step))
        return _Told(findings, case_of(rollout, seen.rows, decision.because) if decision.kind else None)
    except Exception as fault:
        return _Told(faults=(f"the evidence of the decision cannot be written down: {fault}",))


def facts_of(seen: Observation) -> Mapping[str, Any]:
    """The facts that a recorded decision rested on, for the audit event. Where rows were judged, it also gets the findings and
    the digest under which the rows are kept."""
    return {
        "status": seen.endpoint.status,
        "config": seen.endpoint.config_name,
        "parts": seen.endpoint.parts,
        "firing": sorted(alarm.name for alarm in seen.alarms.values() if alarm.is_firing),
        "minutes": len(seen.rows),
    }


def _apply(ports: Ports, head: Head, decision: Decision, facts: Mapping[str, Any], now: int) -> Applied:
    """Apply; a busy endpoint is a normal case: weight calls come again by themselves, an update has to be asked for anew."""
    try:
        return settle(ports, head, decision, "tick", facts)
    except EndpointBusy:
        current = ports.store.head(head.endpoint)
        if current is None or current.live is None:
            return Applied(decision.next, ())
        if any(isinstance(action, UpdateEndpoint) for action in decision.actions):
            return settle(ports, current, update_was_refused(current, now), "tick", facts)
        return Applied(current, ("the endpoint is busy: it is asked again in seconds",))


def _keep(ports: Ports, case: Kept | None) -> tuple[str, ...]:
    """After everything else, and never in its way: rows that could not be kept are a fault to report, not to raise."""
    if case is None:
        return ()
    try:
        ports.evidence.keep(case.digest, case.text)
    except Exception as fault:
        return (f"the rows behind the decision could not be kept: {fault}",)
    return ()


def _beat(
    ports: Ports, endpoint: str, decision: Decision, seen: Observation, now: int, findings: tuple[Document, ...]
) -> None:
    beat = Heartbeat(now, now, decision.because, seen.endpoint.parts, seen.endpoint.status, findings)
    ports.store.beat(endpoint, beat)
