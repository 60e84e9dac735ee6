"""The sweep, every minute: finds rollouts nobody looks at and slots whose time is up. It trusts no clock but its own."""

from __future__ import annotations

from dataclasses import dataclass

from sluice.apply import settle
from sluice.core.begin import begin_queued
from sluice.core.decide import decide
from sluice.core.decision import BUSY_SECONDS, Decision, stay
from sluice.core.errors import EndpointBusy, StaleRecord
from sluice.core.head import Head
from sluice.core.overdue import blind_seconds, clean_up, is_due, sweep
from sluice.core.revision import carry_out
from sluice.core.rollout import Phase, Rollout
from sluice.core.scaling import restore
from sluice.drill import concluded
from sluice.gather import gather, observe_slots
from sluice.ports import Ports

SWEEP_SECONDS = 40
"""The function has 50 s. What is cut off by Lambda cannot say so, and publishes nothing."""
_GOLDEN = 2_654_435_769
"""2^32 divided by the golden ratio: its multiples fall into the largest gap that those before left (Knuth, vol. 3, 6.4)."""
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found: a sentence per endpoint, and how long the most neglected rollout has not been looked at."""

    sentences: tuple[str, ...]
    overdue_seconds: int
    faults: tuple[str, ...]


def sweep_all(ports: Ports) -> Swept:
    """Look after every unfinished endpoint; a fault at one does not keep the others from being looked after."""
    sentences, faults, overdue = [], [], 0
    began, endpoints = ports.now(), ports.store.unfinished()
    for i, endpoint in enumerate(_in_turn(endpoints, began)):
        if i and ports.now() - began >= SWEEP_SECONDS:  # one at least: a slow list must not be all that a sweep does
            faults.append(
                f"{len(endpoints) - i} of {len(endpoints)} endpoints were not looked after within {SWEEP_SECONDS} s: "
                "others come first in the next minute"
            )
            break
        try:
            head = ports.store.head(endpoint)
            if head is None:
                continue
            if head.live is None:
                sentences.append(f"{endpoint}: {_settled(ports, head, _between_rollouts(ports, head))}")
                continue
            heartbeat = ports.store.heartbeat(endpoint)
            good_at = heartbeat.good_at if heartbeat else None
            overdue = max(overdue, blind_seconds(head, good_at, ports.now()))
            sentences.append(f"{endpoint}: {_rollout(ports, head, head.live, good_at)}")
        except Exception as fault:  # one endpoint's trouble is not another's; the handler reports it as a failure
            faults.append(f"{endpoint}: {type(fault).__name__}: {fault}")
    return Swept(tuple(sentences), overdue, tuple(faults))


def _in_turn(endpoints: tuple[str, ...], now: int) -> tuple[str, ...]:
    """From another one on each minute: where the time does not suffice for all, it is not the same ones that are left out."""
    first = (now // _MINUTE * _GOLDEN) % 2**32 * len(endpoints) >> 32
    return (*endpoints[first:], *endpoints[:first])


def _rollout(ports: Ports, head: Head, rollout: Rollout, good_at: int | None) -> str:
    """`good_at`: when a tick last had all its facts, None if none ever had."""
    runs, unseen = _clock_runs(ports, rollout)
    said = _settled(ports, head, sweep(head, good_at, ports.now(), clock_runs=runs))
    if _is_neglected(rollout, good_at, ports.now()):
        said = f"{said}; {_in_place_of_the_tick(ports, head.endpoint)}"
    if unseen is not None:
        raise unseen
    return said


def _clock_runs(ports: Ports, rollout: Rollout) -> tuple[bool | None, Exception | None]:
    """Where the clocks' service is away nothing ticks: that must not keep what only it would have noticed from being taken back."""
    try:
        return ports.clocks.runs(rollout.clock_name), None
    except Exception as fault:  # raised again once the rollout was looked after
        return None, fault


def _settled(ports: Ports, head: Head, decision: Decision) -> str:
    try:
        applied = settle(ports, head, decision, "sweep", {})
    except StaleRecord:
        return "somebody else decided first: looking again in a minute"
    except EndpointBusy:
        return f"{decision.because} (the endpoint is busy: asked again in a minute)"
    return "; ".join((decision.because, *applied.faults))


def _is_neglected(rollout: Rollout, good_at: int | None, now: int) -> bool:
    """A way back that takes longer than was promised, or that nobody has looked at: the tick may be gone, or lack a permission."""
    if rollout.latch is None:
        return False
    promised = rollout.policy.rollback
    late = rollout.phase is Phase.ROLLING_BACK and now - rollout.latch.at > promised.target_seconds
    return late or now - max(good_at or 0, rollout.started_at) > promised.max_blind_seconds


def _in_place_of_the_tick(ports: Ports, endpoint: str) -> str:
    """A way back that was begun is finished, also when nothing ticks any more: once a minute, by the same decision."""
    head = ports.store.head(endpoint)
    if head is None or head.live is None or not head.live.is_latched:
        return "it has ended"
    now = ports.now()
    return _settled(ports, head, decide(head, gather(ports, head, now), now))


def _between_rollouts(ports: Ports, head: Head) -> Decision:
    """What waits to be tried comes first, so that the rest is done only once. Then autoscaling, which what serves runs without;
    then a slot whose time is up: fewer instances to wait for."""
    now = ports.now()
    if head.queued is not None:
        return begin_queued(head, now)
    if head.drill is not None:
        return concluded(ports, head, now)
    due = is_due(head, now)
    if not (head.scaling or head.revision is not None or due):
        return stay(head, "nothing to clean up yet", BUSY_SECONDS)
    seen = observe_slots(ports, head, scaling=bool(head.scaling) or due)
    if head.scaling:
        return restore(head, seen)
    if head.revision is not None and not due:
        return carry_out(head, head.revision, seen, now)
    return clean_up(head, seen, now)
