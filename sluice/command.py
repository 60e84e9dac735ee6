"""What people ask of a rollout: how it stands, what happened, and to take it back. Going back is refused in no phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sluice.apply import LOST_RACES, settle
from sluice.core.audit import Event
from sluice.core.decision import Decision, with_clock
from sluice.core.errors import BadInput, EndpointBusy, Refused, StaleRecord
from sluice.core.estimate import headline
from sluice.core.head import Head
from sluice.core.obstacles import Kind, Obstacle, obstacles
from sluice.core.outlook import between_rollouts, next_event
from sluice.core.record import Document, encode
from sluice.core.release import Release
from sluice.core.resubmission import kept_releases
from sluice.core.revert import roll_back
from sluice.core.rollout import Rollout
from sluice.ports import Heartbeat, Ports
from sluice.premise import known_head, need_reason

ANSWER_SCHEMA = 1
"""Version of the answers. Adding a key is fine; changing or removing one raises it, and readers refuse what they do not know."""
HISTORY_LIMIT = 200
"""Events in one answer: a few hundred bytes each, far below the 6 MB that Lambda answers with."""
_RECENT = 10
"""Events among which the last sentence is looked for: refusals may have come after it."""
NO_FACTS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class _Seen:
    """The endpoint now, as SageMaker describes it; or why it could not be seen."""

    status: str | None
    parts: dict[str, int] | None
    desired_parts: dict[str, int] | None
    fault: str | None


def status(ports: Ports, endpoint: str) -> Document:
    """What serves, what is being tried, why it waits, what comes next and how to stop it, and how the last rollout ended."""
    head = known_head(ports, endpoint)
    now, seen, heartbeat = ports.now(), _look(ports, endpoint), ports.store.heartbeat(endpoint)
    in_the_way = obstacles(head, now)
    return {
        **_answer(endpoint),
        "now": now,
        "live": _release(head.champion.release),
        "slot": head.champion.slot,
        "seen": encode(seen),
        "rollout": _rollout(ports, head, head.live, heartbeat, seen, in_the_way) if head.live else None,
        "next": None if head.live else between_rollouts(head, now),
        "stop": encode(head.stop) if head.stop else None,
        "queued": {**_release(head.queued.release), "submitted_by": head.queued.submitted_by} if head.queued else None,
        "obstacles": [encode(each) for each in in_the_way],
        "kept": [_release(release) for release in kept_releases(head)],
        "last_outcome": encode(head.outcome) if head.outcome else None,
        "drilled_at": head.drilled_at,
        "heartbeat": encode(heartbeat) if heartbeat else None,
    }


def history(ports: Ports, endpoint: str, limit: int, before: int | None = None) -> Document:
    """The newest `limit` audit events, or those before an event number; oldest first. `older` is the `before` of the page before."""
    faults = []
    if not 1 <= limit <= HISTORY_LIMIT:
        faults.append(f"limit: must be 1 to {HISTORY_LIMIT}, got {limit}")
    if before is not None and before < 1:
        faults.append(f"before: must be an event number, 1 or more, got {before}")
    if faults:
        raise BadInput(tuple(faults))
    head = known_head(ports, endpoint)
    last = min(head.version, (before or head.version + 1) - 1)
    first = max(1, last - limit + 1)
    found = ports.store.events(endpoint, first, last) if last else ()
    shown = ("seq", "at", "kind", "by", "rollout", "because")
    return {
        **_answer(endpoint),
        "events": [{key: getattr(event, key) for key in shown} for event in found],
        "newest": head.version,
        "older": first if first > 1 else None,
    }


def explain(ports: Ports, endpoint: str) -> Document:
    """What the judge last found, metric by metric: at the last look of the live rollout, or at the newest recorded decision."""
    head = known_head(ports, endpoint)
    answer = {**_answer(endpoint), "now": ports.now()}
    beat, live = ports.store.heartbeat(endpoint), head.live
    if live is not None and beat is not None and beat.findings and beat.at >= live.started_at:
        looked = {"rollout": live.id, "at": beat.at, "because": beat.because, "event": None, "rows": None}
        return {**answer, **looked, "findings": list(beat.findings)}
    event = _last_judged(ports, head)
    if event is None:
        return {**answer, **dict.fromkeys(("rollout", "at", "because", "event", "rows")), "findings": []}
    told = {"rollout": event.rollout, "at": event.at, "because": event.because, "event": event.seq}
    judged = {"rows": event.facts["rows"], "findings": list(event.facts["findings"])}
    return {**answer, **told, **judged, "since": _without_a_judge(head, event)}


def _without_a_judge(head: Head, judged: Event) -> Document | None:
    """The rollout that ended, or began, since then without that anything was judged: an alarm or a person was faster."""
    if head.live is not None and head.live.id != judged.rollout:
        return {"rollout": head.live.id, "at": head.live.phase_since, "because": head.live.because}
    ended = head.outcome
    if ended is None or ended.rollout_id == judged.rollout:
        return None
    return {"rollout": ended.rollout_id, "at": ended.ended_at, "because": ended.because}


def _last_judged(ports: Ports, head: Head) -> Event | None:
    """The newest event that rests on judged rows, among as many as one answer of `history` has."""
    events = ports.store.events(head.endpoint, max(1, head.version - HISTORY_LIMIT + 1), head.version)
    return next((event for event in reversed(list(events)) if "findings" in event.facts), None)


def abort(ports: Ports, endpoint: str, by: str, reason: str, facts: Mapping[str, Any] = NO_FACTS) -> str:
    """End a rollout in any phase; stable takes everything. The release may be tried again."""
    return _take_back(ports, endpoint, by, reason, facts, harmful=False)


def rollback(ports: Ports, endpoint: str, by: str, reason: str, facts: Mapping[str, Any] = NO_FACTS) -> str:
    """Take the live rollout back in any phase, also in its soak. The release is quarantined: a person saw harm."""
    return _take_back(ports, endpoint, by, reason, facts, harmful=True)


def taken_back(endpoint: str, sentence: str) -> Document:
    """The answer to `abort` and `rollback`, and to everything else that people tell a rollout."""
    return {**_answer(endpoint), "result": sentence}


def _take_back(ports: Ports, endpoint: str, by: str, reason: str, facts: Mapping[str, Any], *, harmful: bool) -> str:
    """Refused only when there is nothing to take back: no policy, stop, freeze or approval stands in the way down."""
    need_reason(reason)
    word = "rolled back" if harmful else "aborted"
    for _ in range(LOST_RACES):
        head = known_head(ports, endpoint)
        if head.live is None:
            raise Refused(
                f"endpoint {head.endpoint!r}: no rollout is live, {head.champion.release.name} serves. "
                "To go back to a release that served before: `rollback --to RELEASE`."
            )
        decision = _at_once(roll_back(head, ports.now(), by, f"{word} by {by}: {reason}", harmful=harmful))
        try:
            settle(ports, head, decision, by, {"reason": reason, **facts})
        except StaleRecord:
            continue
        except EndpointBusy:
            return f"{decision.because} (the endpoint is busy: it is asked again every few seconds until it takes the call)"
        return decision.because
    raise StaleRecord(f"endpoint {endpoint!r}: its record keeps changing: ask again")


def _at_once(decision: Decision) -> Decision:
    """With a fresh clock, which looks whether the weights are back: the old one may be waiting out a bake or a soak."""
    return with_clock(decision) if decision.kind else decision


def _rollout(
    ports: Ports,
    head: Head,
    rollout: Rollout,
    heartbeat: Heartbeat | None,
    seen: _Seen,
    in_the_way: tuple[Obstacle, ...],
) -> Document:
    now = ports.now()
    coming = next_event(rollout, now, is_blocked=any(each.kind is not Kind.COOLING for each in in_the_way))
    said, at = _last_sentence(ports, head, rollout, heartbeat)
    return {
        "id": rollout.id,
        "release": rollout.release.name,
        "digest": rollout.release.digest,
        "stable": rollout.stable.name,
        "from_slot": rollout.from_slot,
        "to_slot": rollout.to_slot,
        "phase": rollout.phase.value,
        "phase_since": rollout.phase_since,
        "started_at": rollout.started_at,
        "step": rollout.step + 1,
        "steps": len(rollout.policy.steps),
        "canary_parts": rollout.canary_parts,
        "actual_parts": None if seen.parts is None else seen.parts.get(rollout.to_slot, 0),
        "desired_parts": None if seen.desired_parts is None else seen.desired_parts.get(rollout.to_slot, 0),
        "submitted_by": rollout.submitted_by,
        "because": rollout.because,
        "forecast": _forecast(rollout, now),
        "said": said,
        "said_at": at,
        "next": encode(coming),
        "stop": _stop(head, rollout),
    }


def _forecast(rollout: Rollout, now: int) -> str | None:
    """What was foreseen at submission, beside what has happened so far."""
    if rollout.forecast is None:
        return None
    begun = rollout.first_exposure_at
    so_far = f"{(now - begun) // 60} min so far" if begun is not None else "no step has begun"
    return f"{headline(rollout.forecast)}; {so_far}"


def _last_sentence(ports: Ports, head: Head, rollout: Rollout, heartbeat: Heartbeat | None) -> tuple[str, int]:
    """The tick's last sentence, unless something was decided since: an alarm, the sweep or a person writes no heartbeat.

    The rollout keeps the sentence of its last change and not its time, which an order that leaves the phase alone has for itself.
    """
    newest = list(ports.store.events(head.endpoint, max(1, head.version - _RECENT + 1), head.version))
    said_at = next((event.at for event in reversed(newest) if event.because == rollout.because), rollout.phase_since)
    if heartbeat is not None and heartbeat.at > said_at:
        return heartbeat.because, heartbeat.at
    return rollout.because, said_at


def _stop(head: Head, rollout: Rollout) -> str | None:
    """The command that takes it back; None when it is being taken back already."""
    if rollout.is_latched:
        return None
    return "rollback" if _is_promoted(head, rollout) else "abort"


def _is_promoted(head: Head, rollout: Rollout) -> bool:
    """By the champion pointer, not by the phase: a soak can be paused too."""
    return head.champion.slot == rollout.to_slot


def _look(ports: Ports, endpoint: str) -> _Seen:
    """A status must be had when SageMaker does not answer: what is recorded is worth knowing then too."""
    try:
        facts = ports.endpoints.describe(endpoint)
    except Exception as fault:
        return _Seen(None, None, None, f"{type(fault).__name__}: {fault}")
    return _Seen(facts.status, facts.parts, facts.desired_parts, None)


def _answer(endpoint: str) -> Document:
    return {"schema": ANSWER_SCHEMA, "endpoint": endpoint}


def _release(release: Release) -> Document:
    return {"release": release.name, "digest": release.digest}
