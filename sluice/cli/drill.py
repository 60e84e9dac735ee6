"""`sluice drill`: sets off the canary's real alarm and measures the way back against the policy's target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sluice.aws.clients import client
from sluice.aws.trail import table_time
from sluice.cli.operate import FAILED, GOOD, NOT_IN_TIME, Said
from sluice.cli.outside import Outside
from sluice.cli.records import known_head, records_of
from sluice.cli.target import Target
from sluice.core.audit import states
from sluice.core.decision import duration_text
from sluice.core.errors import BadInput, Refused
from sluice.core.record import encode
from sluice.core.rollout import Phase, Rollout
from sluice.ports import Store

SCHEMA = 1
_POLL_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Drilled:
    """Seconds from the alarm to each station, None for one not reached in time; `target_seconds` is promised for `act`.

    Detected: the alarm function had the event. Decided: the way back was written down. Acted: the weights were read back.
    Verified: stable was watched and is well.
    """

    rollout: str
    alarm: str
    detect_seconds: int | None
    decide_seconds: int | None
    act_seconds: int | None
    verify_seconds: int | None
    target_seconds: int

    @property
    def is_good(self) -> bool:
        return self.act_seconds is not None and self.act_seconds <= self.target_seconds


def drill(outside: Outside, target: Target, within_seconds: float) -> Said:
    """Raises Refused where there is no canary with traffic to take back. The audit trail keeps the record: the reason says drill."""
    with records_of(target) as store:
        head = known_head(store, target)
        rollout = head.live
        if rollout is None or rollout.phase is not Phase.BAKING:
            where = f"{rollout.release.name} is {rollout.phase.value}" if rollout else "nothing is being tried"
            raise Refused(
                f"{target.endpoint}: a drill takes back a canary that is baking, and {where}. Submit a release, and drill in its bake."
            )
        alarm = _alarm_of(rollout)
        asked_at, seq, began = table_time(target.table, target.endpoint), head.version, outside.now()
        client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a drill: sluice drill")
        found = _measure(store, rollout, alarm, asked_at, seq)
        while found.verify_seconds is None and outside.now() - began < within_seconds:
            outside.sleep(_POLL_SECONDS)
            found = _measure(store, rollout, alarm, asked_at, seq)
    code = NOT_IN_TIME if found.act_seconds is None else GOOD if found.is_good else FAILED
    document = {
        "schema": SCHEMA,
        "endpoint": target.endpoint,
        "asked_at": asked_at,
        "good": found.is_good,
        **encode(found),
    }
    return Said(document, list(_lines(target, found)), code)


def _alarm_of(rollout: Rollout) -> str:
    """The canary's first relative alarm: the kind that blames it while stable has traffic."""
    found = rollout.alarms[rollout.to_slot].relative
    if not found:
        raise BadInput((f"rollout {rollout.id}: its policy has no alarm that could be set off",))
    return found[0]


def _measure(store: Store, rollout: Rollout, alarm: str, asked_at: int, seq: int) -> Drilled:
    """From the events after the alarm was set off."""
    detected = decided = acted = verified = None
    for event, after in states(store.events(rollout.endpoint)):
        if event.seq <= seq or event.rollout != rollout.id:
            continue
        latch = after.live.latch if after.live else None
        if event.kind == Phase.ROLLING_BACK.value:
            decided, taken_at = event.at - asked_at, event.facts.get("taken_at")
            detected = taken_at - asked_at if taken_at is not None else None
        if latch is not None and latch.weights_back_at is not None:
            acted = latch.weights_back_at - asked_at
        if event.kind == Phase.ROLLED_BACK.value:
            verified = event.at - asked_at
    return Drilled(rollout.id, alarm, detected, decided, acted, verified, rollout.policy.rollback.target_seconds)


def _lines(target: Target, found: Drilled) -> Iterator[str]:
    yield f"{target.endpoint}: drill on {found.alarm}"
    stations = (
        ("detected", found.detect_seconds),
        ("decided", found.decide_seconds),
        ("weights read back", found.act_seconds),
        ("stable verified", found.verify_seconds),
    )
    for name, seconds in stations:
        yield f"  {name:<22}{'not in time' if seconds is None else f'+{duration_text(seconds)}'}"
    word = "within" if found.is_good else "NOT within"
    yield f"  {word} the target of {duration_text(found.target_seconds)}"
    yield f"  the record: {target.line('history')}"
